//go:build race

package store

// raceDetector: it makes pools lose a part of what they are given, and with it
// what ristretto should learn about the use of keys.
const raceDetector = true
