package cachemeshtest

import (
	"context"
	"fmt"

	"github.com/praveenduddu/cachemesh"
)

// Group registers a group with every member, and with those that are added or
// restarted later. load returns the loader of one member, so that a test can
// tell who loaded; a nil load makes a plain distributed map. It returns a
// function that gives the group of member i, on its present node or, if it does
// not run, on its last one. It ends the test if the group cannot be registered.
func Group[V any](c *Cluster, name string, load func(member int) cachemesh.LoaderFunc[V], opts cachemesh.GroupOptions[V]) func(i int) *cachemesh.Group[V] {
	c.t.Helper()
	groups := make(map[int]*cachemesh.Group[V]) // by member; guarded by c.mu
	register := func(i int, n *cachemesh.Node) error {
		var loader cachemesh.LoaderFunc[V]
		if load != nil {
			loader = marked(c.mark, load(i))
		}
		g, err := cachemesh.NewGroup(n, name, loader, opts)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		groups[i] = g
		return nil
	}
	if err := c.addGroup(register); err != nil {
		c.t.Fatal(fmt.Errorf("cachemeshtest: group %q: %w", name, err))
	}
	return func(i int) *cachemesh.Group[V] {
		c.mu.Lock()
		defer c.mu.Unlock()
		return groups[i]
	}
}

// marked runs a loader under the cluster's mark, whoever called it.
func marked[V any](m mark, load cachemesh.LoaderFunc[V]) cachemesh.LoaderFunc[V] {
	if load == nil {
		return nil
	}
	return func(ctx context.Context, key string) (v V, err error) {
		m.do(func() { v, err = load(ctx, key) })
		return v, err
	}
}

// addGroup registers a group with the members that run, and remembers it for
// those that start later.
func (c *Cluster) addGroup(register func(int, *cachemesh.Node) error) error {
	c.starting.Lock() // so that no member misses it, or gets it twice
	defer c.starting.Unlock()
	c.mu.Lock()
	c.register = append(c.register, register)
	running := make(map[int]*cachemesh.Node)
	for i, m := range c.members {
		if m.running {
			running[i] = m.node
		}
	}
	c.mu.Unlock()
	for i, n := range running {
		var err error
		c.mark.do(func() { err = register(i, n) })
		if err != nil {
			return err
		}
	}
	return nil
}
