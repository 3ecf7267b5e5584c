// Package proc runs the processes of a system under test. The program starts
// itself again for each of them and speaks to it in lines of JSON over its
// standard input and output; a process whose input ends exits.
package proc

import (
	"time"

	"github.com/praveenduddu/cachemesh/bench/growth"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// Role is the first argument of a process that is to be driven.
const Role = "bench-process"

// A Job is one piece of work for a process.
type Job struct {
	Work     string        // name of the work, see jobs.go
	Size     int           // bytes of a value
	Keys     int           // number of items
	Place    Place         // which of the items
	Callers  int           // goroutines
	Duration time.Duration // of the run
	Batch    int           // items in one GetMany
	Writes   int           // per thousand operations of the mixed work and the paced one
	Rate     int           // operations a second of each process, in the paced work
	Seed     uint64
	Part     int // of Parts: which share of a fill is this process's
	Parts    int
}

// A Place says which items a job uses.
type Place string

// Places.
const (
	Anywhere Place = ""
	Here     Place = "here"  // held by the process that drives
	There    Place = "there" // held by another process
)

type request struct {
	Start  *systems.Spec    `json:",omitempty"`
	Origin *work.OriginSpec `json:",omitempty"` // serve it
	Ready  bool             `json:",omitempty"`
	Job    *Job             `json:",omitempty"`

	Profile *string `json:",omitempty"` // begin a CPU profile in a file, or end it if empty
}

type reply struct {
	Addr   string         `json:",omitempty"` // of the origin that is served
	Err    string         `json:",omitempty"`
	Ready  bool           `json:",omitempty"`
	Result *work.Result   `json:",omitempty"`
	Growth *growth.Result `json:",omitempty"`
}
