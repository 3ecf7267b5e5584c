package cachemesh_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
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
	o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
		if !d.on.Load() || req.Op == cachemesh.OpFence {
			return next.Call(ctx, req, resp)
		}
		d.calls.Add(1)
		*resp = httppool.Response{Status: cachemesh.StatusNotOwner, Message: *d.hint.Load()}
		return nil
	}}
}

func TestMembersThatDisagreeDoNotHang(t *testing.T) {
	for _, hint := range []string{"", "asker", "asked", "third", "unknown"} {
		t.Run("hint "+hint, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				d := new(disagreement)
				m := newMesh(t, 3, d.edit)
				var loads atomic.Int64
				groups := groupOn(m, "g", func(context.Context, string) (string, error) {
					loads.Add(1)
					return "v", nil
				}, cachemesh.GroupOptions[string]{})
				plain := groupOn[string](m, "plain", nil, cachemesh.GroupOptions[string]{})
				key, plainKey := m.keyOf("g", 1), m.keyOf("plain", 1)
				name := map[string]string{"asker": m.nodes[0].Addr(), "asked": m.nodes[1].Addr(), "third": m.nodes[2].Addr(), "unknown": "10.99.99.99:1"}[hint]
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
				must(t, groups[0].Set(ctx, key, "new", 0))
				mustGet(t, groups[0], key, "new")
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
		o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			if req.Op != cachemesh.OpFence {
				calls.Add(1)
			}
			return next.Call(ctx, req, resp)
		}}
	}
	m := newMesh(t, 2, count)
	groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
	key := m.keyOf("g", 1)
	for _, op := range []uint8{cachemesh.OpGet, cachemesh.OpSet, cachemesh.OpDelete} {
		var resp httppool.Response
		cachemesh.Handle(testContext(t), m.nodes[0], "somebody", &httppool.Request{Op: op, Group: "g", Key: key}, &resp)
		if resp.Status != cachemesh.StatusNotOwner || resp.Message != m.nodes[1].Addr() {
			t.Errorf("operation %d: status %d, %q, want not owner and %s", op, resp.Status, resp.Message, m.nodes[1].Addr())
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls were made for it", calls.Load())
	}
}

// TestUnknownGroup is a rolling deploy: some members have the group already.
func TestUnknownGroup(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		var loads atomic.Int64
		load := func(context.Context, string) (string, error) {
			loads.Add(1)
			return "v", nil
		}
		g, err := cachemesh.NewGroup(m.nodes[0], "new", load, cachemesh.GroupOptions[string]{})
		must(t, err)
		plain, err := cachemesh.NewGroup[string](m.nodes[0], "plain", nil, cachemesh.GroupOptions[string]{})
		must(t, err)
		keys := m.keysOf("new", 1, 2)
		time.Sleep(3 * time.Second) // they are not about to register it
		for range 3 {
			mustGet(t, g, keys[0], "v")
			if many, err := g.GetMany(ctx, keys); err != nil || len(many) != 2 {
				t.Errorf("GetMany = %v, %v", many, err)
			}
		}
		if s := g.Stats(); loads.Load() != 9 || s.Entries != 0 {
			t.Errorf("%d loads, %d entries stored, want 9 and 0", loads.Load(), s.Entries)
		}
		must(t, g.Delete(ctx, keys[0]))
		must(t, g.Delete(ctx, keys...))
		must(t, g.Clear(ctx))
		start := time.Now()
		if err := g.Set(ctx, keys[0], "x", 0); !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Set: %v, want ErrUnknownGroup", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Set answered ErrUnknownGroup after %v", took)
		}
		start = time.Now()
		key := m.keyOf("plain", 1)
		if _, err := plain.Get(ctx, key); errors.Is(err, cachemesh.ErrNotFound) || !errors.Is(err, cachemesh.ErrUnknownGroup) {
			t.Errorf("Get of a plain map: %v, want ErrUnknownGroup", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Get answered after %v", took)
		}
		other, err := cachemesh.NewGroup(m.nodes[1], "new", load, cachemesh.GroupOptions[string]{})
		must(t, err)
		must(t, g.Set(ctx, keys[0], "set", 0))
		mustGet(t, other, keys[0], "set")
	})
}
