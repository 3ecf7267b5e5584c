//go:build race

package httppool

const raceEnabled = true
