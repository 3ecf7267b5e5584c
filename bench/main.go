// Command bench compares CacheMesh with other caches on this machine, and
// writes RESULTS.md, charts and the raw data. See README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

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
	if m.keep {
		if err := doc.Keep(m.out); err != nil {
			return err
		}
	}
	return doc.Write(m.out)
}
