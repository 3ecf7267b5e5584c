package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
)

// manyParked parks values of "g", so many that to register the group takes a while.
func manyParked(ctx context.Context, n *cachemesh.Node) (keys []string) {
	const lists, values = 200, 500
	for i := range lists {
		var pairs []string
		for j := range values {
			keys = append(keys, fmt.Sprint("key ", i, " ", j))
			pairs = append(pairs, keys[len(keys)-1], "v")
		}
		hand(ctx, n, "g", packed(1, 0, pairs...))
	}
	return keys
}

// TestDeleteWhileParkedValuesAreFetched: a Delete that is told that the group is not
// known has reached what is parked, at whatever moment of the registration it comes.
func TestDeleteWhileParkedValuesAreFetched(t *testing.T) {
	m, ctx := newMesh(t, 1), t.Context()
	n := m.nodes[0]
	keys := manyParked(ctx, n)
	var done atomic.Bool
	var deleted []string
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; !done.Load(); i++ {
			key := keys[i*7919%len(keys)]
			got := ask(ctx, n, httppool.Request{Op: cachemesh.OpDelete, Group: "g", Key: key})
			if got.Status == cachemesh.StatusUnknownGroup || got.Status == cachemesh.StatusOK {
				deleted = append(deleted, key)
			}
		}
	})
	g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
	done.Store(true)
	all.Wait()
	must(t, err)
	back := 0
	for _, key := range deleted {
		if _, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
			back++
		}
	}
	if back > 0 {
		t.Errorf("%d of %d deleted keys came back", back, len(deleted))
	}
}

// TestOneGroupOfANameHasWhatIsParked: of several that are registered at once under one
// name one is, and has all that was parked.
func TestOneGroupOfANameHasWhatIsParked(t *testing.T) {
	m, ctx := newMesh(t, 1), t.Context()
	n := m.nodes[0]
	keys := manyParked(ctx, n)
	var made [4]*cachemesh.Group[string]
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() { made[i], _ = cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{}) })
	}
	all.Wait()
	groups := 0
	for _, g := range made {
		if g == nil {
			continue
		}
		groups++
		if n := missing(t, ctx, g, keys); n > 0 {
			t.Errorf("%d of %d values that were parked are lost", n, len(keys))
		}
	}
	if groups != 1 {
		t.Errorf("%d groups were registered", groups)
	}
}

// TestHandOverWhileTheGroupIsRegistered: what comes for a group that is there since a
// moment ago is not parked, for nobody would fetch it.
func TestHandOverWhileTheGroupIsRegistered(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})
		if got := cachemesh.Park(m.nodes[0], "g", packed(1, 0, "key", "v")); got == cachemesh.StatusOK {
			t.Error("it is parked")
		}
		if bytes, _ := cachemesh.ParkedBytes(m.nodes[0]); bytes > 0 {
			t.Errorf("%d bytes are parked", bytes)
		}
	})
}

// TestDeleteOfAnothersKey: a member that does not know the group and does not own the key
// must not say that it holds nothing: it may have handed it over a moment ago.
func TestDeleteOfAnothersKey(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		key := m.keyOf("g", 1)
		for name, req := range map[string]httppool.Request{
			"Delete":         {Op: cachemesh.OpDelete, Key: key},
			"Delete of many": {Op: cachemesh.OpDeleteMany, Value: append([]byte{byte(len(key))}, key...)},
			"Clear":          {Op: cachemesh.OpClear, View: cachemesh.ViewID(m.nodes[0]) + 1},
		} {
			req.Group = "g"
			if got := ask(ctx, m.nodes[0], req); got.Status == cachemesh.StatusUnknownGroup {
				t.Errorf("%s passes for done", name)
			}
		}
	})
}
