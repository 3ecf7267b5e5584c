package report

import (
	"time"

	"github.com/praveenduddu/cachemesh/bench/growth"
	"github.com/praveenduddu/cachemesh/bench/hitratio"
)

// A Document is all that a run of the comparison found.
type Document struct {
	Command  string
	Rounds   int
	Duration time.Duration // of a measurement
	Warm     time.Duration // before it
	Seed     uint64
	Machine  Machine
	Systems  []System
	Skipped  []string
	Suites   []Suite
	Samples  Samples
	Growth   []growth.Result
	Traces   []Trace
	HitRatio []hitratio.Point
	Kept     []Kept // what of the above is of earlier runs
}

// A System took part.
type System struct{ Name, Title, Module, Version, Program, Rival, Note string }

// A Suite is a section of the report.
type Suite struct {
	Name, Title, Text string
	Cells             []Cell
}

// A Cell is a table of the report.
type Cell struct {
	Name, Title, Work string
	Batch             int
}

// A Trace was replayed.
type Trace struct {
	Name, Source    string
	Reads, Distinct int
}

// baseline is the system that the others are compared with.
const baseline = "cachemesh"

func (d *Document) title(system string) string {
	for _, s := range d.Systems {
		if s.Name == system {
			return s.Title
		}
	}
	return system
}

func (d *Document) has(cell string) bool {
	for _, s := range d.Samples {
		if s.Cell == cell && s.Measured() {
			return true
		}
	}
	return false
}
