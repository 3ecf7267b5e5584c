//go:build !race

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
	"github.com/praveenduddu/cachemesh/internal/store"
)

// TestEndCopies: every holder is told once, and no copy is granted any more.
func TestEndCopies(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		for i := range 100 {
			key := fmt.Sprint(i)
			r.get(key)
			r.lease(t, key)
		}
		o := &slowOthers{rig: r, gate: make(chan error)}
		r.Others = o
		ends := began(func() (struct{}, error) { r.EndCopies(); return struct{}{}, nil })
		if n := o.recalls.Load(); n != 1 {
			t.Errorf("the holder was told %d times", n)
		}
		if _, number := r.grant("1", 0); number != 0 {
			t.Error("a copy is granted")
		}
		o.gate <- nil
		<-ends
		for i := range 100 {
			if key := fmt.Sprint(i); r.held(key) != "old" || r.of(key).registered.used != 0 {
				t.Errorf("%q: memory has %q, %d registrations", key, r.held(key), r.of(key).registered.used)
			}
		}
		r.eachShard(func(s *shard) { s.clearing = 0 })
	})
	for what, happens := range map[string]func(r *rig){
		"the session lapses": func(*rig) {},
		"the node closes":    func(r *rig) { r.Life.Close() },
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.get("k")
			r.lease(t, "k")
			r.acknowledges.Store(false)
			start := time.Now()
			ends := began(func() (struct{}, error) { r.EndCopies(); return struct{}{}, nil })
			happens(r)
			<-ends
			want := time.Second + time.Second/32
			if what == "the node closes" {
				want = 0
			}
			if took := time.Since(start); took < want || took > want+recallPause {
				t.Errorf("%s: it takes %v", what, took)
			}
			r.eachShard(func(s *shard) { s.clearing = 0 })
		})
	}
}

// TestAwaitsQuiet: a node that ends waits for what is under way, as long as it may.
func TestAwaitsQuiet(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.allShards()
		must(t, r.AwaitQuiet())
		must(t, r.AwaitIdle(context.Background()))
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := r.AwaitIdle(ctx); err != context.DeadlineExceeded {
			t.Errorf("a load runs: %v", err)
		}
		idle := began(func() (struct{}, error) { return struct{}{}, r.AwaitIdle(context.Background()) })
		quiet := began(func() (struct{}, error) { return struct{}{}, r.AwaitQuiet() })
		time.Sleep(time.Second)
		if len(idle) != 0 || len(quiet) != 0 {
			t.Error("nobody waits for the load")
		}
		close(r.gate)
		if <-get; (<-idle).err != nil || (<-quiet).err != nil {
			t.Error("an error when all is quiet")
		}
		r.of("k").reserved.reserve("k")
		quiet = began(func() (struct{}, error) { return struct{}{}, r.AwaitQuiet() })
		r.Life.Close()
		if out := <-quiet; out.err != errs.ErrClosed {
			t.Errorf("the node closes: %v", out.err)
		}
		delete(r.of("k").reserved, "k")
		if r.CloseShards(); !r.of("k").closed {
			t.Error("not closed")
		}
	})
}

// TestClose ends what runs, and holds nothing any more.
func TestClose(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("kept")
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		start := time.Now()
		r.Close()
		if out := <-get; out.err == nil || time.Since(start) > time.Second || r.held("kept") != "" || !errors.Is(r.Store.Set(0, &store.Entry{Key: "x"}, 0), store.ErrClosed) {
			t.Errorf("%v; memory has %q", out.err, r.held("kept"))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		if r.Close(); !r.of("k").closed {
			t.Error("shards are made after the end")
		}
	})
}

// TestRecall: a holder is told again until it says that it has dropped its copy, or its lease
// has lapsed; one that is in no view is waited out.
func TestRecall(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		s, now := r.of("k"), r.Clock.Now()
		took := func(until int64) time.Duration {
			start := time.Now()
			r.recallFrom("holder", until)
			return time.Since(start)
		}
		if d := took(now); d != 0 || r.told.Load() != 0 {
			t.Errorf("it lapsed: %v, told %d times", d, r.told.Load())
		}
		if d := took(now + second); d != 0 || r.told.Load() != 1 {
			t.Errorf("it says that it did: %v, told %d times", d, r.told.Load())
		}
		r.acknowledges.Store(false)
		r.told.Store(0)
		if d := took(now + second); d != time.Second || r.told.Load() < 100 || r.told.Load() > 201 {
			t.Errorf("it cannot be told: %v, told %d times", d, r.told.Load())
		}
		start := time.Now()
		r.recallFrom("gone", r.Clock.Now()+second)
		if time.Since(start) != time.Second {
			t.Errorf("it is gone: %v", time.Since(start))
		}
		ends := began(func() (struct{}, error) { took(1 << 60); return struct{}{}, nil })
		r.writes.Publish(nil)
		time.Sleep(recallPause)
		synctest.Wait()
		if len(ends) != 1 {
			t.Error("the node has closed, and recalls")
		}
		if r.registerLocked(s, r.hash("k"), entry("k", "v"), "holder", 0) != 0 {
			t.Error("a copy without a view")
		}
		r.believe("self")
		ends = began(func() (struct{}, error) { took(1 << 60); return struct{}{}, nil })
		r.Life.Close()
		if synctest.Wait(); len(ends) != 1 {
			t.Error("the node closes, and recalls")
		}
	})
}

// TestSweepBooks: registrations go of what nobody can serve any more, and of keys that are another's
// in a view that has settled.
func TestSweepBooks(t *testing.T) {
	for what, test := range map[string]struct {
		before func(r *rig)
		stays  bool
	}{
		"a copy is out":      {func(*rig) {}, true},
		"its session lapsed": {func(*rig) { time.Sleep(time.Hour) }, true},
		"its session was broken": {func(r *rig) {
			time.Sleep(time.Hour)
			slot, _ := r.Sessions.Standing("holder", 0)
			r.Sessions.Serves(slot, r.Clock.Now())
		}, false},
		"another's key": {func(r *rig) { r.believe("another") }, false},
		"another's, and not settled": {func(r *rig) {
			r.believe("another")
			r.writes.Empty(r.view)
		}, true},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.get("k")
			r.lease(t, "k")
			test.before(r)
			r.SweepBooks(r.Clock.Now())
			if got := r.of("k").registered.used == 1; got != test.stays || got != r.registers.Load() {
				t.Errorf("%s: stays %t, looked through again %t", what, got, r.registers.Load())
			}
		})
	}
	inBubble(t, faultinject.Faults{Sessions: faultinject.Sessions{PurgeEarly: true}}, nil, func(r *rig) {
		r.get("k")
		r.lease(t, "k")
		r.believe("another")
		r.writes.Empty(r.view)
		if r.SweepBooks(r.Clock.Now()); r.of("k").registered.used != 0 {
			t.Error("without the safeguard a registration stays as well")
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("k", "v", time.Minute)
		r.lease(t, "k")
		time.Sleep(time.Minute - time.Second)
		r.lease(t, "k") // its session is renewed
		if r.SweepBooks(r.Clock.Now()); r.of("k").registered.used != 1 {
			t.Error("forgotten before the value has ended")
		}
		if r.SweepBooks(r.Clock.Now() + second + 3e6); r.of("k").registered.used != 0 {
			t.Error("stays when the value has ended")
		}
		r.hold("k", 1<<60)
		if r.SweepBooks(5); r.of("k").registered.used != 1 {
			t.Error("looked through though nothing was granted")
		}
	})
}
