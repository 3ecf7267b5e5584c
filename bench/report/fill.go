package report

import (
	"fmt"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// Fill takes over what was measured by a number of callers.
func (s *Sample) Fill(r *work.Result, callers int) {
	s.Ops, s.Errors, s.Elapsed, s.Failure = r.Ops, r.Errors, r.Elapsed, r.FirstError
	if r.Ops == 0 {
		return
	}
	ops := float64(r.Ops)
	if r.Elapsed > 0 {
		s.Rate = ops / r.Elapsed.Seconds()
		s.PerOp = float64(r.Elapsed) * float64(callers) / ops
	}
	s.P50 = float64(r.Latency.Quantile(0.5))
	s.P90 = float64(r.Latency.Quantile(0.9))
	s.P99 = float64(r.Latency.Quantile(0.99))
	s.P999 = float64(r.Latency.Quantile(0.999))
	s.CPU = float64(r.CPU) / ops
	s.OriginCPU = float64(r.OriginCPU) / ops
	s.Allocs = float64(r.Mallocs) / ops
	s.Loads = 1000 * float64(r.Loads) / ops
	s.Stale = 1e6 * float64(r.Stale) / ops
	s.HotShare = float64(r.HotHits) / ops
	if r.Gets > 0 {
		s.fillPaced(r)
	}
}

// fillPaced takes over what is known of paced work alone.
func (s *Sample) fillPaced(r *work.Result) {
	s.Gets, s.Near = r.Gets, -1
	if r.NearKnown {
		s.Near = float64(r.Near) / float64(r.Gets)
	}
	s.Late = float64(r.Late) / float64(r.Ops)
	s.Missed = float64(r.Missed) / float64(r.Ops+r.Missed)
}

// Line sums the sample up for the progress.
func (s *Sample) Line() string {
	if !s.Measured() {
		return "failed: " + s.Failure
	}
	line := fmt.Sprintf("%12s  p50 %8s  p99 %8s  CPU %8s/op  %5.1f allocs", perSecond(s.Rate), nanos(s.P50), nanos(s.P99), nanos(s.CPU), s.Allocs)
	switch {
	case s.Heap > 0:
		line = fmt.Sprintf("%.0f B of heap, %.0f B resident per entry", s.Heap, s.Resident)
	case s.PerKey > 0:
		line = fmt.Sprintf("%.1f loads per key", s.PerKey)
	}
	if s.Gets > 0 {
		line += fmt.Sprintf("  p90 %8s  %s in own memory  %.1f loads  %.0f stale  %s late  %s not begun",
			nanos(s.P90), share(s.Near), s.Loads, s.Stale, share(s.Late), share(s.Missed))
	} else if s.HotShare > 0 {
		line += fmt.Sprintf("  %.0f %% from hot copies", 100*s.HotShare)
	}
	if s.Errors > 0 {
		line += fmt.Sprintf("  %d ERRORS: %s", s.Errors, s.Failure)
	}
	return line
}
