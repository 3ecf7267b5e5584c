//go:build !race

package httppool

const raceEnabled = false
