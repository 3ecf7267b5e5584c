package proc

import "github.com/praveenduddu/cachemesh/bench/work"

// An Origin is a process that serves a database.
type Origin struct {
	Spec  work.OriginSpec // how others reach it
	child *child
}

// StartOrigin starts a process that serves an SQLite database.
func StartOrigin(s work.OriginSpec) (*Origin, error) {
	c, err := startChild("origin")
	if err != nil {
		return nil, err
	}
	rep, err := c.do(request{Origin: &s})
	if err != nil {
		c.stop()
		return nil, err
	}
	return &Origin{work.OriginSpec{Driver: work.ServedDriver, DSN: rep.Addr}, c}, nil
}

// Stop ends the process.
func (o *Origin) Stop() { o.child.stop() }
