package main

import (
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/bench/delay"
	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// TestServicesRun does a round of the paced work and one half a millisecond away, neither of
// them warm, by what is told of each system.
func TestServicesRun(t *testing.T) {
	runtime.LockOSThread()
	r := newRunner(mode{
		smoke: true, rounds: 1, duration: 200 * time.Millisecond, warm: 100 * time.Millisecond,
		only: regexp.MustCompile("^(paced-3000|mixed-far)$"), systems: []string{"cachemesh", "redis-rueidis-cached", "redis-go-redis-cached"},
		origin: work.OriginSpec{Driver: "sqlite", DSN: work.SQLiteDSN(filepath.Join(t.TempDir(), "origin.db"))},
	})
	if err := r.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(r.suites[0].systems); len(r.samples) != want {
		t.Errorf("%d samples, want %d", len(r.samples), want)
	}
	for _, s := range r.samples {
		if s.Failure != "" || !s.Measured() {
			t.Errorf("%s, %s: %d operations, %d errors: %s", s.Cell, s.System, s.Ops, s.Errors, s.Failure)
		}
		if s.Loads == 0 {
			t.Errorf("%s, %s: nothing was loaded, though there are Deletes", s.Cell, s.System)
		}
		if s.Cell == "mixed-far" {
			continue
		}
		const due = 3 * 3000 * 2 / 10 // of three processes in 200 ms
		if n := float64(s.Ops) / (1 - s.Missed); n < due-0.5 || n > due+0.5 {
			t.Errorf("%s: %.1f operations were due, want %d", s.System, n, due)
		}
		if s.Near <= 0.05 || s.Near > 1 {
			t.Errorf("%s answered %.0f %% in its own memory", s.System, 100*s.Near)
		}
		if s.System == "cachemesh" && s.Stale > 0 {
			t.Errorf("CacheMesh served %.0f stale answers in a million", s.Stale)
		}
	}
}

// TestTheDelayIsInEverySystem makes sure that nothing goes past it.
func TestTheDelayIsInEverySystem(t *testing.T) {
	runtime.LockOSThread()
	for _, name := range sharedSystems() {
		e, err := systems.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			if r := newRunner(mode{only: regexp.MustCompile("^$")}); !r.usable(name) {
				t.Skip(r.skipped)
			}
			runtime.LockOSThread()
			f, err := proc.Start(t.Context(), e, proc.Setup{Members: 2, Drivers: 1, CacheBytes: 8 << 20, Entries: 1000, Delay: delay.Dialer(away)})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Stop()
			job := proc.Job{Work: "get", Size: 128, Keys: 50, Place: proc.There, Callers: 4, Duration: 30 * time.Millisecond}
			if slices.Contains(cachingClients, name) {
				job.Work = "set" // for these keep what they have read
			}
			r, err := f.Run(job)
			if err != nil {
				t.Fatal(err)
			}
			if p50 := r.Latency.Quantile(0.5); r.Errors > 0 || p50 < 2*away {
				t.Errorf("p50 = %v, want at least %v; %d errors: %s", p50, 2*away, r.Errors, r.FirstError)
			}
		})
	}
}

// TestWindowsHoldLeases makes sure that nothing is measured for less than two terms of a lease,
// nor by too few operations for a p99.
func TestWindowsHoldLeases(t *testing.T) {
	for _, full := range []bool{false, true} {
		m := mode{full: full}
		m.lengths()
		least := 2 * time.Second
		if full {
			least = 5 * time.Second
		}
		for _, s := range suites(m) {
			for _, c := range s.cells {
				warm, window := m.windows(&c)
				if window < least || warm == 0 {
					t.Errorf("%s is measured for %v after %v, want at least %v", c.name, window, warm, least)
				}
				if c.job.Work == "paced" && (float64(c.job.Rate)*window.Seconds() < 2500 || warm < 3*time.Second) {
					t.Errorf("%s is measured for %v after %v", c.name, window, warm)
				}
			}
		}
	}
	smoke := mode{smoke: true}
	smoke.lengths()
	for _, s := range suites(smoke) {
		for _, c := range s.cells {
			if warm, window := smoke.windows(&c); warm+window > time.Second {
				t.Errorf("a smoke test of %s takes %v", c.name, warm+window)
			}
		}
	}
}
