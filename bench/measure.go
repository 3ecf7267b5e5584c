package main

import (
	"fmt"
	"path/filepath"

	"github.com/praveenduddu/cachemesh/bench/proc"
	"github.com/praveenduddu/cachemesh/bench/report"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// measure does one measurement of one system and notes it, be it a failure.
func (r *runner) measure(s *suite, c *cell, f *proc.Fleet, round int) {
	sample := report.Sample{Suite: s.name, Cell: c.name, System: f.Entry.Name, Round: round}
	result, err := r.runCell(c, f, round)
	if err != nil {
		sample.Failure = err.Error()
	} else {
		if c.job.Work == "delete" {
			result.CPU = 0 // most of it went into filling
		}
		if c.job.Work == "set-hot" {
			result.HotHits = 0 // the readers', whose Gets are not counted
		}
		sample.Fill(result, c.job.Callers*max(1, s.setup.Drivers))
		if s.name == "storm" {
			sample.PerKey = float64(result.Loads) / float64(c.repeat)
		}
		if c.memory {
			sample.Heap = float64(result.Heap) / float64(c.job.Keys)
			sample.Resident = float64(result.Bytes) / float64(c.job.Keys)
		} else {
			sample.Resident = float64(f.Resident())
		}
	}
	r.note(sample)
}

// runCell warms up and measures.
func (r *runner) runCell(c *cell, f *proc.Fleet, round int) (*work.Result, error) {
	job := c.job
	job.Seed = uint64(1000 * round)
	if c.repeat > 0 {
		return repeat(f, job, c.repeat)
	}
	if c.memory {
		return memoryOf(f, job)
	}
	warm, duration := r.mode.windows(c)
	job.Duration = warm
	if _, err := f.Run(job); err != nil {
		return nil, err
	}
	job.Duration = duration
	if r.mode.profile == "" {
		return f.Run(job)
	}
	var result *work.Result
	prefix := filepath.Join(r.mode.profile, fmt.Sprintf("%s-%s-%d", c.name, f.Entry.Name, round))
	err := f.Profile(prefix, func() (err error) {
		result, err = f.Run(job)
		return err
	})
	return result, err
}

// repeat runs a job several times, with a seed of its own each, and adds up.
func repeat(f *proc.Fleet, job proc.Job, times int) (*work.Result, error) {
	total := &work.Result{}
	// Loads are counted from outside: a process may be asked to load before it
	// begins to drive.
	count := proc.Job{Work: "loads"}
	before, err := f.Run(count)
	if err != nil {
		return nil, err
	}
	for range times {
		job.Seed++
		result, err := f.Run(job)
		if err != nil {
			return nil, err
		}
		elapsed := total.Elapsed + result.Elapsed
		cpu := total.CPU + result.CPU
		total.Merge(result)
		total.Elapsed, total.CPU = elapsed, cpu
	}
	after, err := f.Run(count)
	if err != nil {
		return nil, err
	}
	total.Loads = after.Loads - before.Loads
	return total, nil
}

// memoryOf measures what the job adds to the resident sets.
func memoryOf(f *proc.Fleet, job proc.Job) (*work.Result, error) {
	settle := proc.Job{Work: "resident"}
	if _, err := f.Run(settle); err != nil {
		return nil, err
	}
	before := f.Resident()
	result, err := f.Run(job)
	if err != nil {
		return nil, err
	}
	result.Bytes = f.Resident() - before
	return result, nil
}
