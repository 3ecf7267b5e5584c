package report

import (
	"encoding/json"
	"os"
	"path/filepath"
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
}

// A System took part.
type System struct{ Name, Title, Module, Version, Program, Note string }

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

// Write writes RESULTS.md, results.json and the charts into a folder.
func (d *Document) Write(dir string) error {
	for i := range d.Systems {
		d.Systems[i].Version = version(d.Systems[i].Module, d.Systems[i].Program)
	}
	charts := d.charts()
	if err := os.MkdirAll(filepath.Join(dir, "charts"), 0o755); err != nil {
		return err
	}
	for _, c := range charts {
		if err := os.WriteFile(filepath.Join(dir, "charts", c.file), []byte(c.svg), 0o644); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	notes, err := os.ReadFile(filepath.Join(dir, "NOTES.md"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "RESULTS.md"), []byte(d.markdown(charts, string(notes))), 0o644)
}

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
