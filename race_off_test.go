//go:build !race

package cachemesh_test

const raceEnabled = false
