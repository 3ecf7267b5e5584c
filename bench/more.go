package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/bench/hitratio"
	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/report"
	"github.com/praveenduddu/cachemesh/bench/systems"
)

// meshSizes are the numbers of members that growth is measured with.
var meshSizes = []int{3, 5, 10, 20, 50}

// measureGrowth measures meshes of several sizes, each in a process of its own.
func (r *runner) measureGrowth(ctx context.Context) error {
	for _, n := range meshSizes {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := proc.Growth(n, r.mode.duration)
		if err != nil {
			r.samples = append(r.samples, report.Sample{Suite: "growth", Cell: fmt.Sprintf("growth-%d", n), System: "cachemesh", Failure: err.Error()})
			fmt.Printf("growth: %d members: %v\n", n, err)
			continue
		}
		r.growth = append(r.growth, *g)
		fmt.Printf("growth: %d members: together in %v, one more seen by all in %v, %.0f gossip bytes/s per member\n",
			n, g.AllJoined.Round(time.Millisecond), g.OneMore.Round(time.Millisecond), g.ByteRate)
	}
	return nil
}

// measureHitRatio replays the traces.
func (r *runner) measureHitRatio(ctx context.Context) error {
	reads, shares := 200_000, hitratio.FewShares
	if r.mode.full {
		reads, shares = 1_000_000, hitratio.Shares
	}
	traces := []*hitratio.Trace{hitratio.ZipfTrace(50_000, reads)}
	if t, err := hitratio.Glimpse(); err != nil {
		r.skipped = append(r.skipped, "trace Glimpse: "+err.Error())
		fmt.Println("skipped", r.skipped[len(r.skipped)-1])
	} else {
		traces = append(traces, t)
	}
	for _, file := range r.mode.traces {
		t, err := hitratio.ReadTrace(file)
		if err != nil {
			return err
		}
		traces = append(traces, t)
	}
	for _, t := range traces {
		r.traces = append(r.traces, report.Trace{Name: t.Name, Source: t.Source, Reads: len(t.Keys), Distinct: t.Distinct})
		err := hitratio.Measure(ctx, t, shares, func(p hitratio.Point) {
			r.points = append(r.points, p)
			fmt.Printf("hit ratio: %s, %d entries, %s: %.1f %%, %d held at the end %s\n", p.Trace, p.Capacity, p.Policy, 100*p.Ratio, p.Held, p.Err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// described returns what the report says about the systems that took part.
func (r *runner) described() []report.System {
	var out []report.System
	for _, e := range systems.All {
		if slices.ContainsFunc(r.suites, func(s suite) bool { return slices.Contains(s.systems, e.Name) }) {
			out = append(out, report.System{Name: e.Name, Title: e.Title, Module: e.Module, Program: e.Program, Rival: e.Rival, Note: e.Note})
		}
	}
	return out
}

// sections returns what the report says about the suites.
func (r *runner) sections() []report.Suite {
	var out []report.Suite
	for _, s := range r.suites {
		section := report.Suite{Name: s.name, Title: s.title, Text: s.text}
		for _, c := range s.cells {
			section.Cells = append(section.Cells, report.Cell{Name: c.name, Title: c.title, Work: c.job.Work, Batch: c.job.Batch})
		}
		out = append(out, section)
	}
	return out
}
