package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/bench/growth"
	"github.com/praveenduddu/cachemesh/bench/hitratio"
	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/report"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// A runner does the rounds and gathers what they measured.
type runner struct {
	mode    mode
	suites  []suite
	samples report.Samples
	growth  []growth.Result
	points  []hitratio.Point
	traces  []report.Trace
	skipped []string // systems that are not there, and why

	done, total int // cells of systems, for the progress
	started     time.Time
}

func newRunner(m mode) *runner {
	r := &runner{mode: m, started: time.Now()}
	for _, s := range suites(m) {
		s.cells = slices.DeleteFunc(s.cells, func(c cell) bool {
			return c.fullOnly && !m.full || !m.only.MatchString(s.name) && !m.only.MatchString(c.name)
		})
		s.systems = slices.DeleteFunc(slices.Clone(s.systems), func(name string) bool { return !r.usable(name) })
		s.systems = slices.DeleteFunc(s.systems, func(name string) bool {
			return !slices.ContainsFunc(s.cells, func(c cell) bool { return c.has(name) })
		})
		if len(s.cells) > 0 && len(s.systems) > 0 {
			r.suites = append(r.suites, s)
		}
		for _, c := range s.cells {
			r.total += s.roundsOf(m) * len(slices.DeleteFunc(slices.Clone(s.systems), func(name string) bool { return !c.has(name) }))
		}
	}
	return r
}

func (s *suite) roundsOf(m mode) int {
	if s.rounds > 0 {
		return min(s.rounds, m.rounds)
	}
	return m.rounds
}

func (c *cell) has(system string) bool {
	return c.systems == nil || slices.Contains(c.systems, system)
}

// usable reports whether a system is wanted and there. One that is wanted and
// not there is noted once.
func (r *runner) usable(name string) bool {
	if r.mode.systems != nil && !slices.Contains(r.mode.systems, name) {
		return false
	}
	e, err := systems.Find(name)
	if err == nil && e.Program != "" {
		_, err = exec.LookPath(e.Program)
	}
	if err == nil {
		return true
	}
	if note := fmt.Sprintf("%s: %v", name, err); !slices.Contains(r.skipped, note) {
		r.skipped = append(r.skipped, note)
		fmt.Println("skipped", note)
	}
	return false
}

// all does everything that is to be measured.
func (r *runner) all(ctx context.Context) error {
	for round := 1; round <= r.mode.rounds; round++ {
		for i := range r.suites {
			if round > r.suites[i].roundsOf(r.mode) {
				continue
			}
			if err := r.suite(ctx, &r.suites[i], round); err != nil {
				return err
			}
		}
	}
	if r.wants("growth") && r.usable("cachemesh") {
		if err := r.measureGrowth(ctx); err != nil {
			return err
		}
	}
	if r.wants("hitratio") && r.usable("cachemesh") {
		return r.measureHitRatio(ctx)
	}
	return nil
}

func (r *runner) wants(name string) bool { return r.mode.only.MatchString(name) }

// suite does one round of a suite: starts every system, then goes through the
// cells, each system in turn, in an order that changes.
func (r *runner) suite(ctx context.Context, s *suite, round int) error {
	setup, stop, err := r.origin(ctx, s)
	if err != nil {
		return err
	}
	defer stop()
	fleets := make(map[string]*proc.Fleet)
	defer func() {
		for _, f := range fleets {
			f.Stop()
		}
	}()
	for _, name := range s.systems {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f, err := r.start(ctx, s, setup, name); err != nil {
			r.fail(s, name, round, err)
		} else {
			fleets[name] = f
		}
	}
	for i := range s.cells {
		c := &s.cells[i]
		order := slices.Clone(s.systems)
		rng := rand.New(rand.NewPCG(r.mode.seed, uint64(round)<<32|uint64(i)))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, name := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			if f := fleets[name]; f != nil && c.has(name) {
				r.measure(s, c, f, round)
			}
		}
	}
	return nil
}

// origin makes the table that a suite reads from. One in SQLite is served by a
// process of its own, for processes that share a file keep each other waiting.
func (r *runner) origin(ctx context.Context, s *suite) (proc.Setup, func(), error) {
	setup := s.setup
	if setup.Origin.Driver == "" {
		return setup, func() {}, nil
	}
	if err := work.CreateTable(ctx, setup.Origin, work.Items(s.fill.Size, s.fill.Keys)); err != nil {
		return setup, nil, err
	}
	if setup.Origin.Driver != "sqlite" {
		return setup, func() {}, nil
	}
	var err error
	if setup.OriginProcess, err = proc.StartOrigin(setup.Origin); err != nil {
		return setup, nil, err
	}
	setup.Origin.Driver, setup.Origin.DSN = setup.OriginProcess.Spec.Driver, setup.OriginProcess.Spec.DSN
	return setup, setup.OriginProcess.Stop, nil
}

// start starts a system and fills it.
func (r *runner) start(ctx context.Context, s *suite, setup proc.Setup, name string) (*proc.Fleet, error) {
	e, err := systems.Find(name)
	if err != nil {
		return nil, err
	}
	f, err := proc.Start(ctx, e, setup)
	if err == nil && s.fill != nil {
		if _, err = f.Run(*s.fill); err != nil {
			f.Stop()
		}
	}
	return f, err
}

// fail notes that a system could not be started.
func (r *runner) fail(s *suite, name string, round int, err error) {
	for i := range s.cells {
		if c := &s.cells[i]; c.has(name) {
			r.note(report.Sample{Suite: s.name, Cell: c.name, System: name, Round: round, Failure: err.Error()})
		}
	}
}

// note keeps a sample and prints it.
func (r *runner) note(s report.Sample) {
	r.done++
	r.samples = append(r.samples, s)
	fmt.Printf("%4d/%d %7s  round %d  %-16s %-18s %s\n", r.done, r.total,
		time.Since(r.started).Round(time.Second), s.Round, s.Cell, s.System, s.Line())
}
