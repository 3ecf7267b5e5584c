//go:build race

package metrics

// slower is how many times as long things may take under the race detector.
const slower = 20
