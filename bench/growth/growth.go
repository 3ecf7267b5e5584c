// Package growth measures how the cost of CacheMesh changes with the number of
// its members, all of them in one process.
package growth

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// Result is what was measured with one number of members.
type Result struct {
	Members     int
	AllJoined   time.Duration // from the start of the first until all see all, started together
	OneMore     time.Duration // from the start of one more until all see it
	GetHere     *work.Result  // Gets of keys owned by the caller's member
	GetAnywhere *work.Result  // Gets of keys owned by anyone, 64 callers
	SetAnywhere *work.Result  // Sets of such keys, 64 callers
	PacketRate  float64       // gossip packets a second sent by one member, idle
	ByteRate    float64       // bytes a second in them
	IdleCPU     float64       // share of a core that one idle member takes
	SessionsCPU float64       // the same, while each member holds copies of every other's keys
	Held        []HeldWrites
}

const (
	valueSize = 128
	keys      = 2000
	callers   = 64
	maxBytes  = 16 << 20
	settled   = 2 * time.Millisecond // between looks at the views
	patience  = 60 * time.Second
)

// A mesh is a number of members in this process.
type mesh struct {
	meter  meter
	nodes  []*cachemesh.Node
	groups []*cachemesh.Group[[]byte] // without copies
	held   []*cachemesh.Group[[]byte] // with copies of what others own, from the first read on

	ownHeld   []string // keys of held that the first member owns
	keysOfAll []string // keys of held of all members
}

// Run starts members and one more, and measures each cost for the duration.
func Run(ctx context.Context, members int, d time.Duration) (*Result, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m := &mesh{}
	defer m.close()
	r := &Result{Members: members}
	var err error
	if r.AllJoined, err = m.startAll(ctx, members-1); err != nil {
		return nil, err
	}
	if r.OneMore, err = m.startOne(ctx); err != nil {
		return nil, err
	}
	if err := m.measureGossip(ctx, d, r); err != nil {
		return nil, err
	}
	if err := m.measureCalls(ctx, d, r); err != nil {
		return nil, err
	}
	if err := m.pickKeys(); err != nil {
		return nil, err
	}
	if err := m.measureIdle(ctx, d, r); err != nil {
		return nil, err
	}
	return r, m.measureHeld(ctx, r)
}

func (m *mesh) add(seeds []string) (*cachemesh.Node, error) {
	node, err := cachemesh.New(cachemesh.Options{
		Name: fmt.Sprintf("member-%d", len(m.nodes)), BootstrapNodes: seeds, RequireJoin: true, Network: &m.meter,
	})
	if err != nil {
		return nil, err
	}
	m.nodes = append(m.nodes, node)
	held, err := cachemesh.NewGroup(node, heldGroup, func(context.Context, string) ([]byte, error) { return []byte("a value"), nil },
		cachemesh.GroupOptions[[]byte]{MaxBytes: maxBytes, HotReads: 1})
	if err != nil {
		return nil, err
	}
	m.held = append(m.held, held)
	group, err := cachemesh.NewGroup(node, "growth", func(_ context.Context, key string) ([]byte, error) {
		it, err := work.ParseKey(key)
		if err != nil {
			return nil, err
		}
		return it.Value(0, 0), nil
	}, cachemesh.GroupOptions[[]byte]{MaxBytes: maxBytes, NoHotCopies: true})
	m.groups = append(m.groups, group)
	return node, err
}

// startAll starts n members, all but the first at the same time.
func (m *mesh) startAll(ctx context.Context, n int) (time.Duration, error) {
	start := time.Now()
	first, err := m.add(nil)
	if err == nil {
		err = first.Start()
	}
	if err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for range n - 1 {
		node, err := m.add([]string{first.Addr()})
		if err != nil {
			return 0, err
		}
		wg.Go(func() {
			if err := node.Start(); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return 0, err
	}
	return m.converged(ctx, start)
}

func (m *mesh) startOne(ctx context.Context) (time.Duration, error) {
	node, err := m.add([]string{m.nodes[0].Addr()})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := node.Start(); err != nil {
		return 0, err
	}
	return m.converged(ctx, start)
}

// converged waits until every member sees all and returns the time since start.
func (m *mesh) converged(ctx context.Context, start time.Time) (time.Duration, error) {
	tick := time.NewTicker(settled)
	defer tick.Stop()
	for {
		seen := 0
		for _, node := range m.nodes {
			if len(node.Members()) == len(m.nodes) {
				seen++
			}
		}
		if seen == len(m.nodes) {
			return time.Since(start), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d members see all: %w", seen, len(m.nodes), ctx.Err())
		}
	}
}

func (m *mesh) close() {
	var wg sync.WaitGroup
	for _, node := range m.nodes {
		wg.Go(func() { node.Close() })
	}
	wg.Wait()
}
