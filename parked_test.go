package cachemesh_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
)

// packed makes a list of values as they are handed over.
func packed(version uint64, left time.Duration, pairs ...string) (list []byte) {
	for i := 0; i < len(pairs); i += 2 {
		list = binary.AppendUvarint(list, uint64(len(pairs[i])))
		list = append(list, pairs[i]...)
		list = binary.LittleEndian.AppendUint64(list, version)
		list = append(list, 0) // the number of its primary
		list = binary.AppendUvarint(list, uint64(left))
		list = append(list, 0)
		list = binary.AppendUvarint(list, uint64(len(pairs[i+1])))
		list = append(list, pairs[i+1]...)
	}
	return list
}

// hand hands a list over to a node, as a peer does, and returns the status.
func hand(ctx context.Context, n *cachemesh.Node, group string, list []byte) uint8 {
	return ask(ctx, n, httppool.Request{Op: cachemesh.OpHandOver, Group: group, View: cachemesh.ViewID(n), Value: list}).Status
}

func ask(ctx context.Context, n *cachemesh.Node, req httppool.Request) (resp httppool.Response) {
	cachemesh.Handle(ctx, n, "peer", &req, &resp)
	return resp
}

// loggedMesh is a mesh of one whose log goes to the recorder.
func loggedMesh(t *testing.T) (*mesh, *record) {
	logs := new(record)
	return newMesh(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = logs.logger() }), logs
}

// TestParkingIsBounded hands over values of groups that nobody registered: what is
// kept has a bound in groups and in bytes, and what is not is counted and logged.
func TestParkingIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, logs := loggedMesh(t)
		n := m.nodes[0]
		for i := range 10_000 {
			if s := hand(ctx, n, fmt.Sprint("empty", i), nil); s != cachemesh.StatusOK {
				t.Fatalf("an empty list: status %d", s)
			}
		}
		if bytes, groups := cachemesh.ParkedBytes(n); bytes != 0 || groups != 0 {
			t.Errorf("empty lists: %d bytes for %d groups are kept", bytes, groups)
		}
		refused := 0
		for i := range 10_000 {
			if hand(ctx, n, fmt.Sprint("invented", i), packed(1, 0, "k", "v")) == cachemesh.StatusOverloaded {
				refused++
			}
		}
		if _, groups := cachemesh.ParkedBytes(n); groups != 256 || refused != 10_000-256 {
			t.Errorf("invented names: %d groups are kept, %d lists refused", groups, refused)
		}
		big := packed(1, 0, "k", strings.Repeat("v", 1<<20))
		for range 100 {
			hand(ctx, n, "invented1", big)
		}
		for i := range 100_000 { // keys that were deleted meanwhile
			ask(ctx, n, httppool.Request{Op: cachemesh.OpDelete, Group: "invented2", Key: fmt.Sprintf("%0200d", i)})
		}
		if bytes, _ := cachemesh.ParkedBytes(n); bytes > 64<<20 || bytes < 62<<20 {
			t.Errorf("%d bytes are kept, want 64 MiB at most", bytes)
		}
		if hand(ctx, n, "malformed", []byte("x")) != cachemesh.StatusInvalid {
			t.Error("a malformed list was taken")
		}
		s := n.Stats()
		if s.Parked == 0 || s.Parked > 256+64 || s.ParkedLost != 1 { // whoever was refused has its values yet
			t.Errorf("%d values parked, %d lost", s.Parked, s.ParkedLost)
		}
		if lines := logs.count("not registered"); lines != 1 {
			t.Errorf("%d log lines about it, want 1", lines)
		}
		// They wait for their groups, but those of others are not refused for that.
		time.Sleep(time.Hour)
		if later := n.Stats(); later.Parked != s.Parked {
			t.Errorf("later: %d values parked, %d before", later.Parked, s.Parked)
		}
		for i := range 200 {
			if status := hand(ctx, n, fmt.Sprint("real", i), packed(1, 0, "k", "v")); status != cachemesh.StatusOK {
				t.Errorf("later: status %d", status)
			}
		}
		if later := n.Stats(); later.Parked != 200 || later.ParkedLost != s.ParkedLost+uint64(s.Parked) {
			t.Errorf("later: %d values parked, %d lost", later.Parked, later.ParkedLost)
		}
		cachemesh.FlushLog(n)
		if lines := logs.count("not registered"); lines < 2 {
			t.Errorf("%d log lines about it in the end, want one more", lines)
		}
	})
}

// TestParkedInTime registers a group late: its values have waited, but for those whose
// TTL has passed.
func TestParkedInTime(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, logs := loggedMesh(t)
		n := m.nodes[0]
		hand(ctx, n, "g", packed(1, 0, "old", "v"))
		hand(ctx, n, "gone", packed(1, time.Second, "k", "v"))
		time.Sleep(time.Hour)
		if bytes, groups := cachemesh.ParkedBytes(n); groups != 1 || bytes == 0 {
			t.Errorf("%d bytes for %d groups are kept, want those of one", bytes, groups)
		}
		hand(ctx, n, "g", packed(1, 0, "new", "v", "short", "v"))
		hand(ctx, n, "g", packed(1, 3*time.Second, "mortal", "v"))
		time.Sleep(2 * time.Second)
		g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		mustGet(t, g, "new", "v")
		mustGet(t, g, "mortal", "v")
		cachemesh.FlushLog(n)
		mustGet(t, g, "old", "v")
		if n.Stats().ParkedLost != 0 || logs.count("not registered") != 0 {
			t.Errorf("%d lost, %d log lines", n.Stats().ParkedLost, logs.count("not registered"))
		}
		time.Sleep(time.Second) // the time in which it was parked counts
		if _, err := g.Get(ctx, "mortal"); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("mortal: %v", err)
		}
		if bytes, groups := cachemesh.ParkedBytes(n); bytes != 0 || groups != 0 {
			t.Errorf("%d bytes for %d groups are kept", bytes, groups)
		}
	})
}

// TestDeleteReachesParkedValues deletes keys of a group before it is registered:
// they must not come back with what was parked.
func TestDeleteReachesParkedValues(t *testing.T) {
	for name, req := range map[string]httppool.Request{
		"Delete":           {Op: cachemesh.OpDelete, Key: "a"},
		"Delete of many":   {Op: cachemesh.OpDeleteMany, Value: []byte("\x01a\x01c")},
		"malformed Delete": {Op: cachemesh.OpDeleteMany, Value: []byte("\x09a")},
		"Clear":            {Op: cachemesh.OpClear},
	} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			m := newMesh(t, 1)
			n := m.nodes[0]
			hand(ctx, n, "g", packed(1, 0, "a", "v", "b", "v"))
			req.Group, req.View = "g", cachemesh.ViewID(n)
			if got := ask(ctx, n, req); got.Status != cachemesh.StatusUnknownGroup {
				t.Errorf("%s: status %d", name, got.Status)
			}
			hand(ctx, n, "g", packed(2, 0, "d", "v")) // what comes later is not deleted
			g, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{})
			must(t, err)
			if v, err := g.Get(ctx, "a"); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: a deleted key came back: %q, %v", name, v, err)
			}
			mustGet(t, g, "d", "v")
			if req.Op == cachemesh.OpDelete || name == "Delete of many" {
				mustGet(t, g, "b", "v")
			}
		})
	}
}
