//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

// A mesh is the processes of one scenario and what they need.
type mesh struct {
	findings
	net     *network
	dir     string
	control *net.UnixListener
	origin  *meshtest.Origin
	verbose bool
	work    sync.WaitGroup // links
	loads   loads          // of all members

	secret []byte // of processes that start from now on
	accept [][]byte

	mu      sync.Mutex // guards the fields below
	members []*process
	down    []bool // what callers do not use
}

// killAll kills what runs.
func (m *mesh) killAll() {
	for i := range m.members {
		if p := m.member(i); p != nil {
			p.kill()
		}
	}
}

// close kills what runs and removes what was made.
func (m *mesh) close() {
	m.killAll()
	m.work.Wait()
	if m.control != nil {
		m.control.Close()
	}
	if m.net != nil {
		if err := m.net.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "faults: cleaning up:", err)
		}
	}
	os.RemoveAll(m.dir)
}

func (m *mesh) all() []int {
	all := make([]int, len(m.members))
	for i := range all {
		all[i] = i
	}
	return all
}

func (m *mesh) member(i int) *process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.members[i]
}

// kill ends member i at once.
func (m *mesh) kill(i int) {
	m.mu.Lock()
	m.down[i] = true
	p := m.members[i]
	m.mu.Unlock()
	p.kill()
}

// group returns member i for callers, nil while it is down.
func (m *mesh) group(i int) meshtest.Group {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down[i] {
		return nil
	}
	return m.members[i]
}

const pollEvery = 20 * time.Millisecond

// await waits until these members see exactly each other and nobody acts by an
// older view. It returns how long that took.
func (m *mesh) await(ctx context.Context, which []int, within time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	var want []string
	var members []*process
	for _, i := range which {
		want, members = append(want, meshtest.HostName(i)), append(members, m.member(i))
	}
	for !agree(ctx, members, want) {
		if err := wait(ctx, pollEvery); err != nil {
			return time.Since(began), fmt.Errorf("members %v do not see each other: %w", which, err)
		}
	}
	err := m.settled(ctx, which[0])
	return time.Since(began), err
}

// settled waits until no member acts by an older view than this one, and none that it
// can reach takes itself for part of a minority still.
func (m *mesh) settled(ctx context.Context, i int) error {
	for {
		_, err := m.member(i).ask(ctx, message{Kind: kindSettled})
		if !errors.Is(err, cachemesh.ErrMinority) || wait(ctx, pollEvery) != nil {
			return err
		}
	}
}

// except returns the members but these.
func (m *mesh) except(these ...int) []int {
	return slices.DeleteFunc(m.all(), func(i int) bool { return slices.Contains(these, i) })
}

// leave shuts member i down in order.
func (m *mesh) leave(ctx context.Context, i int) error {
	m.mu.Lock()
	m.down[i] = true
	p := m.members[i]
	m.mu.Unlock()
	_, err := p.ask(ctx, message{Kind: kindLeave})
	p.kill()
	return err
}

// findings are the lines of a scenario's table.
type findings struct{ results []result }

// report adds a line to the table.
func (f *findings) report(ok bool, want, figure string, args ...any) {
	f.results = append(f.results, result{figure: fmt.Sprintf(figure, args...), want: want, ok: ok})
}

var errNoHolder = errors.New("no member came to hold a copy of the key")

// hold makes a member other than not hold a copy of a key, and returns it.
func (m *mesh) hold(ctx context.Context, key string, not int) (holder int, err error) {
	for _, i := range m.all() {
		if i == not {
			continue
		}
		p := m.member(i)
		before, err := p.ask(ctx, message{Kind: kindHotHits})
		if err != nil {
			return 0, err
		}
		for range 10 {
			if _, err := p.Get(ctx, key); err != nil {
				return 0, err
			}
		}
		after, err := p.ask(ctx, message{Kind: kindHotHits})
		if err != nil {
			return 0, err
		}
		if after.Value > before.Value {
			return i, nil
		}
	}
	return 0, errNoHolder
}

// A result is a line of the table.
type result struct {
	figure, want string
	ok           bool
}
