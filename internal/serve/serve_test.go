package serve_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// FuzzPeerRequests answers arbitrary requests: nothing panics, only known
// statuses come back, and the node works afterwards.
func FuzzPeerRequests(f *testing.F) {
	m := kit.New(f, 2)
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{MaxBytes: 1 << 20})
	kit.GroupOn[string](m, "plain", nil, cachemesh.GroupOptions[string]{Replicas: 1, MaxBytes: 1 << 20})
	own, foreign := m.KeyOf("g", 0), m.KeyOf("g", 1)
	for op := range uint8(12) {
		f.Add(op, uint8(0), uint64(0), "g", own, []byte("value"), int64(0), uint64(0))
		f.Add(op, uint8(0xff), uint64(1), "plain", foreign, []byte{3, 'k', 'e', 'y'}, int64(-1), uint64(1))
		f.Add(op, uint8(2), uint64(1), "nobody's", "", []byte(nil), int64(1<<62), uint64(1))
	}
	f.Add(uint8(9), uint8(0), uint64(0), "plain", "", []byte("\x01k\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01v"), int64(0), uint64(0))
	f.Fuzz(func(t *testing.T, op, flags uint8, view uint64, group, key string, value []byte, ttl int64, arg uint64) {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		req := &httppool.Request{Op: op, Flags: flags, View: view, Group: group, Key: key, Value: value, TTL: time.Duration(ttl), Arg: arg}
		var resp httppool.Response
		seam.Inside(m.Nodes[0]).Handle(ctx, "stranger#1", req, &resp)
		if resp.Status >= httppool.StatusReserved || len(resp.Message) > httppool.DefaultMaxKey+1 {
			t.Errorf("status %d, message of %d bytes", resp.Status, len(resp.Message))
		}
		if resp.Lease != 0 {
			t.Error("a stranger got a lease")
		}
		if _, err := groups[0].Get(kit.Context(t), own); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestUnknownOperations: a peer of another version may ask for anything.
func TestUnknownOperations(t *testing.T) {
	m := kit.New(t, 1)
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
	kit.MustGet(t, groups[0], "k", "value of k")
	for _, op := range []uint8{0, 100, 255} {
		var resp httppool.Response
		seam.Inside(m.Nodes[0]).Handle(kit.Context(t), "x", &httppool.Request{Op: op, Group: "g", Key: "k"}, &resp)
		if resp.Status == wire.StatusOK || !strings.Contains(resp.Message, "version") {
			t.Errorf("operation %d: status %d, %q; want a refusal that names the version", op, resp.Status, resp.Message)
		}
	}
	if groups[0].Stats().Loads != 1 {
		t.Error("an unknown operation changed something")
	}
}

// TestKeysOfPeersMayAliasABuffer: what a request refers to is overwritten as soon
// as it is answered.
func TestKeysOfPeersMayAliasABuffer(t *testing.T) {
	m := kit.NewReal(t, 2)
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	ctx := kit.Context(t)
	keys := m.KeysOf("g", 1, 300)
	for _, key := range keys {
		kit.Must(t, groups[0].Set(ctx, key, "v"+key, 0))
	}
	for i, key := range keys {
		if i%3 == 0 {
			kit.Must(t, groups[0].Delete(ctx, key))
		}
	}
	for i, key := range keys {
		v, err := groups[1].Get(ctx, key)
		if i%3 == 0 {
			if !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("Get(%q) after Delete = %q, %v", key, v, err)
			}
		} else if v != "v"+key || err != nil {
			t.Errorf("Get(%q) = %q, %v", key, v, err)
		}
	}
	seam.Inside(m.Nodes[1]).Stored("g", func(key string, owned bool) {
		if !owned || !strings.HasPrefix(key, "key") {
			t.Errorf("stores %q, owned %t", key, owned)
		}
	})
}
