package main

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/report"
	"github.com/praveenduddu/cachemesh/bench/systems"
)

// TestMain lets this test be started again as a process of a system.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == proc.Role {
		if err := proc.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestEverySystemAnswers starts each system that is there, and reads keys that
// the caller's process holds or another one does.
func TestEverySystemAnswers(t *testing.T) {
	for _, e := range systems.All {
		t.Run(e.Name, func(t *testing.T) {
			if e.Program != "" {
				if _, err := exec.LookPath(e.Program); err != nil {
					t.Skip(err)
				}
			}
			runtime.LockOSThread() // the processes end with the thread; this goroutine takes it along
			f, err := proc.Start(t.Context(), e, proc.Setup{Members: 2, Drivers: 1, CacheBytes: 8 << 20, HotCopies: true, Entries: 1000})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Stop()
			place := proc.There
			if e.Kind == systems.Local {
				place = proc.Here
			}
			r, err := f.Run(proc.Job{Work: "get", Size: 128, Keys: 50, Place: place, Callers: 4, Duration: 20 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if r.Ops == 0 || r.Errors > 0 {
				t.Errorf("%d operations, %d errors: %s", r.Ops, r.Errors, r.FirstError)
			}
			if r.Latency.Quantile(0.5) <= 0 || runtime.GOOS == "linux" && r.CPU <= 0 {
				t.Errorf("p50 %v, CPU %v: nothing was measured", r.Latency.Quantile(0.5), r.CPU)
			}
		})
	}
}

// TestAimsAreMeasured makes sure that no aim goes missing because a cell or a
// system was renamed.
func TestAimsAreMeasured(t *testing.T) {
	all := suites(mode{full: true, rounds: 1})
	for _, need := range report.Needs() {
		measured := slices.ContainsFunc(all, func(s suite) bool {
			return slices.ContainsFunc(s.cells, func(c cell) bool {
				return c.name == need[0] && slices.Contains(s.systems, need[1]) && c.has(need[1])
			})
		})
		if !measured {
			t.Errorf("cell %q is not measured for %q", need[0], need[1])
		}
	}
}

func TestCellsHaveNamesOfTheirOwn(t *testing.T) {
	var seen []string
	for _, s := range suites(mode{full: true, rounds: 1}) {
		for _, c := range s.cells {
			if slices.Contains(seen, c.name) {
				t.Errorf("two cells are named %q", c.name)
			}
			seen = append(seen, c.name)
			for _, name := range append(c.systems, s.systems...) {
				if _, err := systems.Find(name); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
