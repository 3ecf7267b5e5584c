package route_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// disagreement makes each of two members believe, while on, that the other one
// owns every key it asks for: peers answer "not owner", and hint at the asker or
// at a third address.
type disagreement struct {
	on    atomic.Bool
	hint  atomic.Pointer[string]
	calls atomic.Int64
}

func (d *disagreement) edit(_ int, o *cachemesh.Options) {
	o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
		if !d.on.Load() || req.Op == wire.OpFence {
			return next.Call(ctx, req, resp)
		}
		d.calls.Add(1)
		*resp = httppool.Response{Status: wire.StatusNotOwner, Message: *d.hint.Load()}
		return nil
	}}
}

func TestMembersThatDisagreeDoNotHang(t *testing.T) {
	for _, hint := range []string{"", "asker", "asked", "third", "unknown"} {
		t.Run("hint "+hint, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				d := new(disagreement)
				m := kit.New(t, 3, d.edit)
				var loads atomic.Int64
				groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
					loads.Add(1)
					return "v", nil
				}, cachemesh.GroupOptions[string]{})
				plain := kit.GroupOn[string](m, "plain", nil, cachemesh.GroupOptions[string]{Replicas: 1})
				key, plainKey := m.KeyOf("g", 1), m.KeyOf("plain", 1)
				name := map[string]string{"asker": m.Nodes[0].Addr(), "asked": m.Nodes[1].Addr(), "third": m.Nodes[2].Addr(), "unknown": "10.99.99.99:1"}[hint]
				d.hint.Store(&name)
				d.on.Store(true)

				start := time.Now()
				if v, err := groups[0].Get(ctx, key); v != "v" || err != nil || loads.Load() != 1 {
					t.Errorf("Get = %q, %v after %d loads, want a load", v, err, loads.Load())
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("Get took %v", took)
				}
				many, err := groups[0].GetMany(ctx, []string{key})
				if many[key] != "v" || err != nil {
					t.Errorf("GetMany = %v, %v", many, err)
				}
				for what, call := range map[string]func(context.Context) error{
					"Set":    func(ctx context.Context) error { return groups[0].Set(ctx, key, "x", 0) },
					"Delete": func(ctx context.Context) error { return groups[0].Delete(ctx, key) },
					"Get of a plain map": func(ctx context.Context) error {
						_, err := plain[0].Get(ctx, plainKey)
						return err
					},
				} {
					// They wait for the members to agree: a deploy shows no errors.
					short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
					began := time.Now()
					err := call(short)
					cancel()
					if took := time.Since(began); !errors.Is(err, cachemesh.ErrUnsettled) || took != 300*time.Millisecond {
						t.Errorf("%s: %v after %v, want ErrUnsettled after 300ms", what, err, took)
					}
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("all took %v", took)
				}
				calls := d.calls.Load()
				d.on.Store(false)
				kit.Must(t, groups[0].Set(ctx, key, "new", 0))
				kit.MustGet(t, groups[0], key, "new")
				t.Logf("%d calls while they disagreed, %v", calls, time.Since(start))
			})
		})
	}
}

// TestRequestsAreNeverPassedOn sends a request to a member that does not own the
// key: it must answer, not ask the owner.
func TestRequestsAreNeverPassedOn(t *testing.T) {
	var calls atomic.Int64
	count := func(_ int, o *cachemesh.Options) {
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			if req.Group == "g" {
				calls.Add(1)
			}
			return next.Call(ctx, req, resp)
		}}
	}
	m := kit.New(t, 2, count)
	kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
	key := m.KeyOf("g", 1)
	for _, op := range []uint8{wire.OpGet, wire.OpSet, wire.OpDelete} {
		var resp httppool.Response
		seam.Inside(m.Nodes[0]).Handle(kit.Context(t), "somebody", &httppool.Request{Op: op, Group: "g", Key: key}, &resp)
		if resp.Status != wire.StatusNotOwner || resp.Message != m.Nodes[1].Addr() {
			t.Errorf("operation %d: status %d, %q, want not owner and %s", op, resp.Status, resp.Message, m.Nodes[1].Addr())
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls were made for it", calls.Load())
	}
}

// TestUnknownGroup is a rolling deploy: some members have the group already.
func TestUnknownGroup(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		var loads atomic.Int64
		load := func(context.Context, string) (string, error) {
			loads.Add(1)
			return "v", nil
		}
		g, err := cachemesh.NewGroup(m.Nodes[0], "new", load, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		plain, err := cachemesh.NewGroup[string](m.Nodes[0], "plain", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		keys := m.KeysOf("new", 1, 2)
		time.Sleep(3 * time.Second) // they are not about to register it
		for range 3 {
			kit.MustGet(t, g, keys[0], "v")
			if many, err := g.GetMany(ctx, keys); err != nil || len(many) != 2 {
				t.Errorf("GetMany = %v, %v", many, err)
			}
		}
		if s := g.Stats(); loads.Load() != 9 || s.Entries != 0 {
			t.Errorf("%d loads, %d entries stored, want 9 and 0", loads.Load(), s.Entries)
		}
		kit.Must(t, g.Delete(ctx, keys[0]))
		kit.Must(t, g.Delete(ctx, keys...))
		kit.Must(t, g.Clear(ctx))
		start := time.Now()
		if err := g.Set(ctx, keys[0], "x", 0); !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Set: %v, want ErrUnknownGroup", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Set answered ErrUnknownGroup after %v", took)
		}
		start = time.Now()
		key := m.KeyOf("plain", 1)
		if _, err := plain.Get(ctx, key); errors.Is(err, cachemesh.ErrNotFound) || !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Get of a plain map: %v, want ErrUnknownGroup", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Get answered after %v", took)
		}
		other, err := cachemesh.NewGroup(m.Nodes[1], "new", load, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		kit.Must(t, g.Set(ctx, keys[0], "set", 0))
		kit.MustGet(t, other, keys[0], "set")
	})
}
