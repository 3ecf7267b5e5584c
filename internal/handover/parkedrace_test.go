package handover_test

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
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
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
		kit.Hand(ctx, n, "g", kit.Packed(1, 0, pairs...))
	}
	return keys
}

// TestDeleteWhileParkedValuesAreFetched: a Delete that is told that the group is not
// known has reached what is parked, at whatever moment of the registration it comes.
func TestDeleteWhileParkedValuesAreFetched(t *testing.T) {
	m, ctx := kit.New(t, 1), t.Context()
	n := m.Nodes[0]
	keys := manyParked(ctx, n)
	var done atomic.Bool
	var deleted []string
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; !done.Load(); i++ {
			key := keys[i*7919%len(keys)]
			got := kit.Ask(ctx, n, httppool.Request{Op: wire.OpDelete, Group: "g", Key: key})
			if got.Status == wire.StatusUnknownGroup || got.Status == wire.StatusOK {
				deleted = append(deleted, key)
			}
		}
	})
	g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	done.Store(true)
	all.Wait()
	kit.Must(t, err)
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
	m, ctx := kit.New(t, 1), t.Context()
	n := m.Nodes[0]
	keys := manyParked(ctx, n)
	var made [4]*cachemesh.Group[string]
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() {
			made[i], _ = cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		})
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
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		if got := seam.Inside(m.Nodes[0]).Park("g", kit.Packed(1, 0, "key", "v")); got == wire.StatusOK {
			t.Error("it is parked")
		}
		if bytes, _ := seam.Inside(m.Nodes[0]).Parked(); bytes > 0 {
			t.Errorf("%d bytes are parked", bytes)
		}
	})
}

// TestDeleteOfAnothersKey: a member that does not know the group and does not own the key
// must not say that it holds nothing: it may have handed it over a moment ago.
func TestDeleteOfAnothersKey(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		key := m.KeyOf("g", 1)
		for name, req := range map[string]httppool.Request{
			"Delete":         {Op: wire.OpDelete, Key: key},
			"Delete of many": {Op: wire.OpDeleteMany, Value: append([]byte{byte(len(key))}, key...)},
			"Clear":          {Op: wire.OpClear, View: seam.Inside(m.Nodes[0]).ViewID() + 1},
		} {
			req.Group = "g"
			if got := kit.Ask(ctx, m.Nodes[0], req); got.Status == wire.StatusUnknownGroup {
				t.Errorf("%s passes for done", name)
			}
		}
	})
}

// TestWrittenAfterADelete: a value that was written after its key was deleted here, as
// when the key was another member's meanwhile, is no deleted one.
func TestWrittenAfterADelete(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		n := kit.New(t, 1).Nodes[0]
		ahead := uint64(time.Now().Add(time.Hour).UnixNano()) // another's clock
		kit.Hand(ctx, n, "g", kit.Packed(1, 0, "written", "v", "deleted", "v"))
		kit.Hand(ctx, n, "g", kit.Packed(ahead, 0, "by clock", "v"))
		for _, key := range []string{"written", "deleted", "by clock"} {
			kit.Ask(ctx, n, httppool.Request{Op: wire.OpDelete, Group: "g", Key: key})
		}
		newer := kit.Packed(ahead+uint64(time.Hour), 0, "written", "v2")
		newer[1+len("written")+8+4] = 9 // the number of its primary
		kit.Hand(ctx, n, "g", newer)
		kit.Hand(ctx, n, "g", kit.Packed(2, 0, "deleted", "v2"))
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		kit.MustGet(t, g, "written", "v2")
		for _, key := range []string{"deleted", "by clock"} {
			if v, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: %q, %v", key, v, err)
			}
		}
	})
}

// TestOnlyValuesAreLost: traces of Deletes, and what has expired or was deleted, are none.
func TestOnlyValuesAreLost(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		n := kit.New(t, 1).Nodes[0]
		list := func() []byte {
			trace := kit.Packed(1, 0, "trace", "")
			trace[len(trace)-2] = 1
			return append(kit.Packed(1, time.Second, "mortal", "v"), append(kit.Packed(1, 0, "a", "v", "b", "v"), trace...)...)
		}
		for _, g := range []string{"loads", "old", "full"} {
			kit.Hand(ctx, n, g, list())
		}
		if got := n.Stats().Parked; got != 3*3 {
			t.Errorf("%d values are parked, want 9", got)
		}
		for _, g := range []string{"loads", "old", "full"} {
			kit.Ask(ctx, n, httppool.Request{Op: wire.OpDelete, Group: g, Key: "b"})
		}
		time.Sleep(2 * time.Second)
		_, err := cachemesh.NewGroup(n, "loads", kit.Echo, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		if got := n.Stats().ParkedLost; got != 1 {
			t.Errorf("to a group with a loader: %d values are lost, want 1", got)
		}
		for i := 0; n.Stats().ParkedLost == 1 && i < 1<<20; i++ {
			kit.Ask(ctx, n, httppool.Request{Op: wire.OpDelete, Group: "full", Key: fmt.Sprintf("%04000d", i)})
		}
		if got := n.Stats().ParkedLost; got != 2 {
			t.Errorf("no room to note what is deleted: %d values are lost, want 2", got)
		}
		time.Sleep(time.Minute)
		for kit.Hand(ctx, n, "others", kit.Packed(1, 0, "k", strings.Repeat("v", 1<<20))) == wire.StatusOK && n.Stats().ParkedLost == 2 {
		}
		if got := n.Stats().ParkedLost; got != 3 {
			t.Errorf("made room: %d values are lost, want 3", got)
		}
	})
}
