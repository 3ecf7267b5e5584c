package kit

import (
	"context"
	"errors"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

// An Outcome is what a Get on a goroutine of its own returned.
type Outcome struct {
	V   string
	Err error
}

// GoGet gets a key on a goroutine of its own.
func GoGet(ctx context.Context, g *cachemesh.Group[string], key string) <-chan Outcome {
	c := make(chan Outcome, 1)
	go func() {
		v, err := g.Get(ctx, key)
		c <- Outcome{v, err}
	}()
	return c
}

// GroupOn registers a group on every node.
func GroupOn[V any](m *Mesh, name string, load cachemesh.LoaderFunc[V], o cachemesh.GroupOptions[V]) []*cachemesh.Group[V] {
	m.T.Helper()
	groups := make([]*cachemesh.Group[V], len(m.Nodes))
	for i, n := range m.Nodes {
		g, err := cachemesh.NewGroup(n, name, load, o)
		if err != nil {
			m.T.Fatal(err)
		}
		groups[i] = g
	}
	return groups
}

// GroupOnEach is GroupOn with a loader for each node.
func GroupOnEach[V any](m *Mesh, name string, load func(node int) cachemesh.LoaderFunc[V], o cachemesh.GroupOptions[V]) []*cachemesh.Group[V] {
	m.T.Helper()
	groups := make([]*cachemesh.Group[V], len(m.Nodes))
	for i, n := range m.Nodes {
		var err error
		if groups[i], err = cachemesh.NewGroup(n, name, load(i), o); err != nil {
			m.T.Fatal(err)
		}
	}
	return groups
}

// MustGet ends the test if a Get of the key does not return want.
func MustGet[V comparable](t testing.TB, g *cachemesh.Group[V], key string, want V) {
	t.Helper()
	if got, err := g.Get(Context(t), key); err != nil || got != want {
		t.Fatalf("Get(%.40q) = %v, %v, want %v", key, got, err, want)
	}
}

// WantNotFound ends the test if a Get of the key finds something or fails.
func WantNotFound[V any](t *testing.T, g *cachemesh.Group[V], key string) {
	t.Helper()
	if v, err := g.Get(Context(t), key); !errors.Is(err, cachemesh.ErrNotFound) {
		t.Fatalf("Get = %v, %v, want ErrNotFound", v, err)
	}
}
