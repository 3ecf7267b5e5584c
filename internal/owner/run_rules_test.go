//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// recalling runs recallForFillLocked for a flight, and returns what is closed at its end.
func (r *rig) recalling(f *flight) chan result[struct{}] {
	return began(func() (struct{}, error) {
		f.shard.mu.Lock()
		defer f.shard.mu.Unlock()
		r.recallForFillLocked(f)
		return struct{}{}, nil
	})
}

// TestRecallBeforeAFill: copies of a value that is replaced are recalled, by whoever has the
// key reserved; a void load replaces nothing.
func TestRecallBeforeAFill(t *testing.T) {
	flightOf := func(r *rig) (*shard, *flight) {
		s := r.of("k")
		return s, newFlight(context.Background(), s, r.hash("k"), "k")
	}
	grant := func(r *rig) { r.hold("k", r.Clock.Now()+second) }
	ruled(t, nil, func(t *testing.T, r *rig) {
		_, f := flightOf(r)
		grant(r)
		f.void = true
		if <-r.recalling(f); r.told.Load() != 0 {
			t.Error("for a void load")
		}
		f.void = false
		if <-r.recalling(f); r.told.Load() != 1 || r.of("k").registered.used != 0 {
			t.Errorf("the holder was told %d times", r.told.Load())
		}
		<-r.recalling(f)
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // the key is this load's already, and stays so
		s, f := flightOf(r)
		grant(r)
		s.reserved.reserve("k")
		f.reserved = true
		if <-r.recalling(f); r.told.Load() != 1 || !s.reserved.isTaken("k") {
			t.Errorf("the holder was told %d times", r.told.Load())
		}
		delete(s.reserved, "k")
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // another recalls them: it waits, and is void then
		s, f := flightOf(r)
		grant(r)
		s.reserved.reserve("k")
		waits := r.recalling(f)
		if len(waits) != 0 {
			t.Error("it does not wait")
		}
		s.mu.Lock()
		f.void = true
		r.releaseLocked(s, f.hash, "k")
		s.mu.Unlock()
		if <-waits; r.told.Load() != 0 {
			t.Error("for a load that was voided meanwhile")
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // lapsed leases need no recall
		s, f := flightOf(r)
		r.hold("k", 0)
		if <-r.recalling(f); s.reserved.isTaken("k") || r.told.Load() != 0 {
			t.Error("recalled")
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // a plain load recalls nothing: its key has none
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		grant(r)
		r.acknowledges.Store(false)
		close(r.gate)
		if <-get; r.told.Load() != 0 || r.Clock.Now() != 0 {
			t.Errorf("told %d times", r.told.Load())
		}
		delete(r.of("k").reserved, "k")
	})
	for _, fails := range []bool{true, false} {
		ruled(t, nil, func(t *testing.T, r *rig) { // that there is no row replaces a value, a failure does not
			r.get("k")
			r.lease(t, "k")
			err := errs.ErrNotFound
			if fails {
				err = errOrigin
			}
			r.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, err }
			if r.ReloadHere(context.Background(), []string{"k"}); (r.told.Load() == 0) != fails || (r.held("k") == "old") != fails {
				t.Errorf("fails %t: told %d times, memory has %q", fails, r.told.Load(), r.held("k"))
			}
		})
	}
}

// TestVoidLoadFails without a trace: nothing is remembered of it, and what is there stays.
func TestVoidLoadFails(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(time.Second, time.Hour)
		fails := make(chan struct{})
		r.Origin.Load = func(context.Context, string) (*store.Entry, error) { <-fails; return nil, errOrigin }
		get := r.getWith(context.Background(), "k")
		must(t, r.delete("k"))
		close(fails)
		if out := <-get; out.err == nil || r.setbacks.held() != 0 {
			t.Errorf("%v; %d bytes are remembered", out.err, r.setbacks.held())
		}
	})
}

// TestDueWhenTheKeyIsFree: who waited is answered by what came, and that is refreshed.
func TestDueWhenTheKeyIsFree(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		s := r.of("k")
		s.reserved.reserve("k")
		get := r.getWith(context.Background(), "k")
		e := &store.Entry{Key: "k", Data: []byte("came"), Care: new(store.Care)}
		e.Care.Next.Store(1)
		must(t, r.Store.Set(r.hash("k"), e, 0))
		time.Sleep(time.Second)
		s.mu.Lock()
		r.releaseLocked(s, r.hash("k"), "k")
		s.mu.Unlock()
		if out := <-get; out.v != "came" {
			t.Errorf("%q, %v", out.v, out.err)
		}
		if synctest.Wait(); r.loads.Load() != 1 || r.held("k") != "old" {
			t.Errorf("%d loads, memory has %q", r.loads.Load(), r.held("k"))
		}
	})
}

// TestCalledOffAtOnce: loads end when they are called off, and not when their time is over.
func TestCalledOffAtOnce(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		loading, callOff := context.WithCancel(context.Background())
		r.Loading, r.gate = loading, make(chan struct{})
		get, unstored := r.getWith(context.Background(), "k"), r.unstoredGet(context.Background(), "u", false)
		start := time.Now()
		callOff()
		if a, b := <-get, <-unstored; a.err == nil || b.err == nil || time.Since(start) > time.Second {
			t.Errorf("%v, %v after %v", a.err, b.err, time.Since(start))
		}
	})
}

// TestHurriedCohorts: a load that somebody waits for goes before a refresh.
func TestHurriedCohorts(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		holds := r.holdingTurn()
		e := r.put("refreshed", "v", 0)
		r.refresh([]*store.Entry{e})
		synctest.Wait()
		get := r.unstoredGet(context.Background(), "k", false)
		r.gate <- struct{}{}
		<-holds
		synctest.Wait()
		r.gate <- struct{}{}
		synctest.Wait()
		if len(get) != 1 {
			t.Error("a refresh went before it")
		}
		close(r.gate)
		<-get
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // nobody else's turn is taken for it
		holds := r.holdingTurn()
		one, two := r.unstoredGet(context.Background(), "k", false), r.unstoredGet(context.Background(), "k", false)
		nested := origin.WithHeld(context.Background(), &origin.HeldTurns{Group: "other"})
		three := r.unstoredGet(nested, "k", false)
		if r.loads.Load() != 1 {
			t.Errorf("%d loads with one turn", r.loads.Load())
		}
		close(r.gate)
		<-holds
		<-one
		<-two
		<-three
	})
}

// TestOneOfACohortLeaves: the others wait on.
func TestOneOfACohortLeaves(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		first := r.unstoredGet(context.Background(), "k", false)
		stays, leaves := r.unstoredGet(context.Background(), "k", false), r.unstoredGet(ctx, "k", false)
		cancel()
		<-leaves
		close(r.gate)
		a, b := <-first, <-stays
		if a.err != nil || b.err != nil || b.v != "old" {
			t.Errorf("%v, %q, %v", a.err, b.v, b.err)
		}
	})
}

// TestSpareTokenStands where a shard was written before it was taken.
func TestSpareTokenStands(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		must(t, r.delete("k"))
		token := r.TakeSpareToken()
		if r.KeepSpare(token, r.hash("k"), entry("k", "spare")); r.held("k") != "spare" {
			t.Errorf("memory has %q", r.held("k"))
		}
	})
}
