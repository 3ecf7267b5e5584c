//go:build race

package kit

// Race reports whether the race detector runs, under which times and memory say little.
const Race = true
