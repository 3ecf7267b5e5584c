//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

// A process is a member as the controller sees it. It is a meshtest.Group: the
// member's group of rows.
type process struct {
	cmd   *exec.Cmd
	link  *link
	ready chan struct{} // closed when the member serves
	ended chan struct{} // closed when the process was waited for

	deletes tally
}

// A tally counts Deletes by their outcome, and notes the longest of each key.
type tally struct {
	applied, minority, failed atomic.Int64

	mu   sync.Mutex // guards took
	took map[string]time.Duration
}

func (t *tally) add(key string, took time.Duration, err error) {
	t.mu.Lock()
	if t.took == nil {
		t.took = make(map[string]time.Duration)
	}
	t.took[key] = max(t.took[key], took)
	t.mu.Unlock()
	pe, ok := errors.AsType[*cachemesh.PeerError](err)
	switch {
	case err == nil:
		t.applied.Add(1)
	case ok && pe.MaybeApplied && errors.Is(err, cachemesh.ErrMinority):
		t.minority.Add(1)
	default:
		t.failed.Add(1)
	}
}

const startTime = 15 * time.Second

// startProcess runs this program as member i in its namespace and waits until it
// has joined.
func (m *mesh) startProcess(ctx context.Context, i int) (*process, error) {
	c := memberConfig{
		Name: meshtest.HostName(i), Listen: net.JoinHostPort(m.net.addr(i), "3000"), Control: m.control.Addr().String(),
		Secret: m.secret, Accept: m.accept, Verbose: m.verbose,
	}
	for s := range 3 {
		c.Bootstrap = append(c.Bootstrap, net.JoinHostPort(m.net.addr(s), "3000"))
	}
	if m.members[0] == nil { // nobody is there yet
		c.JoinTimeout = 100 * time.Millisecond
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{ready: make(chan struct{}), ended: make(chan struct{})}
	// The ip command becomes the program, so signals reach that.
	p.cmd = exec.Command("ip", "netns", "exec", m.net.space(i), self)
	p.cmd.Env = append(os.Environ(), memberEnv+"="+string(config))
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the controller alone
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	if err := m.connect(ctx, p); err != nil {
		p.kill()
		return nil, fmt.Errorf("starting member %d: %w", i, err)
	}
	return p, nil
}

// connect takes the member's call and waits for its hello. Members are started
// one after the other, so the next caller is this one.
func (m *mesh) connect(ctx context.Context, p *process) error {
	m.control.SetDeadline(time.Now().Add(startTime))
	conn, err := m.control.Accept()
	if err != nil {
		return err
	}
	p.link = newLink(conn, func(q message) (a message) {
		if q.Kind == kindHello {
			close(p.ready)
			return a
		}
		m.countLoad(q.Key)
		v, err := m.origin.Load(context.Background(), q.Key)
		a.Value = v
		a.fail(err)
		return a
	})
	m.work.Go(func() { p.link.run(json.NewDecoder(conn)) })
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		return errGone
	case <-timer.C:
		return errors.New("it does not serve")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// stop suspends the process with SIGSTOP and waits until all its threads stand
// still, which takes a moment on a busy machine.
func (p *process) stop(ctx context.Context) error {
	p.signal(syscall.SIGSTOP)
	for !p.stopped() {
		if err := wait(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) stopped() bool {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
	if err != nil || len(stats) == 0 {
		return false
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		// The state follows the name, which is in parentheses and may contain any.
		if i := bytes.LastIndexByte(stat, ')'); i < 0 || !bytes.HasPrefix(stat[i:], []byte(") T")) {
			return false
		}
	}
	return true
}

// resume ends stop.
func (p *process) resume() { p.signal(syscall.SIGCONT) }

// kill ends the process as kill -9 does, and waits for it.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
	if p.link != nil {
		p.link.conn.Close()
	}
}

// Get, Set and Delete are those of the member's group.
func (p *process) Get(ctx context.Context, key string) (int, error) {
	a, err := p.ask(ctx, message{Kind: kindGet, Key: key})
	return a.Value, err
}

func (p *process) Set(ctx context.Context, key string, v int, _ time.Duration) error {
	_, err := p.ask(ctx, message{Kind: kindSet, Key: key, Value: v})
	return err
}

func (p *process) Delete(ctx context.Context, keys ...string) error {
	began := time.Now()
	_, err := p.ask(ctx, message{Kind: kindDelete, Key: keys[0]})
	p.deletes.add(keys[0], time.Since(began), err)
	return err
}

// ask asks with ctx's deadline, which counts on the member from when it reads the
// question: one that stood still answers afterwards.
func (p *process) ask(ctx context.Context, m message) (message, error) {
	if deadline, ok := ctx.Deadline(); ok {
		m.Timeout = max(time.Until(deadline), time.Millisecond)
	}
	return p.link.ask(context.WithoutCancel(ctx), m)
}
