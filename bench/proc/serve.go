package proc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"github.com/praveenduddu/cachemesh/bench/growth"
	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// maxLine bounds a line of the protocol.
const maxLine = 16 << 20

// startTimeout bounds how long a system may take to start.
const startTimeout = 30 * time.Second

// Serve does what the lines of in ask for until in ends.
func Serve(in io.Reader, out io.Writer) error {
	p := &process{items: make(map[itemsKey][]*work.Item)}
	defer p.close()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	enc := json.NewEncoder(out)
	for lines.Scan() {
		var req request
		if err := json.Unmarshal(lines.Bytes(), &req); err != nil {
			return err
		}
		rep, err := p.handle(context.Background(), req)
		if err != nil {
			rep.Err = err.Error()
		}
		if err := enc.Encode(rep); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (p *process) handle(ctx context.Context, req request) (rep reply, err error) {
	switch {
	case req.Start != nil:
		return rep, p.start(ctx, *req.Start)
	case req.Origin != nil:
		p.table, rep.Addr, err = work.ServeOrigin(*req.Origin)
		return rep, err
	case req.Ready:
		rep.Ready = true
		if w, ok := p.system.(systems.Waiter); ok {
			rep.Ready, err = w.Ready(ctx)
		}
		return rep, err
	case req.Profile != nil:
		return rep, p.profileTo(*req.Profile)
	case req.Job != nil && req.Job.Work == "growth":
		rep.Growth, err = growth.Run(ctx, req.Job.Keys, req.Job.Duration)
		return rep, err
	case req.Job != nil && p.system != nil:
		job, ok := jobs[req.Job.Work]
		if !ok {
			return rep, fmt.Errorf("there is no work %q", req.Job.Work)
		}
		rep.Result, err = job(ctx, p, *req.Job)
		return rep, err
	}
	return rep, errors.New("nothing was started")
}

func (p *process) start(ctx context.Context, s systems.Spec) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p.spec = s
	if p.origin, err = work.OpenOrigin(s.Origin, s.Index); err != nil {
		return err
	}
	p.system, err = systems.Open(ctx, s, p.origin)
	return err
}

// profileTo begins a CPU profile in a file, or ends it if there is no name.
func (p *process) profileTo(file string) (err error) {
	if file == "" {
		pprof.StopCPUProfile()
		return p.profile.Close()
	}
	if p.profile, err = os.Create(file); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.profile)
}

func (p *process) close() {
	if p.table != nil {
		p.table.Close()
	}
	if p.system != nil {
		p.system.Close()
	}
	if p.origin != nil {
		p.origin.Close()
	}
}
