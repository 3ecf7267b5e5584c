package reach_test

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestRelayIsAWire: one call to the member named, its answer unchanged, no lease.
func TestRelayIsAWire(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var calls, invalidations atomic.Int64
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				switch req.Op {
				case wire.OpFence:
				case wire.OpInvalidate:
					invalidations.Add(1)
				default:
					calls.Add(1)
				}
				return next.Call(ctx, req, resp)
			}}
		})
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{HotReads: 1})
		relay, owner := m.Nodes[2], m.Nodes[1]
		key, id, view := m.KeyOf("g", 1), seam.Inside(owner).MemberID(), seam.Inside(relay).ViewID()
		kit.MustGet(t, groups[1], key, "value of "+key)
		get := &httppool.Request{Op: wire.OpGet, Flags: wire.FlagCopy | wire.FlagRenew, Group: "g", Key: key}
		ask := func(at *cachemesh.Node, target string, view uint64, req *httppool.Request) httppool.Response {
			var resp httppool.Response
			seam.Inside(at).Handle(ctx, "somebody", relayRequest(target, view, req), &resp)
			return resp
		}
		for at, wantCalls := range map[*cachemesh.Node]int64{relay: 1, owner: 0} {
			calls.Store(0)
			if resp := ask(at, id, view, get); resp.Status != wire.StatusOK || string(resp.Value) != "value of "+key || resp.Lease != 0 || resp.View != 0 {
				t.Errorf("relay %v: status %d, %q, lease %v, want the value without a copy", at, resp.Status, resp.Value, resp.Lease)
			}
			if calls.Load() != wantCalls {
				t.Errorf("relay %v made %d calls, want %d", at, calls.Load(), wantCalls)
			}
		}
		kit.Must(t, groups[1].Delete(ctx, key))
		if n := invalidations.Load(); n != 0 {
			t.Errorf("%d invalidations: the owner granted a copy through a relay", n)
		}
		calls.Store(0)
		twice := relayRequest(id, view, get)
		for what, refused := range map[string]struct {
			got, want uint8
		}{
			"relayed twice":       {ask(relay, id, view, twice).Status, wire.StatusInvalid},
			"an unknown member":   {ask(relay, "node1#77", view, get).Status, wire.StatusNoRelay},
			"an unknown view":     {ask(relay, id, view+1, get).Status, wire.StatusNoRelay},
			"not the owner":       {ask(relay, seam.Inside(m.Nodes[0]).MemberID(), view, get).Status, wire.StatusNotOwner},
			"the relay, no owner": {ask(relay, seam.Inside(relay).MemberID(), view, get).Status, wire.StatusNotOwner},
		} {
			if refused.got != refused.want {
				t.Errorf("%s: status %d, want %d", what, refused.got, refused.want)
			}
		}
		if calls.Load() != 1 { // of the member that is not the owner
			t.Errorf("%d calls, want 1", calls.Load())
		}
	})
}

// TestRelayLooksFirst: what a relay is asked to pass on to a member that says nothing any
// more it certainly did not pass on, and says so soon.
func TestRelayLooksFirst(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		relay, owner := m.Nodes[2], m.Nodes[1]
		key := m.KeyOf("g", 1)
		kit.MustGet(t, groups[2], key, "value of "+key) // they are connected
		m.Net.CutStreams(kit.Host(2), kit.Host(1))
		m.Net.CutStreams(kit.Host(1), kit.Host(2))
		var resp httppool.Response
		set := &httppool.Request{Op: wire.OpSet, Group: "g", Key: key, Value: []byte("v")}
		began := time.Now()
		seam.Inside(relay).Handle(ctx, "somebody", relayRequest(seam.Inside(owner).MemberID(), seam.Inside(relay).ViewID(), set), &resp)
		if took := time.Since(began); resp.Status != wire.StatusNoRelay || took > time.Second {
			t.Errorf("status %d after %v, want %d in less than a second", resp.Status, took, wire.StatusNoRelay)
		}
		m.Net.Heal()
	})
}

// TestRelayKeepsMaybeAppliedExact: a relay that lost the answer to a write says so, and
// the write is not repeated, but a Delete; one that did not pass it on says that.
func TestRelayKeepsMaybeAppliedExact(t *testing.T) {
	for name, tt := range map[string]struct {
		failing    int  // node at which calls fail
		op         bool // of these, calls to a relay; else to the owner
		carriedOut bool
		maybe      bool // what the write says
	}{
		"the relay lost the answer":      {2, false, true, true},
		"the relay did not reach it":     {2, false, false, false},
		"the relay's answer was lost":    {0, true, true, true},
		"the relay could not be reached": {0, true, false, false},
	} {
		for _, op := range []uint8{wire.OpSet, wire.OpDelete} {
			t.Run(name+", "+wire.OpNames[op], func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					var writes atomic.Int64
					var down atomic.Pointer[string]
					failing := func(i int, addr string, req *httppool.Request) (fails, unsent bool) {
						if down.Load() == nil {
							return false, false
						}
						if i == 0 && addr == *down.Load() {
							return true, true
						}
						if req.Op != op && req.Op != wire.OpRelay {
							return false, false
						}
						return i == tt.failing && (req.Op == wire.OpRelay) == tt.op, !tt.carriedOut
					}
					m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
						o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
							fails, unsent := failing(i, addr, req)
							if req.Op == op && !(fails && unsent) {
								writes.Add(1)
							}
							if !fails {
								return next.Call(ctx, req, resp)
							}
							if !unsent {
								kit.Must(t, next.Call(ctx, req, resp))
								*resp = httppool.Response{}
							}
							return &httppool.CallError{Addr: addr, Sent: !unsent, Err: httppool.ErrConnLost}
						}}
					})
					groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
					key, addr := m.KeyOf("g", 1), m.Nodes[1].Addr()
					down.Store(&addr)
					short, cancel := context.WithTimeout(ctx, time.Millisecond) // a Delete is not repeated in that time
					defer cancel()
					write := func() error { return groups[0].Set(short, key, "set", 0) }
					if op == wire.OpDelete {
						write = func() error { return groups[0].Delete(short, key) }
					}
					err := write()
					var pe *cachemesh.PeerError
					if !errors.As(err, &pe) || pe.MaybeApplied != tt.maybe {
						t.Fatalf("%v, want a PeerError with MaybeApplied %t", err, tt.maybe)
					}
					want := int64(0)
					if tt.carriedOut {
						want = 1
					}
					if writes.Load() != want {
						t.Errorf("%d were carried out, want %d", writes.Load(), want)
					}
				})
			})
		}
	}
}

// FuzzRelayed: no list of bytes harms the relay, and what is packed comes back.
func FuzzRelayed(f *testing.F) {
	req := &httppool.Request{Op: 2, Flags: 16, View: 1 << 60, Group: "g", Key: "key", Value: []byte("value"), TTL: time.Hour, Arg: 7, Idempotent: true}
	f.Add(relayRequest("", 0, req).Value)
	f.Add([]byte{0, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := wire.ParseRequest(b)
		if !ok {
			return
		}
		again, ok := wire.ParseRequest(relayRequest("", 0, &got).Value)
		if !ok || !reflect.DeepEqual(got, again) {
			t.Errorf("%+v became %+v, %t", got, again, ok)
		}
	})
}

// relayRequest returns a request to pass one on to a member.
func relayRequest(target string, view uint64, req *httppool.Request) *httppool.Request {
	return &httppool.Request{Op: wire.OpRelay, View: view, Key: target, Value: wire.PackRequest(req)}
}
