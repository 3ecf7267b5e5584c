// Package mesh starts a few members in one process, for examples. A real service
// starts one per process.
package mesh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A Mesh is a few members on the loopback interface.
type Mesh struct{ Nodes []*cachemesh.Node }

// Start starts members and calls register for each before it serves, so that no
// member is asked for a group that it does not know. It returns when all of them
// agree on who owns what. A service need not wait for that; these examples do,
// because they count what reaches the origin, and until then values are loaded
// but not kept.
func Start(members int, register func(i int, n *cachemesh.Node) error) (*Mesh, error) {
	m := &Mesh{}
	var probe *cachemesh.Group[string]
	for i := range members {
		o := cachemesh.Options{Name: fmt.Sprint("member-", i)}
		if i > 0 {
			o.BootstrapNodes = []string{m.Nodes[0].Addr()}
		}
		n, err := cachemesh.New(o)
		if err == nil {
			m.Nodes = append(m.Nodes, n)
			probe, err = cachemesh.NewGroup[string](n, "mesh probe", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		}
		if err == nil {
			err = register(i, n)
		}
		if err == nil {
			err = n.Start()
		}
		if err != nil {
			return nil, errors.Join(err, m.Stop())
		}
	}
	if err := m.settle(probe); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

const (
	patience  = 10 * time.Second
	probeKeys = 256 // enough to meet keys of every member
)

// settle waits until every member sees all of them, and until a write that every
// owner has a part in is answered: that is once they agree.
func (m *Mesh) settle(probe *cachemesh.Group[string]) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, n := range m.Nodes {
		for len(n.Members()) != len(m.Nodes) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("%s sees %d of %d members: %w", n.Name(), len(n.Members()), len(m.Nodes), ctx.Err())
			}
		}
	}
	keys := make([]string, probeKeys)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	return probe.Delete(ctx, keys...)
}

// Stop shuts all members down, side by side.
func (m *Mesh) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	errs := make([]error, len(m.Nodes))
	var all sync.WaitGroup
	for i, n := range m.Nodes {
		all.Go(func() { errs[i] = n.Shutdown(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
