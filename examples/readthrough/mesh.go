package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A mesh is the member processes of this run. It is used by one goroutine.
type mesh struct {
	processes []*process
	clients   []*client // by index in processes
}

// startMesh starts n members over the database of dsn: the first alone, the
// others together, each knowing the first. It returns when every member sees all.
// tempDir, if not empty, is removed by the members should this process die.
func startMesh(ctx context.Context, n int, dsn, tempDir string) (*mesh, error) {
	m := &mesh{processes: make([]*process, n)}
	config := func(i int, bootstrap ...string) memberConfig {
		return memberConfig{Name: fmt.Sprintf("member-%d", i+1), DSN: dsn, Bootstrap: bootstrap, TempDir: tempDir}
	}
	errs := make([]error, n)
	m.processes[0], errs[0] = startProcess(ctx, config(0))
	if errs[0] != nil {
		return nil, errs[0]
	}
	var starting sync.WaitGroup
	for i := 1; i < n; i++ {
		starting.Go(func() {
			m.processes[i], errs[i] = startProcess(ctx, config(i, m.processes[0].ready.Peer))
		})
	}
	starting.Wait()
	err := errors.Join(errs...)
	if err == nil {
		for _, p := range m.processes {
			m.clients = append(m.clients, newClient(p.name, p.ready.HTTP))
		}
		err = m.awaitView(ctx, n)
	}
	if err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

const (
	viewPoll = 20 * time.Millisecond
	viewTime = 15 * time.Second
)

// awaitView returns when every living member sees exactly n members.
func (m *mesh) awaitView(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, viewTime, fmt.Errorf("the members did not agree on %d members in %v", n, viewTime))
	defer cancel()
	tick := time.NewTicker(viewPoll)
	defer tick.Stop()
	for {
		if m.agrees(ctx, n) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (m *mesh) agrees(ctx context.Context, n int) bool {
	for i, c := range m.clients {
		if !m.processes[i].alive() {
			continue
		}
		s, err := c.stats(ctx)
		if err != nil || len(s.Members) != n {
			return false
		}
	}
	return true
}

// stats asks every living member.
func (m *mesh) stats(ctx context.Context) ([]memberStats, error) {
	var all []memberStats
	for i, c := range m.clients {
		if !m.processes[i].alive() {
			continue
		}
		s, err := c.stats(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// stop ends all members and waits for their end.
func (m *mesh) stop() error {
	// A server that shuts down waits 5 s for a connection that was never used.
	for _, c := range m.clients {
		c.close()
	}
	errs := make([]error, len(m.processes))
	var stopping sync.WaitGroup
	for i, p := range m.processes {
		if p != nil {
			stopping.Go(func() { errs[i] = p.stop() })
		}
	}
	stopping.Wait()
	return errors.Join(errs...)
}
