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

// bid asks for a claim, and waits for that if it must.
func (r *rig) bid(id uint64, wait time.Duration) (Claimed, error) {
	return r.Claim(context.Background(), r.hash("k"), "k", wire.Bid{ID: id, From: "holder", Wait: wait, Cache: r.Cache})
}

func (r *rig) bids(id uint64) chan result[Claimed] {
	return began(func() (Claimed, error) { return r.bid(id, time.Hour) })
}

// wins returns the claim that is to be had.
func (r *rig) wins(t *testing.T, id uint64) wire.Token {
	t.Helper()
	got, err := r.bid(id, 0)
	if !got.Won || err != nil || got.Token.ID != id {
		t.Fatalf("bid %d: %+v, %v, want to win", id, got, err)
	}
	return got.Token
}

func (r *rig) fill(token wire.Token, value string) error {
	_, err := r.FillClaim(r.hash("k"), "k", token, &store.Entry{Key: "k", Data: []byte(value)}, nil)
	return err
}

// fails calls f in a bubble with a rig, and again with one whose safeguard is left out, where
// f must report false.
func holds(t *testing.T, without faultinject.Faults, f func(t *testing.T, r *rig) bool) {
	t.Helper()
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		if !f(t, r) {
			t.Error("an older value was stored")
		}
	})
	if without == (faultinject.Faults{}) {
		return
	}
	inBubble(t, without, nil, func(r *rig) {
		if f(t, r) {
			t.Errorf("with %+v nothing older was stored: this test would not notice", without)
		}
	})
}

// TestClaim: one has the claim, the others have what it brings.
func TestClaim(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		token := r.wins(t, 1)
		if got, err := r.bid(2, 0); !got.Busy || err != nil {
			t.Errorf("a bid that waits for nothing: %+v, %v", got, err)
		}
		start := time.Now()
		if got, err := r.bid(3, time.Second); !got.Busy || err != nil || time.Since(start) != time.Second {
			t.Errorf("a bid that waits a second: %+v, %v after %v", got, err, time.Since(start))
		}
		second, third := r.bids(4), r.bids(5)
		if err := r.fill(token, "row"); err != nil {
			t.Error(err)
		}
		for _, waits := range []chan result[Claimed]{second, third} {
			if out := <-waits; out.err != nil || out.v.Err != nil || out.v.Won || string(out.v.Entry.Data) != "row" {
				t.Errorf("%+v", out)
			}
		}
		if got, err := r.bid(6, 0); err != nil || !got.Hit || r.held("k") != "row" || r.loads.Load() != 0 {
			t.Errorf("%+v, %v, memory has %q after %d loads", got, err, r.held("k"), r.loads.Load())
		}
		if err := r.fill(token, "again"); !errors.Is(err, errs.ErrClaimOver) || r.held("k") != "row" {
			t.Errorf("the second Fill: %v, memory has %q", err, r.held("k"))
		}
	})
}

// TestFillAfterAWrite: whatever happens to a key since its claim was won makes that void, also
// if the key comes straight back. Who waited before has the value, who came later claims anew.
func TestFillAfterAWrite(t *testing.T) {
	for what, happens := range map[string]func(r *rig){
		"Delete":          func(r *rig) { r.delete("k") },
		"Set, and Delete": func(r *rig) { r.set("k", "set"); r.delete("k") },
		"Clear":           func(r *rig) { r.ClearHere(context.Background(), r.view.ID) },
		"conditional": func(r *rig) {
			r.Write(context.Background(), r.hash("k"), "k", Change{If: &Conditional{Condition: wire.Condition{Remove: true}}})
		},
		"an era":                         func(r *rig) { r.writes.NewEra() },
		"an era, and what was held went": func(r *rig) { r.writes.NewEra(); r.DropBefore(r.State.Era()) },
	} {
		inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
			r.cache(0)
			token := r.wins(t, 1)
			before := r.bids(2)
			happens(r)
			var after chan result[Claimed]
			if what != "an era" {
				after = r.bids(3)
				if got := <-after; !got.v.Won {
					t.Errorf("%s: who came after it: %+v", what, got)
				}
			}
			if err := r.fill(token, "old"); !errors.Is(err, errs.ErrClaimVoid) || r.held("k") != "" {
				t.Errorf("%s: Fill: %v, memory has %q", what, err, r.held("k"))
			}
			if out := <-before; out.err != nil || out.v.Entry == nil || string(out.v.Entry.Data) != "old" {
				t.Errorf("%s: who waited before it: %+v", what, out)
			}
		})
	}
}

// cache makes the rig's group one that is a cache without a loader.
func (r *rig) cache(staleFor time.Duration) {
	r.Cache, r.StaleFor = true, staleFor
	r.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
}

// TestTheKeyWasAway: a claim does not outlive the loss of its key, though that comes back.
func TestTheKeyWasAway(t *testing.T) {
	holds(t, faultinject.Faults{KeepClaims: true}, func(t *testing.T, r *rig) bool {
		token := r.wins(t, 1)
		waits := r.bids(2)
		r.believe("another")
		r.DropLost(r.view)
		if !r.Faults.KeepClaims {
			if out := <-waits; !errors.Is(out.err, errs.ErrUnsettled) {
				t.Errorf("who waits is not sent to the new owner: %+v", out)
			}
		}
		r.believe("self")
		err := r.fill(token, "old")
		if (err == nil) != r.Faults.KeepClaims {
			t.Errorf("Fill: %v", err)
		}
		return r.held("k") == ""
	})
}

// TestNumbersBeginAgain: a claim of an owner that has restarted is not taken for one that the
// new process has granted.
func TestNumbersBeginAgain(t *testing.T) {
	holds(t, faultinject.Faults{ClaimNumbers: true}, func(t *testing.T, r *rig) bool {
		token := r.wins(t, 1)
		if err := r.ReleaseClaim(r.hash("k"), "k", token); err != nil {
			t.Error(err)
		}
		r.grants.Store(0) // as in another run
		r.Run++
		r.delete("k")
		next := r.wins(t, 2)
		err := r.fill(token, "old")
		if r.Faults.ClaimNumbers {
			return err != nil
		}
		if !errors.Is(err, errs.ErrClaimOver) {
			t.Errorf("Fill: %v", err)
		}
		return r.held("k") == "" && r.fill(next, "new") == nil && r.held("k") == "new"
	})
}

// TestTheSameBidTwice: a bid that comes twice, late, gives the claimant nothing that it could
// store by.
func TestTheSameBidTwice(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		token := r.wins(t, 1)
		r.delete("k")
		r.wins(t, 1) // the same bid, over a relay
		if err := r.fill(token, "old"); !errors.Is(err, errs.ErrClaimVoid) || r.held("k") != "" {
			t.Errorf("Fill: %v, memory has %q", err, r.held("k"))
		}
	})
}

// TestLookedAtOnce: copies are recalled before a claim's value can be seen, and the token is
// looked at again after that: the key may have been lost meanwhile, and be back.
func TestLookedAtOnce(t *testing.T) {
	holds(t, faultinject.Faults{ClaimLookOnce: true}, func(t *testing.T, r *rig) bool {
		const other wire.Encoding = 7
		foreign := &store.Entry{Key: "k", Data: []byte("other")}
		token := r.wins(t, 1)
		r.Mark(foreign, other)
		r.Store.Set(r.hash("k"), foreign, r.Clock.Now()) // it was there all the time, for those who can read it
		if _, lease := r.grant("k", other); lease == 0 {
			t.Fatal("no lease")
		}
		r.acknowledges.Store(false)
		filled := began(func() (struct{}, error) { return struct{}{}, r.fill(token, "old") })
		if r.told.Load() == 0 || r.held("k") == "old" {
			t.Errorf("the holder was told %d times, memory has %q", r.told.Load(), r.held("k"))
		}
		r.believe("another")
		r.DropLost(r.view)
		r.believe("self")
		if out := <-filled; !errors.Is(out.err, errs.ErrClaimVoid) {
			t.Errorf("Fill: %v", out.err)
		}
		return r.held("k") != "old"
	})
}
