//go:build !race

package metrics

// slower is how many times as long things may take.
const slower = 1
