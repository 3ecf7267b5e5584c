package main

import (
	"context"
	"regexp"
	"time"
)

const (
	keys = 10000
	size = 128
)

// options are what is measured, and how long.
type options struct {
	rounds   int
	seconds  time.Duration // that a measurement takes, roughly
	program  string
	only     *regexp.Regexp
	out      string
	seed     uint64
	scratch  string
	parallel int
}

// A cell is one measurement of several systems.
type cell struct {
	name    string
	aim     float64 // of cachemesh's rate, by that of the first system; 0: none
	systems []system
	rounds  []map[string]float64 // requests a second, by the system's name
}

type system struct {
	name    string
	measure func(ctx context.Context) (perSecond float64, err error)
}
