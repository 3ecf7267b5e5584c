package owner

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestClaimFails: what the claimant says all hear; a value past its TTL is served, and the
// claim comes together with it.
func TestClaimFails(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.cache(time.Minute)
		r.reasons = newReasons(r.StaleFor, 1<<14)
		r.ErrorSize = func(error) (int64, bool) { return 100, true }
		failure := &errs.LoadError{Key: "k", Err: errOrigin}
		got, _ := r.bid(1, 0)
		waits := began(func() (Claimed, error) { return r.bid(2, time.Hour) })
		r.FillClaim(r.hash("k"), "k", got.Token, nil, failure)
		if out := <-waits; out.err != nil || out.v.Err != failure {
			t.Errorf("%+v", out)
		}
		e := &store.Entry{Key: "k", Data: []byte("old")}
		r.SetTTL(e, time.Second)
		r.Write(context.Background(), r.hash("k"), "k", Change{E: e})
		time.Sleep(2 * time.Second)
		if e, _, err := r.Part.Load(context.Background(), r.hash("k"), "k"); e != nil || !errors.Is(err, errs.ErrNotFound) {
			t.Errorf("a Get of what nobody has failed to load: %v, %v", e, err)
		}
		got, _ = r.bid(3, 0)
		if !got.Won || got.Entry == nil || string(got.Entry.Data) != "old" {
			t.Errorf("the claim on what is old: %+v", got)
		}
		other, _ := r.bid(4, time.Hour)
		if _, ok := errors.AsType[*errs.StaleError](other.Err); !ok || other.Won || other.Entry == nil {
			t.Errorf("while another loads it: %+v", other)
		}
		r.FillClaim(r.hash("k"), "k", got.Token, nil, failure)
		if again, _ := r.bid(5, 0); again.Won || again.Entry == nil {
			t.Errorf("right after it failed: %+v", again)
		}
		time.Sleep(time.Second)
		if again, _ := r.bid(6, 0); !again.Won || again.Entry == nil {
			t.Errorf("later: %+v", again)
		}
	})
}

// TestPlainGetsOfACache wait for no claim, and find what is there.
func TestPlainGetsOfACache(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.cache(0)
		if _, err := r.Claim(context.Background(), r.hash("k"), "k", wire.Bid{ID: 1}); !errors.Is(err, errs.ErrNotCache) {
			t.Errorf("a bid of a member whose group has a loader: %v", err)
		}
		got, _ := r.bid(1, 0)
		if v, err := r.get("k"); v != "" || !errors.Is(err, errs.ErrNotFound) {
			t.Errorf("Get: %q, %v", v, err)
		}
		if err := r.fill(got.Token, "row"); err != nil {
			t.Error(err)
		}
		if v, err := r.get("k"); v != "row" || err != nil {
			t.Errorf("Get: %q, %v", v, err)
		}
		cond := &Conditional{Condition: wire.Condition{If: wire.IfAbsent}}
		if err := r.Write(context.Background(), r.hash("other"), "other", Change{E: &store.Entry{Key: "other"}, If: cond}); err != nil || !cond.Got.Met {
			t.Errorf("what nobody has is not absent: %v, %+v", err, cond.Got)
		}
	})
}

// TestGetsBesideClaims: where there is a loader, Gets wait for a claim, and claims for a load;
// what the one stores the other does not store again.
func TestGetsBesideClaims(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		token := r.wins(t, 1)
		get := began(func() (string, error) { return r.get("k") })
		r.fill(token, "claimed")
		if out := <-get; out.v != "claimed" || r.loads.Load() != 0 {
			t.Errorf("Get: %+v, %d loads", out, r.loads.Load())
		}
		r.delete("k")
		token = r.wins(t, 2)
		get = began(func() (string, error) { return r.get("k") })
		r.ReleaseClaim(r.hash("k"), "k", token)
		if out := <-get; out.v != "old" || out.err != nil || r.loads.Load() != 1 {
			t.Errorf("Get of a claim that is given up: %+v, %d loads", out, r.loads.Load())
		}
		r.delete("k")
		r.gate = make(chan struct{})
		get = began(func() (string, error) { return r.get("k") })
		claim := r.bids(3)
		r.gate <- struct{}{}
		if out := <-claim; out.v.Won || out.v.Entry == nil || string(out.v.Entry.Data) != "old" {
			t.Errorf("claim beside a load: %+v", out)
		}
		<-get
	})
}

// TestVoidWithAWriter: a claim that a write has made void answers nobody: they look again.
func TestVoidWithAWriter(t *testing.T) {
	write := func(context.Context, string, *store.Entry) error { return nil }
	inBubble(t, faultinject.Faults{}, write, func(r *rig) {
		token := r.wins(t, 1)
		waits := r.bids(2)
		r.delete("k")
		if out := <-waits; !out.v.Won {
			t.Errorf("who waited looks again: %+v", out)
		}
		if err := r.fill(token, "old"); !errors.Is(err, errs.ErrClaimVoid) || r.held("k") != "" {
			t.Errorf("Fill: %v, memory has %q", err, r.held("k"))
		}
	})
}
