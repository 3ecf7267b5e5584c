// Package report turns samples into medians, ratios, tables and charts.
package report

import (
	"cmp"
	"slices"
	"time"
)

// A Sample is one measurement of one system in one round.
type Sample struct {
	Suite, Cell, System string
	Round               int

	Rate  float64 // operations a second, all callers together
	PerOp float64 // nanoseconds from the start to the end of one, for one caller
	P50   float64 // nanoseconds
	P90   float64
	P99   float64
	P999  float64
	CPU   float64 // nanoseconds of processor time per operation, of all processes
	// OriginCPU is the part of CPU that the process of the origin took.
	OriginCPU float64 `json:",omitempty"`
	Allocs    float64 // heap allocations per operation, in the driving processes
	Loads     float64 // calls of the origin, per thousand operations
	PerKey    float64 `json:",omitempty"` // calls of the origin per key, in a storm
	Stale     float64 `json:",omitempty"` // stale answers per million operations

	Gets   uint64  `json:",omitempty"` // of the paced operations, those that are no writes
	Near   float64 `json:",omitempty"` // of the paced Gets, answered in the memory of who asked; below 0: it cannot be told
	Late   float64 `json:",omitempty"` // of the paced operations, those that began too late
	Missed float64 `json:",omitempty"` // of those that were due, those that nobody began

	HotShare float64 `json:",omitempty"` // of the Gets, answered from hot copies
	Heap     float64 `json:",omitempty"` // bytes of live heap per entry
	Resident float64 `json:",omitempty"` // bytes of resident memory: per entry in the memory suite, else in total
	Errors   uint64  `json:",omitempty"`
	Ops      uint64
	Elapsed  time.Duration
	Failure  string `json:",omitempty"` // why there is no measurement, or the first error
}

// Measured reports whether the sample holds a measurement.
func (s *Sample) Measured() bool { return s.Ops > s.Errors }

// A Metric picks a number from a sample.
type Metric func(*Sample) float64

// Metrics.
var (
	Rate     Metric = func(s *Sample) float64 { return s.Rate }
	PerOp    Metric = func(s *Sample) float64 { return s.PerOp }
	P50      Metric = func(s *Sample) float64 { return s.P50 }
	P90      Metric = func(s *Sample) float64 { return s.P90 }
	P99      Metric = func(s *Sample) float64 { return s.P99 }
	P999     Metric = func(s *Sample) float64 { return s.P999 }
	CPU      Metric = func(s *Sample) float64 { return s.CPU }
	Origin   Metric = func(s *Sample) float64 { return s.OriginCPU }
	Allocs   Metric = func(s *Sample) float64 { return s.Allocs }
	Loads    Metric = func(s *Sample) float64 { return s.Loads }
	PerKey   Metric = func(s *Sample) float64 { return s.PerKey }
	Stale    Metric = func(s *Sample) float64 { return s.Stale }
	Near     Metric = func(s *Sample) float64 { return s.Near }
	Late     Metric = func(s *Sample) float64 { return s.Late }
	Missed   Metric = func(s *Sample) float64 { return s.Missed }
	HotShare Metric = func(s *Sample) float64 { return s.HotShare }
	Heap     Metric = func(s *Sample) float64 { return s.Heap }
	Resident Metric = func(s *Sample) float64 { return s.Resident }
)

// A Ratio is a median of ratios, each taken within one round.
type Ratio struct {
	Median, Min, Max float64
	Rounds           int
}

// Median returns the middle of the numbers, the mean of the two middle ones of
// an even count, and zero of none.
func Median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	mid := len(xs) / 2
	if len(xs)%2 == 1 {
		return xs[mid]
	}
	return (xs[mid-1] + xs[mid]) / 2
}

// Samples are all that was measured.
type Samples []Sample

// Of returns the samples of one system in one cell that hold a measurement.
func (all Samples) Of(cell, system string) Samples {
	var out Samples
	for _, s := range all {
		if s.Cell == cell && s.System == system && s.Measured() {
			out = append(out, s)
		}
	}
	return out
}

// Median returns the median of a metric over the rounds.
func (all Samples) Median(cell, system string, m Metric) float64 {
	var xs []float64
	for _, s := range all.Of(cell, system) {
		xs = append(xs, m(&s))
	}
	return Median(xs)
}

// Compare returns the ratio of a metric of one system to that of another, where
// each may be in a cell of its own. Only rounds with both count.
func (all Samples) Compare(m Metric, cell, system, otherCell, other string) Ratio {
	var ratios []float64
	for _, a := range all.Of(cell, system) {
		for _, b := range all.Of(otherCell, other) {
			if a.Round == b.Round && m(&b) != 0 {
				ratios = append(ratios, m(&a)/m(&b))
			}
		}
	}
	if len(ratios) == 0 {
		return Ratio{}
	}
	return Ratio{Median(ratios), slices.Min(ratios), slices.Max(ratios), len(ratios)}
}

// Systems returns the systems with a measurement in a cell, the best first.
func (all Samples) Systems(cell string, m Metric, descending bool) []string {
	var names []string
	for _, s := range all {
		if s.Cell == cell && s.Measured() && !slices.Contains(names, s.System) {
			names = append(names, s.System)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		c := cmp.Compare(all.Median(cell, a, m), all.Median(cell, b, m))
		if descending {
			return -c
		}
		return c
	})
	return names
}

// Trouble returns one line for each system and cell with errors.
func (all Samples) Trouble() []string {
	var lines []string
	for _, s := range all {
		if s.Failure == "" {
			continue
		}
		if line := s.Cell + ", " + s.System + ": " + s.Failure; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
