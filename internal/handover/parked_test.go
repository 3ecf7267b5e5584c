package handover_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// loggedMesh is a mesh of one whose log goes to the recorder.
func loggedMesh(t *testing.T) (*kit.Mesh, *kit.Log) {
	logs := new(kit.Log)
	return kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() }), logs
}

// TestParkingIsBounded hands over values of groups that nobody registered: what is
// kept has a bound in groups and in bytes, and what is not is counted and logged.
func TestParkingIsBounded(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, logs := loggedMesh(t)
		n := m.Nodes[0]
		for i := range 10_000 {
			if s := kit.Hand(ctx, n, fmt.Sprint("empty", i), nil); s != wire.StatusOK {
				t.Fatalf("an empty list: status %d", s)
			}
		}
		if bytes, groups := seam.Inside(n).Parked(); bytes != 0 || groups != 0 {
			t.Errorf("empty lists: %d bytes for %d groups are kept", bytes, groups)
		}
		refused := 0
		for i := range 10_000 {
			if kit.Hand(ctx, n, fmt.Sprint("invented", i), kit.Packed(1, 0, "k", "v")) == wire.StatusOverloaded {
				refused++
			}
		}
		if _, groups := seam.Inside(n).Parked(); groups != 256 || refused != 10_000-256 {
			t.Errorf("invented names: %d groups are kept, %d lists refused", groups, refused)
		}
		big := kit.Packed(1, 0, "k", strings.Repeat("v", 1<<20))
		for range 100 {
			kit.Hand(ctx, n, "invented1", big)
		}
		for i := range 100_000 { // keys that were deleted meanwhile
			kit.Ask(ctx, n, httppool.Request{Op: wire.OpDelete, Group: "invented2", Key: fmt.Sprintf("%0200d", i)})
		}
		if bytes, _ := seam.Inside(n).Parked(); bytes > 64<<20 || bytes < 62<<20 {
			t.Errorf("%d bytes are kept, want 64 MiB at most", bytes)
		}
		if kit.Hand(ctx, n, "malformed", []byte("x")) != wire.StatusInvalid {
			t.Error("a malformed list was taken")
		}
		s := n.Stats()
		if s.Parked == 0 || s.Parked > 256+64 || s.ParkedLost != 1 { // whoever was refused has its values yet
			t.Errorf("%d values parked, %d lost", s.Parked, s.ParkedLost)
		}
		if lines := logs.Count("not registered"); lines != 1 {
			t.Errorf("%d log lines about it, want 1", lines)
		}
		// They wait for their groups, but those of others are not refused for that.
		time.Sleep(time.Hour)
		if later := n.Stats(); later.Parked != s.Parked {
			t.Errorf("later: %d values parked, %d before", later.Parked, s.Parked)
		}
		for i := range 200 {
			if status := kit.Hand(ctx, n, fmt.Sprint("real", i), kit.Packed(1, 0, "k", "v")); status != wire.StatusOK {
				t.Errorf("later: status %d", status)
			}
		}
		if later := n.Stats(); later.Parked != 200 || later.ParkedLost != s.ParkedLost+uint64(s.Parked) {
			t.Errorf("later: %d values parked, %d lost", later.Parked, later.ParkedLost)
		}
		seam.Inside(n).FlushLog()
		if lines := logs.Count("not registered"); lines < 2 {
			t.Errorf("%d log lines about it in the end, want one more", lines)
		}
	})
}

// TestParkedInTime registers a group late: its values have waited, but for those whose
// TTL has passed.
func TestParkedInTime(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, logs := loggedMesh(t)
		n := m.Nodes[0]
		kit.Hand(ctx, n, "g", kit.Packed(1, 0, "old", "v"))
		kit.Hand(ctx, n, "gone", kit.Packed(1, time.Second, "k", "v"))
		time.Sleep(time.Hour)
		if bytes, groups := seam.Inside(n).Parked(); groups != 1 || bytes == 0 {
			t.Errorf("%d bytes for %d groups are kept, want those of one", bytes, groups)
		}
		kit.Hand(ctx, n, "g", kit.Packed(1, 0, "new", "v", "short", "v"))
		kit.Hand(ctx, n, "g", kit.Packed(1, 3*time.Second, "mortal", "v"))
		time.Sleep(2 * time.Second)
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		kit.MustGet(t, g, "new", "v")
		kit.MustGet(t, g, "mortal", "v")
		seam.Inside(n).FlushLog()
		kit.MustGet(t, g, "old", "v")
		if n.Stats().ParkedLost != 0 || logs.Count("not registered") != 0 {
			t.Errorf("%d lost, %d log lines", n.Stats().ParkedLost, logs.Count("not registered"))
		}
		time.Sleep(time.Second) // the time in which it was parked counts
		if _, err := g.Get(ctx, "mortal"); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("mortal: %v", err)
		}
		if bytes, groups := seam.Inside(n).Parked(); bytes != 0 || groups != 0 {
			t.Errorf("%d bytes for %d groups are kept", bytes, groups)
		}
	})
}

// TestDeleteReachesParkedValues deletes keys of a group before it is registered:
// they must not come back with what was parked.
func TestDeleteReachesParkedValues(t *testing.T) {
	for name, req := range map[string]httppool.Request{
		"Delete":           {Op: wire.OpDelete, Key: "a"},
		"Delete of many":   {Op: wire.OpDeleteMany, Value: []byte("\x01a\x01c")},
		"malformed Delete": {Op: wire.OpDeleteMany, Value: []byte("\x09a")},
		"Clear":            {Op: wire.OpClear},
	} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 1)
			n := m.Nodes[0]
			kit.Hand(ctx, n, "g", kit.Packed(1, 0, "a", "v", "b", "v"))
			req.Group, req.View = "g", seam.Inside(n).ViewID()
			if got := kit.Ask(ctx, n, req); got.Status != wire.StatusUnknownGroup {
				t.Errorf("%s: status %d", name, got.Status)
			}
			kit.Hand(ctx, n, "g", kit.Packed(2, 0, "d", "v")) // what comes later is not deleted
			g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
			kit.Must(t, err)
			if v, err := g.Get(ctx, "a"); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: a deleted key came back: %q, %v", name, v, err)
			}
			kit.MustGet(t, g, "d", "v")
			if req.Op == wire.OpDelete || name == "Delete of many" {
				kit.MustGet(t, g, "b", "v")
			}
		})
	}
}
