//go:build !race

package owner

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// slowOthers are members that answer when the test says so.
type slowOthers struct {
	*rig
	gate    chan error
	recalls atomic.Int64
}

func (o *slowOthers) Invalidate(context.Context, *view.Owner, uint64, string) bool {
	o.recalls.Add(1)
	return <-o.gate == nil
}

func (o *slowOthers) InvalidateAll(ctx context.Context, to *view.Owner) bool {
	return o.Invalidate(ctx, to, 0, "")
}

func (o *slowOthers) Forget(ctx context.Context, hash uint64, key string) error {
	o.rig.Forget(ctx, hash, key)
	return <-o.gate
}

// TestOverdueWriter: the key is free when the Writer's time has passed, but the next write
// waits for it, and when it returns what was loaded meanwhile is forgotten.
func TestOverdueWriter(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		start := time.Now()
		err := r.set("k", "new")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > r.LoadTimeout+time.Second || r.of("k").writings.overdue != 1 {
			t.Fatalf("%v after %v, %d overdue", err, time.Since(start), r.of("k").writings.overdue)
		}
		if v, err := r.get("k"); v != "old" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start = time.Now()
		if err := r.Write(ctx, r.hash("k"), "k", setTo("k", "next")); !errors.Is(err, errs.ErrWriterBusy) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) >= time.Second {
			t.Errorf("the next write: %v after %v", err, time.Since(start))
		}
		next := r.going(context.Background(), "k", setTo("k", "next"))
		if p.calls != 1 {
			t.Errorf("%d Writers run", p.calls)
		}
		p.ends <- nil
		synctest.Wait()
		if p.calls != 2 || r.forgotten.Load() != 1 || r.Duties.Telling.Load() != 0 || r.Counts.StuckWrites.Load() != 0 {
			t.Errorf("%d calls, %d told to forget", p.calls, r.forgotten.Load())
		}
		p.ends <- nil
		if out := <-next; out.err != nil || r.held("k") != "next" {
			t.Errorf("the next write: %v", out.err)
		}
		time.Sleep(2 * r.LoadTimeout)
		if r.Counts.StuckWrites.Load() != 0 {
			t.Error("a Writer that returned is given up")
		}
	})
}

// TestWriterIsGivenUp: one that runs for a key that was lost holds the view back until it
// returns, at most as long again as its time.
func TestWriterIsGivenUp(t *testing.T) {
	for _, returns := range []bool{true, false} {
		withPen(t, func(t *testing.T, r *rig, p *pen) {
			poked := 0
			r.Duties.Poke = func() { poked++ }
			log := r.logged()
			set := r.going(context.Background(), "k", setTo("k", "new"))
			waits := r.going(context.Background(), "k", setTo("k", "waits"))
			r.believe("another")
			r.DropLost(r.view)
			if r.DropLost(r.view); r.Duties.Handing.Load() != 1 || poked != 0 {
				t.Errorf("the view waits for %d", r.Duties.Handing.Load())
			}
			<-set
			if out := <-waits; !errs.IsUnsettled(out.err) {
				t.Errorf("who waits for the Writer: %v", out.err)
			}
			if returns {
				p.ends <- nil
				synctest.Wait()
			} else {
				time.Sleep(r.LoadTimeout - time.Second)
				if r.Duties.Handing.Load() != 1 {
					t.Error("given up before its time")
				}
				time.Sleep(2 * time.Second)
				w := r.of("k").writings.calls["k"]
				if !w.givenUp || r.Counts.StuckWrites.Load() != 1 || len(log.records) != 1 || !r.of("k").writings.areQuiet() {
					t.Errorf("given up %t, %d counted", w.givenUp, r.Counts.StuckWrites.Load())
				}
				if r.DropLost(r.view); r.Duties.Handing.Load() != 0 {
					t.Error("held back by one that was given up")
				}
			}
			if r.Duties.Handing.Load() != 0 || poked != 1 {
				t.Errorf("the view waits for %d, was told %d times", r.Duties.Handing.Load(), poked)
			}
			if !returns {
				p.ends <- nil
				synctest.Wait()
				if poked != 1 || r.forgotten.Load() != 2 { // by the write that failed, and by the Writer
					t.Errorf("told %d times, %d to forget", poked, r.forgotten.Load())
				}
			}
		})
	}
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		r.set("k", "new")
		r.Life.Close()
		time.Sleep(2 * r.LoadTimeout)
		if r.Counts.StuckWrites.Load() != 0 {
			t.Error("given up when the node closes")
		}
		p.ends <- nil
	})
}

// TestAwaitTurn: who waits for another write hears of the end of their own time, and that a
// Writer runs shortly before that.
func TestAwaitTurn(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		s := r.of("k")
		s.reserved.reserve("k")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := r.Write(ctx, r.hash("k"), "k", Change{}); err != context.DeadlineExceeded || time.Since(start) != time.Second {
			t.Errorf("no Writer runs: %v after %v", err, time.Since(start))
		}
		s.writings.begin("k")
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start = time.Now()
		if err := r.Write(ctx, r.hash("k"), "k", Change{}); !errors.Is(err, errs.ErrWriterBusy) || time.Since(start) != 980*time.Millisecond {
			t.Errorf("a Writer runs: %v after %v", err, time.Since(start))
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		waits := r.going(ctx, "k", Change{})
		cancel()
		if out := <-waits; out.err != context.Canceled {
			t.Errorf("the caller left: %v", out.err)
		}
		delete(s.writings.calls, "k")
		waits = r.going(context.Background(), "k", setTo("k", "v"))
		s.mu.Lock()
		r.releaseLocked(s, r.hash("k"), "k")
		s.mu.Unlock()
		if out := <-waits; out.err != nil || r.held("k") != "v" {
			t.Errorf("the key is free: %v", out.err)
		}
		s.reserved.reserve("k")
		waits = r.going(context.Background(), "k", Change{})
		r.Life.Close()
		if out := <-waits; out.err != errs.ErrClosed {
			t.Errorf("the node closes: %v", out.err)
		}
		delete(s.reserved, "k")
	})
}

// TestCalledOffWrite: a change that is not made after all frees its key, and its Writer is
// not called.
func TestCalledOffWrite(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		c := on(wire.Condition{If: wire.IfAbsent})
		if err := r.changeKey("k", Change{E: entry("k", "new"), If: c}); err != nil || c.Got.Met || p.calls != 0 || r.held("k") != "old" {
			t.Errorf("%v, %+v, memory has %q", err, c.Got, r.held("k"))
		}
		c = on(wire.Condition{If: wire.IfPresent})
		r.Store.Delete(r.hash("k"), "k")
		set := r.going(context.Background(), "k", Change{E: entry("k", "new"), If: c})
		p.ends <- nil
		if out := <-set; out.err != nil || !c.Got.Met || p.calls != 1 || r.held("k") != "new" {
			t.Errorf("%v, %+v, memory has %q", out.err, c.Got, r.held("k"))
		}
	})
}
