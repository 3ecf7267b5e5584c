package main

import (
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A mode says how much is measured.
type mode struct {
	full     bool
	smoke    bool // whether all runs, in seconds: nothing is warm, and the figures mean nothing
	rounds   int
	duration time.Duration // of a measurement
	warm     time.Duration // before it
	seed     uint64
	only     *regexp.Regexp
	systems  []string // nil: all
	origin   work.OriginSpec
	traces   []string
	out      string
	keep     bool   // what out has of other sections
	profile  string // folder for CPU profiles; empty: none
	command  string
}

func parseFlags() (mode, error) {
	var m mode
	short := flag.Bool("short", false, "three quarters of an hour (the default)")
	flag.BoolVar(&m.full, "full", false, "hours: more rounds, longer ones, and all sizes with all numbers of callers")
	flag.BoolVar(&m.smoke, "smoke", false, "a few minutes, of which no figure means anything: whether everything runs")
	only := flag.String("only", "", "measure only what matches this regular expression")
	names := flag.String("systems", "", "comma-separated systems; default all of "+strings.Join(systemNames(), ","))
	flag.IntVar(&m.rounds, "rounds", 0, "rounds; default 3, with -full 7, with -smoke 1")
	flag.Uint64Var(&m.seed, "seed", 1, "determines the order of systems")
	dsn := flag.String("dsn", "", "PostgreSQL behind the mixed work, whose table bench_items is replaced; default an SQLite file")
	traces := flag.String("trace", "", "comma-separated files of further traces for the hit ratio, of block numbers or in ARC's format")
	flag.StringVar(&m.out, "out", ".", "folder of RESULTS.md, results.json and charts")
	flag.BoolVar(&m.keep, "keep", false, "keep what the folder's results.json has of sections that are not measured now")
	flag.StringVar(&m.profile, "profile", "", "folder for CPU profiles of every process in every measurement; they cost some speed")
	flag.Parse()
	if flag.NArg() > 0 || *short && m.full || m.smoke && (*short || m.full) {
		return m, errors.New("usage: bench [-short | -full | -smoke] [flags]; see -help")
	}
	m.lengths()
	if *dsn != "" {
		m.origin = work.OriginSpec{Driver: "pgx", DSN: *dsn}
	}
	m.systems, m.traces = list(*names), list(*traces)
	m.command = "go run . " + strings.Join(os.Args[1:], " ")
	var err error
	m.only, err = regexp.Compile(*only)
	return m, err
}

// lengths sets how long is measured, and how often unless that was said. A window holds two terms
// of a lease at least, so that leases and refreshes are in it.
func (m *mode) lengths() {
	rounds := 3
	m.duration, m.warm = 2*time.Second, 500*time.Millisecond
	switch {
	case m.full:
		m.duration, m.warm, rounds = 5*time.Second, time.Second, 7
	case m.smoke:
		m.duration, m.warm, rounds = 300*time.Millisecond, 100*time.Millisecond, 1
	}
	if m.rounds <= 0 {
		m.rounds = rounds
	}
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func systemNames() (names []string) {
	for _, e := range systems.All {
		names = append(names, e.Name)
	}
	return names
}
