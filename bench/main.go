// Command bench compares CacheMesh with other caches on this machine, and
// writes RESULTS.md, charts and the raw data. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/report"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// The processes of a system end with the thread that started them, so the main
// goroutine stays on the main thread.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) > 1 && os.Args[1] == proc.Role {
		if err := proc.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A mode says how much is measured.
type mode struct {
	full     bool
	rounds   int
	duration time.Duration // of a measurement
	warm     time.Duration // before it
	seed     uint64
	only     *regexp.Regexp
	systems  []string // nil: all
	origin   work.OriginSpec
	traces   []string
	out      string
	profile  string // folder for CPU profiles; empty: none
	command  string
}

func parseFlags() (mode, error) {
	var m mode
	short := flag.Bool("short", false, "a few minutes (the default)")
	flag.BoolVar(&m.full, "full", false, "half an hour: more rounds, longer ones, and all sizes with all numbers of callers")
	only := flag.String("only", "", "measure only what matches this regular expression")
	names := flag.String("systems", "", "comma-separated systems; default all of "+strings.Join(systemNames(), ","))
	flag.IntVar(&m.rounds, "rounds", 0, "rounds; default 3, with -full 7")
	flag.Uint64Var(&m.seed, "seed", 1, "determines the order of systems")
	dsn := flag.String("dsn", "", "PostgreSQL behind the mixed work, whose table bench_items is replaced; default an SQLite file")
	traces := flag.String("trace", "", "comma-separated files of further traces for the hit ratio, of block numbers or in ARC's format")
	flag.StringVar(&m.out, "out", ".", "folder of RESULTS.md, results.json and charts")
	flag.StringVar(&m.profile, "profile", "", "folder for CPU profiles of every process in every measurement; they cost some speed")
	flag.Parse()
	if flag.NArg() > 0 || *short && m.full {
		return m, errors.New("usage: bench [-short | -full] [flags]; see -help")
	}
	m.duration, m.warm = 300*time.Millisecond, 100*time.Millisecond
	rounds := 3
	if m.full {
		m.duration, m.warm, rounds = time.Second, 250*time.Millisecond, 7
	}
	if m.rounds <= 0 {
		m.rounds = rounds
	}
	if *dsn != "" {
		m.origin = work.OriginSpec{Driver: "pgx", DSN: *dsn}
	}
	m.systems, m.traces = list(*names), list(*traces)
	m.command = "go run . " + strings.Join(os.Args[1:], " ")
	var err error
	m.only, err = regexp.Compile(*only)
	return m, err
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

func run(ctx context.Context) error {
	m, err := parseFlags()
	if err != nil {
		return err
	}
	for _, name := range m.systems {
		if _, err := systems.Find(name); err != nil {
			return err
		}
	}
	scratch, err := os.MkdirTemp("", "cachemesh-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if m.origin.Driver == "" {
		m.origin = work.OriginSpec{Driver: "sqlite", DSN: work.SQLiteDSN(filepath.Join(scratch, "origin.db"))}
	}
	if m.profile != "" {
		if err := os.MkdirAll(m.profile, 0o755); err != nil {
			return err
		}
	}
	r := newRunner(m)
	if err := r.all(ctx); err != nil {
		return err
	}
	doc := &report.Document{
		Command: strings.TrimSpace(m.command), Rounds: m.rounds, Duration: m.duration, Warm: m.warm, Seed: m.seed,
		Machine: report.ThisMachine(), Skipped: r.skipped, Samples: r.samples, Growth: r.growth, HitRatio: r.points,
		Traces: r.traces, Systems: r.described(), Suites: r.sections(),
	}
	return doc.Write(m.out)
}
