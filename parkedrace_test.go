package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// TestWrittenAfterADelete: a value that was written after its key was deleted here, as
// when the key was another member's meanwhile, is no deleted one.
func TestWrittenAfterADelete(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		n := newMesh(t, 1).nodes[0]
		ahead := uint64(time.Now().Add(time.Hour).UnixNano()) // another's clock
		hand(ctx, n, "g", packed(1, 0, "written", "v", "deleted", "v"))
		hand(ctx, n, "g", packed(ahead, 0, "by clock", "v"))
		for _, key := range []string{"written", "deleted", "by clock"} {
			ask(ctx, n, httppool.Request{Op: cachemesh.OpDelete, Group: "g", Key: key})
		}
		newer := packed(ahead+uint64(time.Hour), 0, "written", "v2")
		newer[1+len("written")+8] = 9 // the number of its primary
		hand(ctx, n, "g", newer)
		hand(ctx, n, "g", packed(2, 0, "deleted", "v2"))
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		mustGet(t, g, "written", "v2")
		for _, key := range []string{"deleted", "by clock"} {
			if v, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: %q, %v", key, v, err)
			}
		}
	})
}

// TestOnlyValuesAreLost: traces of Deletes, and what has expired or was deleted, are none.
func TestOnlyValuesAreLost(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		n := newMesh(t, 1).nodes[0]
		list := func() []byte {
			trace := packed(1, 0, "trace", "")
			trace[len(trace)-2] = 1
			return append(packed(1, time.Second, "mortal", "v"), append(packed(1, 0, "a", "v", "b", "v"), trace...)...)
		}
		for _, g := range []string{"loads", "old", "full"} {
			hand(ctx, n, g, list())
		}
		if got := n.Stats().Parked; got != 3*3 {
			t.Errorf("%d values are parked, want 9", got)
		}
		for _, g := range []string{"loads", "old", "full"} {
			ask(ctx, n, httppool.Request{Op: cachemesh.OpDelete, Group: g, Key: "b"})
		}
		time.Sleep(2 * time.Second)
		_, err := cachemesh.NewGroup(n, "loads", echoLoader, cachemesh.GroupOptions[string]{})
		must(t, err)
		if got := n.Stats().ParkedLost; got != 1 {
			t.Errorf("to a group with a loader: %d values are lost, want 1", got)
		}
		for i := 0; n.Stats().ParkedLost == 1 && i < 1<<20; i++ {
			ask(ctx, n, httppool.Request{Op: cachemesh.OpDelete, Group: "full", Key: fmt.Sprintf("%04000d", i)})
		}
		if got := n.Stats().ParkedLost; got != 2 {
			t.Errorf("no room to note what is deleted: %d values are lost, want 2", got)
		}
		time.Sleep(time.Minute)
		for hand(ctx, n, "others", packed(1, 0, "k", strings.Repeat("v", 1<<20))) == cachemesh.StatusOK && n.Stats().ParkedLost == 2 {
		}
		if got := n.Stats().ParkedLost; got != 3 {
			t.Errorf("made room: %d values are lost, want 3", got)
		}
	})
}
