//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh"
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

// wait returns ctx's error if it was cut short.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// loads counts the calls of the loader by key.
type loads struct {
	mu    sync.Mutex // guards byKey
	byKey map[string]int
}

func (l *loads) count(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byKey == nil {
		l.byKey = make(map[string]int)
	}
	l.byKey[key]++
}

// soFar returns how often each key was loaded, on whichever member.
func (l *loads) soFar() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.byKey)
}

// agree reports whether members see exactly those of these names.
func agree(ctx context.Context, members []*process, want []string) bool {
	for _, p := range members {
		a, err := p.ask(ctx, message{Kind: kindMembers})
		slices.Sort(a.Names)
		if err != nil || !slices.Equal(a.Names, want) {
			return false
		}
	}
	return true
}
