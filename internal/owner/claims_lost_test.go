package owner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestHoldEnds: a claim that takes too long is the next one's, and its holder comes too late.
func TestHoldEnds(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		start := time.Now()
		token := r.wins(t, 1)
		if err := r.ExtendClaim(r.hash("k"), "k", token, 40*time.Second); err != nil {
			t.Error(err)
		}
		second, third := r.bids(2), r.bids(3)
		out := <-second
		if took := time.Since(start); !out.v.Won || out.err != nil || took != 40*time.Second {
			t.Errorf("the next in line: %+v after %v", out, took)
		}
		if err := r.fill(token, "late"); !errors.Is(err, errs.ErrClaimOver) || r.held("k") != "" {
			t.Errorf("Fill: %v, memory has %q", err, r.held("k"))
		}
		if err := r.ExtendClaim(r.hash("k"), "k", token, 0); !errors.Is(err, errs.ErrClaimOver) {
			t.Errorf("Extend: %v", err)
		}
		if err := r.fill(out.v.Token, "row"); err != nil {
			t.Error(err)
		}
		if got := <-third; got.v.Won || string(got.v.Entry.Data) != "row" {
			t.Errorf("the third: %+v", got)
		}
	})
}

// TestLostClaims: a claim goes to the next in line when its member says that it has it not,
// is in no view any more, is not there to be asked, or does not answer for a lease.
func TestLostClaims(t *testing.T) {
	refused := errs.OutOfReach(&errs.PeerError{Op: "x", Err: errors.New("refused")}, true)
	for what, c := range map[string]struct {
		answers func(r *rig, wait time.Duration) (held, gone bool, err error)
		within  time.Duration
	}{
		"it has it not": {func(*rig, time.Duration) (bool, bool, error) { return false, false, nil }, 0},
		"it gives it up": {func(r *rig, _ time.Duration) (bool, bool, error) {
			time.Sleep(300 * time.Millisecond)
			return false, false, nil
		}, 300 * time.Millisecond},
		"it is in no view": {func(*rig, time.Duration) (bool, bool, error) { return false, true, nil }, 0},
		"it is not there":  {func(*rig, time.Duration) (bool, bool, error) { return false, false, refused }, 50 * time.Millisecond},
		"it does not answer": {func(_ *rig, d time.Duration) (bool, bool, error) {
			time.Sleep(250 * time.Millisecond)
			return false, false, refused
		}, 1250 * time.Millisecond},
		"its call is too old": {func(*rig, time.Duration) (bool, bool, error) { return false, false, errors.New("odd") }, 1100 * time.Millisecond},
	} {
		inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
			r.holding = func(_ context.Context, member string, ids []uint64, wait time.Duration) ([]bool, bool, error) {
				if len(ids) != 1 || ids[0] > 2 {
					t.Errorf("%s: asked for %v", what, ids)
				}
				if ids[0] == 2 {
					time.Sleep(wait)
					return []bool{true}, false, nil
				}
				held, gone, err := c.answers(r, wait)
				return []bool{held}, gone, err
			}
			token, start := r.wins(t, 1), time.Now()
			second, third := r.bids(2), r.bids(3)
			out := <-second
			if took := time.Since(start); !out.v.Won || took > c.within {
				t.Errorf("%s: the next in line: %+v after %v, want within %v", what, out, took, c.within)
			}
			if err := r.fill(token, "late"); !errors.Is(err, errs.ErrClaimOver) {
				t.Errorf("%s: Fill: %v", what, err)
			}
			time.Sleep(5 * time.Second) // it answers
			r.fill(out.v.Token, "row")
			if got := <-third; got.v.Won || got.v.Entry == nil {
				t.Errorf("%s: the third: %+v", what, got)
			}
		})
	}
}

// TestNobodyWhoHasGone: a claim is not given to one whose time has passed, and one who goes
// gives it back.
func TestNobodyWhoHasGone(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		token := r.wins(t, 1)
		ctx, cancel := context.WithCancel(context.Background())
		second := began(func() (Claimed, error) {
			return r.Claim(ctx, r.hash("k"), "k", wire.Bid{ID: 2, From: "holder", Wait: time.Hour})
		})
		short := began(func() (Claimed, error) { return r.bid(3, time.Second) })
		fourth := r.bids(4)
		cancel()
		if out := <-second; !errors.Is(out.err, context.Canceled) {
			t.Errorf("%+v", out)
		}
		if out := <-short; !out.v.Busy {
			t.Errorf("%+v", out)
		}
		r.ReleaseClaim(r.hash("k"), "k", token)
		if out := <-fourth; !out.v.Won || out.v.Token.ID != 4 {
			t.Errorf("%+v", out)
		}
	})
}

// TestClaimsAreBounded: more than a shard has room for are refused, and what they take is
// given back.
func TestClaimsAreBounded(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		before := r.notes.taken.Load()
		var tokens []wire.Token
		refused := 0
		for i := range 200 {
			key := fmt.Sprint("k", i)
			got, err := r.Claim(context.Background(), r.hash(key), key, wire.Bid{ID: uint64(i), From: "holder"})
			switch {
			case got.Won:
				tokens = append(tokens, got.Token)
			case !errors.Is(got.Err, errs.ErrOverloaded):
				t.Errorf("%+v, %v", got, err)
			default:
				refused++
			}
		}
		if taken := r.notes.taken.Load(); refused == 0 || len(tokens) < 50 || taken > r.notes.most.Load() {
			t.Errorf("%d were won, %d refused, %d bytes taken", len(tokens), refused, taken)
		}
		synctest.Wait()
		time.Sleep(MaxHold)
		synctest.Wait()
		if taken := r.notes.taken.Load(); taken != before {
			t.Errorf("%d bytes are taken when all are over, want %d", taken, before)
		}
	})
}
