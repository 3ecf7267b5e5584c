package cachemesh_test

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// TestRelayIsAWire: one call to the member named, its answer unchanged, no lease.
func TestRelayIsAWire(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		var calls, invalidations atomic.Int64
		m := newMesh(t, 3, func(_ int, o *cachemesh.Options) {
			o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				switch req.Op {
				case cachemesh.OpFence:
				case cachemesh.OpInvalidate:
					invalidations.Add(1)
				default:
					calls.Add(1)
				}
				return next.Call(ctx, req, resp)
			}}
		})
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{HotReads: 1})
		relay, owner := m.nodes[2], m.nodes[1]
		key, id, view := m.keyOf("g", 1), cachemesh.MemberID(owner), cachemesh.ViewID(relay)
		mustGet(t, groups[1], key, "value of "+key)
		get := &httppool.Request{Op: cachemesh.OpGet, Flags: cachemesh.FlagLease, Group: "g", Key: key}
		ask := func(at *cachemesh.Node, target string, view uint64, req *httppool.Request) httppool.Response {
			var resp httppool.Response
			cachemesh.Handle(ctx, at, "somebody", cachemesh.RelayRequest(at, target, view, req), &resp)
			return resp
		}
		for at, wantCalls := range map[*cachemesh.Node]int64{relay: 1, owner: 0} {
			calls.Store(0)
			if resp := ask(at, id, view, get); resp.Status != cachemesh.StatusOK || string(resp.Value) != "value of "+key || resp.Lease != 0 {
				t.Errorf("relay %v: status %d, %q, lease %v, want the value without a lease", at, resp.Status, resp.Value, resp.Lease)
			}
			if calls.Load() != wantCalls {
				t.Errorf("relay %v made %d calls, want %d", at, calls.Load(), wantCalls)
			}
		}
		must(t, groups[1].Delete(ctx, key))
		if n := invalidations.Load(); n != 0 {
			t.Errorf("%d invalidations: the owner granted a lease through a relay", n)
		}
		calls.Store(0)
		twice := cachemesh.RelayRequest(relay, id, view, get)
		for what, refused := range map[string]struct {
			got, want uint8
		}{
			"relayed twice":       {ask(relay, id, view, twice).Status, cachemesh.StatusInvalid},
			"an unknown member":   {ask(relay, "node1#77", view, get).Status, cachemesh.StatusNoRelay},
			"an unknown view":     {ask(relay, id, view+1, get).Status, cachemesh.StatusNoRelay},
			"not the owner":       {ask(relay, cachemesh.MemberID(m.nodes[0]), view, get).Status, cachemesh.StatusNotOwner},
			"the relay, no owner": {ask(relay, cachemesh.MemberID(relay), view, get).Status, cachemesh.StatusNotOwner},
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
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
		relay, owner := m.nodes[2], m.nodes[1]
		key := m.keyOf("g", 1)
		mustGet(t, groups[2], key, "value of "+key) // they are connected
		m.net.CutStreams(hostName(2), hostName(1))
		m.net.CutStreams(hostName(1), hostName(2))
		var resp httppool.Response
		set := &httppool.Request{Op: cachemesh.OpSet, Group: "g", Key: key, Value: []byte("v")}
		began := time.Now()
		cachemesh.Handle(ctx, relay, "somebody", cachemesh.RelayRequest(relay, cachemesh.MemberID(owner), cachemesh.ViewID(relay), set), &resp)
		if took := time.Since(began); resp.Status != cachemesh.StatusNoRelay || took > time.Second {
			t.Errorf("status %d after %v, want %d in less than a second", resp.Status, took, cachemesh.StatusNoRelay)
		}
		m.net.Heal()
	})
}

// TestRelayKeepsMaybeAppliedExact: a relay that lost the answer to a write says so, and
// the write is not repeated; one that did not pass it on says that.
func TestRelayKeepsMaybeAppliedExact(t *testing.T) {
	for name, tt := range map[string]struct {
		failing    int  // node at which calls fail
		op         bool // of these, calls to a relay; else to the owner
		carriedOut bool
		maybe      bool // what Set says
	}{
		"the relay lost the answer":      {2, false, true, true},
		"the relay did not reach it":     {2, false, false, false},
		"the relay's answer was lost":    {0, true, true, true},
		"the relay could not be reached": {0, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				var sets atomic.Int64
				var down atomic.Pointer[string]
				failing := func(i int, addr string, req *httppool.Request) (fails, unsent bool) {
					if down.Load() == nil {
						return false, false
					}
					if i == 0 && addr == *down.Load() {
						return true, true
					}
					if req.Op != cachemesh.OpSet && req.Op != cachemesh.OpRelay {
						return false, false
					}
					return i == tt.failing && (req.Op == cachemesh.OpRelay) == tt.op, !tt.carriedOut
				}
				m := newMesh(t, 3, func(i int, o *cachemesh.Options) {
					o.Network = tapped{o.Network, func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
						fails, unsent := failing(i, addr, req)
						if req.Op == cachemesh.OpSet && !(fails && unsent) {
							sets.Add(1)
						}
						if !fails {
							return next.Call(ctx, req, resp)
						}
						if !unsent {
							must(t, next.Call(ctx, req, resp))
							*resp = httppool.Response{}
						}
						return &httppool.CallError{Addr: addr, Sent: !unsent, Err: httppool.ErrConnLost}
					}}
				})
				groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})
				key, addr := m.keyOf("g", 1), m.nodes[1].Addr()
				down.Store(&addr)
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				err := groups[0].Set(short, key, "set", 0)
				var pe *cachemesh.PeerError
				if !errors.As(err, &pe) || pe.MaybeApplied != tt.maybe {
					t.Fatalf("Set: %v, want a PeerError with MaybeApplied %t", err, tt.maybe)
				}
				want := int64(0)
				if tt.carriedOut {
					want = 1
				}
				if sets.Load() != want {
					t.Errorf("%d Sets were carried out, want %d", sets.Load(), want)
				}
			})
		})
	}
}

// FuzzRelayed: no list of bytes harms the relay, and what is packed comes back.
func FuzzRelayed(f *testing.F) {
	req := &httppool.Request{Op: 2, Flags: 16, View: 1 << 60, Group: "g", Key: "key", Value: []byte("value"), TTL: time.Hour, Arg: 7, Idempotent: true}
	f.Add(cachemesh.RelayRequest(nil, "", 0, req).Value)
	f.Add([]byte{0, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := cachemesh.ParseRelayed(b)
		if !ok {
			return
		}
		again, ok := cachemesh.ParseRelayed(cachemesh.RelayRequest(nil, "", 0, &got).Value)
		if !ok || !reflect.DeepEqual(got, again) {
			t.Errorf("%+v became %+v, %t", got, again, ok)
		}
	})
}
