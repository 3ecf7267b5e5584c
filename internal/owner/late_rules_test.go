//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// lapsing lets a change on a condition wait for a holder that cannot be reached, until the
// value's time ends.
func (r *rig) lapsing(t *testing.T, ch Change) error {
	t.Helper()
	r.put("k", "old", time.Second/2)
	r.lease(t, "k")
	r.acknowledges.Store(false)
	return r.changeKey("k", ch)
}

// TestDecidedAgainByALoad: what the origin has counts, and so does its failure.
func TestDecidedAgainByALoad(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
		c := on(wire.Condition{If: wire.IfPresent})
		if err := r.lapsing(t, Change{E: entry("k", "new"), If: c}); err != nil || c.Got.Met || r.held("k") != "" {
			t.Errorf("no row: %v, %+v, memory has %q", err, c.Got, r.held("k"))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.failing()
		c := on(wire.Condition{Former: true})
		if err := r.lapsing(t, Change{E: entry("k", "new"), If: c}); !errors.Is(err, errOrigin) || c.Got.Met || r.held("k") != "" {
			t.Errorf("the loader fails: %v, %+v, memory has %q", err, c.Got, r.held("k"))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Add = func(key string, old *store.Entry, delta int64) (*store.Entry, error) {
			if string(old.Data) == "row" {
				return nil, errs.ErrOverflow
			}
			return sums(key, old, delta)
		}
		r.row.Store(new("row"))
		c := on(wire.Condition{Add: true, Delta: 1})
		if err := r.lapsing(t, Change{If: c}); !errors.Is(err, errs.ErrOverflow) || c.Got.Met || r.held("k") != "row" {
			t.Errorf("no sum: %v, %+v, memory has %q", err, c.Got, r.held("k"))
		}
	})
	withPen(t, func(t *testing.T, r *rig, p *pen) { // with a Writer the first look counts
		e := entry("k", "old")
		e.Expires = second
		must(t, r.changeKey("k", Change{E: e, CacheOnly: true}))
		c := on(wire.Condition{If: wire.IfPresent})
		set := r.going(context.Background(), "k", Change{E: entry("k", "new"), If: c})
		time.Sleep(2 * time.Second)
		p.ends <- nil
		if out := <-set; out.err != nil || !c.Got.Met || r.held("k") != "new" || r.loads.Load() != 0 {
			t.Errorf("%v, %+v, memory has %q after %d loads", out.err, c.Got, r.held("k"), r.loads.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // what is in memory needs no load
		r.get("k")
		r.lease(t, "k")
		if err := r.changeKey("k", Change{E: entry("k", "new"), If: on(wire.Condition{Former: true})}); err != nil || r.loads.Load() != 1 {
			t.Errorf("%v after %d loads", err, r.loads.Load())
		}
	})
}

// TestWriterFailsInAMinority: what nobody knows is forgotten there too.
func TestWriterFailsInAMinority(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		must(t, r.changeKey("k", Change{E: entry("k", "old"), CacheOnly: true}))
		set := r.going(context.Background(), "k", setTo("k", "new"))
		r.writes.Act(view.AsMinority)
		p.ends <- errOrigin
		if out := <-set; !errors.Is(out.err, errOrigin) || r.held("k") != "" {
			t.Errorf("%v, memory has %q", out.err, r.held("k"))
		}
	})
}

// TestLeavesWhatOthersWaitFor: one who joined a load and leaves does not end it for those that
// wait on, a refresh among them.
func TestLeavesWhatOthersWaitFor(t *testing.T) {
	reload := func(r *rig, ctx context.Context) chan result[[]error] {
		return began(func() ([]error, error) { return r.ReloadHere(ctx, []string{"k"}), nil })
	}
	leave := func(r *rig) {
		ctx, cancel := context.WithCancel(context.Background())
		get := r.getWith(ctx, "k")
		cancel()
		<-get
		synctest.Wait()
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		waits := reload(r, context.Background())
		leave(r)
		ctx, cancel := context.WithCancel(context.Background())
		gone := reload(r, ctx)
		cancel()
		if out := <-gone; out.v[0] != context.Canceled {
			t.Errorf("who left got %v", out.v[0])
		}
		close(r.gate)
		if out := <-waits; out.v[0] != nil || r.loads.Load() != 1 || r.held("k") != "old" {
			t.Errorf("a Reload: %v after %d loads", out.v[0], r.loads.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		ctx, cancel := context.WithCancel(context.Background())
		gone := reload(r, ctx)
		cancel()
		<-gone
		close(r.gate)
		if out := <-get; out.v != "old" || out.err != nil || r.loads.Load() != 1 {
			t.Errorf("a Get: %q, %v", out.v, out.err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		e := r.put("k", "v", 0)
		r.refresh([]*store.Entry{e})
		synctest.Wait()
		r.Store.Delete(r.hash("k"), "k")
		leave(r)
		close(r.gate)
		if synctest.Wait(); r.held("k") != "old" {
			t.Errorf("a refresh: memory has %q", r.held("k"))
		}
		r.of("k").reserved.reserve("k")
		r.refresh([]*store.Entry{e})
		if synctest.Wait(); r.Counts.Refreshes.Load() != 1 || r.loads.Load() != 1 {
			t.Errorf("%d refreshes", r.Counts.Refreshes.Load())
		}
		delete(r.of("k").reserved, "k")
	})
}

// TestReloadBehindTwoLoads waits like a Get, joins one that waits, and loads whatever the key
// has by then.
func TestReloadBehindTwoLoads(t *testing.T) {
	for _, joins := range []bool{true, false} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			rows := r.stubborn()
			time.Sleep(time.Second)
			one := r.getWith(context.Background(), "k")
			must(t, r.delete("k"))
			two := r.getWith(context.Background(), "k")
			must(t, r.delete("k"))
			if r.Waiting(r.hash("k"), "k") != 0 {
				t.Error("somebody waits for a load that nobody joins")
			}
			three := make(chan result[string], 1)
			if joins {
				three = r.getWith(context.Background(), "k")
			}
			reload := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
			must(t, r.set("k", "set"))
			rows <- "first"
			synctest.Wait()
			if r.loads.Load() != 3 {
				t.Errorf("joins %t: %d loads", joins, r.loads.Load())
			}
			rows <- "row"
			rows <- "row"
			if out := <-reload; out.v[0] != nil || r.held("k") != "row" {
				t.Errorf("joins %t: %v, memory has %q", joins, out.v[0], r.held("k"))
			}
			if <-one; joins {
				<-three
			}
			<-two
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) { // it moved while somebody wrote it
		s := r.of("k")
		s.reserved.reserve("k")
		reload := began(func() ([]error, error) { return r.ReloadHere(context.Background(), []string{"k"}), nil })
		r.believe("another")
		s.mu.Lock()
		r.releaseLocked(s, r.hash("k"), "k")
		s.mu.Unlock()
		if out := <-reload; !errors.Is(out.v[0], errs.ErrNotOwner) {
			t.Errorf("%v", out.v[0])
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // its load has its turn, and is no more queued
		r.Origin.Turn, r.gate = origin.NewTurns(1, 10), make(chan struct{})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := r.ReloadHere(ctx, []string{"k"})[0]; err != context.DeadlineExceeded || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestCancelledIsNotOverloaded: who gives up while their load waits for its turn hears that.
func TestCancelledIsNotOverloaded(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		holds := r.holdingTurn()
		for range 20 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			get := r.getWith(ctx, "k")
			reload := began(func() ([]error, error) { return r.ReloadHere(ctx, []string{"other"}), nil })
			cancel()
			if a, b := <-get, <-reload; a.err != context.Canceled || b.v[0] != context.Canceled {
				t.Errorf("%v, %v", a.err, b.v[0])
			}
			synctest.Wait()
		}
		close(r.gate)
		<-holds
	})
}
