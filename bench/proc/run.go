package proc

import (
	"fmt"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/bench/growth"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// Run has every driver do the job at the same time and returns what they
// measured together.
func (f *Fleet) Run(j Job) (*work.Result, error) {
	replies := make([]reply, len(f.drivers))
	errs := make([]error, len(f.drivers))
	before, originBefore := f.cpu(), f.originCPU()
	var wg sync.WaitGroup
	for i, c := range f.drivers {
		mine := j
		mine.Part, mine.Parts = i, len(f.drivers)
		wg.Go(func() { replies[i], errs[i] = c.do(request{Job: &mine}) })
	}
	wg.Wait()
	total := &work.Result{CPU: f.cpu() - before, OriginCPU: f.originCPU() - originBefore}
	for i := range replies {
		if errs[i] != nil {
			return nil, errs[i]
		}
		total.Merge(replies[i].Result)
	}
	return total, nil
}

// Profile has every process of this program write a CPU profile while f runs.
// The files begin with prefix.
func (f *Fleet) Profile(prefix string, run func() error) error {
	stop := ""
	for i, c := range f.children {
		if c.in == nil {
			continue
		}
		file := fmt.Sprintf("%s-%d.cpu.prof", prefix, i)
		if _, err := c.do(request{Profile: &file}); err != nil {
			return err
		}
		defer c.do(request{Profile: &stop})
	}
	return run()
}

// cpu returns the processor time of all processes, the origin's included.
func (f *Fleet) cpu() (sum time.Duration) {
	for _, c := range f.children {
		sum += cpuTime(c.cmd.Process.Pid)
	}
	return sum + f.originCPU()
}

// originCPU returns the processor time of the process that serves the origin.
func (f *Fleet) originCPU() time.Duration {
	if f.origin == nil {
		return 0
	}
	return cpuTime(f.origin.child.cmd.Process.Pid)
}

// Resident returns the resident memory of all processes.
func (f *Fleet) Resident() (sum int64) {
	for _, c := range f.children {
		sum += residentSet(c.cmd.Process.Pid)
	}
	return sum
}

// Growth measures a mesh of CacheMesh within one process.
func Growth(members int, d time.Duration) (*growth.Result, error) {
	c, err := startChild("growth")
	if err != nil {
		return nil, err
	}
	defer c.stop()
	rep, err := c.do(request{Job: &Job{Work: "growth", Keys: members, Duration: d}})
	return rep.Growth, err
}
