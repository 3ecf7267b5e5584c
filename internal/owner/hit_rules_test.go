//go:build !race

package owner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestNoHit is said of what came to nothing.
func TestNoHit(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		load := func(ctx context.Context) {
			t.Helper()
			if _, hit, err := r.Part.Load(ctx, r.hash("k"), "k"); hit || err == nil {
				t.Errorf("hit %t, %v", hit, err)
			}
		}
		holds := r.holdingTurn()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		load(ctx) // overloaded
		cancel()
		load(ctx)
		close(r.gate)
		<-holds
		r.believe("another")
		load(context.Background())
		if e, err := r.ItemOf(context.Background(), r.hash("k"), "k", false); e != nil || !errors.Is(err, errs.ErrNotOwner) {
			t.Errorf("%v, %v", e, err)
		}
		r.believe("self")
		r.gate = make(chan struct{})
		go func() { time.Sleep(time.Second); r.Life.Close() }()
		load(context.Background())
		close(r.gate)
	})
}

// TestDueOnAMiss: a value that was refreshed a moment ago, or is to be, is found under the lock.
func TestDueOnAMiss(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.RefreshAfter = time.Second
		r.put("k", "v", 0)
		time.Sleep(time.Second)
		if e, err := r.ItemOf(context.Background(), r.hash("k"), "k", true); e == nil || err != nil {
			t.Errorf("%v, %v", e, err)
		}
		if synctest.Wait(); r.loads.Load() != 0 {
			t.Error("a look refreshes")
		}
		r.Origin.LoadMany = func(context.Context, []string) (map[string]origin.Loaded, error) { return nil, errOrigin }
		if e, hit, err := r.Part.Load(context.Background(), r.hash("k"), "k"); e == nil || !hit || err != nil {
			t.Errorf("%v, %t, %v", e, hit, err)
		}
		if synctest.Wait(); r.loads.Load() != 1 || r.held("k") != "old" {
			t.Errorf("%d loads, memory has %q", r.loads.Load(), r.held("k"))
		}
	})
}

// TestContentIsAHit where the key was Set meanwhile; and who is content waits no longer.
func TestContentIsAHit(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.oldOne(t, "k")
		type out struct {
			e   *store.Entry
			hit bool
		}
		get := began(func() (out, error) {
			e, hit, err := r.Part.Load(context.Background(), r.hash("k"), "k")
			return out{e, hit}, err
		})
		must(t, r.Store.Set(r.hash("k"), entry("k", "set"), 0))
		if o := <-get; o.err != nil || !o.v.hit {
			t.Errorf("%+v", o)
		}
		if n := r.Waiting(r.hash("k"), "k"); n != 0 {
			t.Errorf("%d wait", n)
		}
		close(r.gate)
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Minute)
		f := newFlight(context.Background(), r.of("k"), r.hash("k"), "k")
		must(t, r.Store.Set(r.hash("k"), &store.Entry{Key: "k", Care: new(store.Care)}, 0))
		if r.softTimer(context.Background(), f) != nil {
			t.Error("a group that serves nothing old")
		}
		r.StaleFor, r.StaleWait = time.Hour, time.Second
		timer := r.softTimer(context.Background(), f)
		if time.Sleep(time.Second - 1); isClosed(timer.C) {
			t.Error("a load that has not begun has run for long")
		}
	})
}

// TestBatchThatNobodyWants is not called, and its flights land.
func TestBatchThatNobodyWants(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		calls := r.manyOf(rowOf)
		s, f := r.waiting("k")
		l := s.lanes["k"]
		l.next = nil
		l.countLocked(f)
		b := &loadBatch{flights: []*flight{f}, done: make(chan struct{})}
		b.ctx, b.cancel = context.WithCancel(context.Background())
		b.cancel()
		if r.callBatch(b); len(*calls) != 0 || !isClosed(b.done) || b.err != context.Canceled || f.state != flightLanded || len(s.lanes) != 0 {
			t.Errorf("%d calls, %v, state %d", len(*calls), b.err, f.state)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // one that a loader with the turn waits for needs none
		holds := r.holdingTurn()
		calls := r.manyOf(rowOf)
		r.BatchWindow = time.Millisecond
		nested := origin.WithHeld(context.Background(), &origin.HeldTurns{Group: "g"})
		get := r.getWith(nested, "k")
		time.Sleep(time.Second)
		if synctest.Wait(); len(*calls) != 1 {
			t.Errorf("%d calls", len(*calls))
		}
		close(r.gate)
		<-get
		<-holds
	})
}

// TestClearSaysWhatFailed: a copy that was not recalled, a shard that is closed, another view;
// and the Writer hears nothing of it.
func TestClearSaysWhatFailed(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		r.writes.Confirm(0)
		if err := r.clearing(); !errors.Is(err, errs.ErrUnsettled) || r.held("k") != "" {
			t.Errorf("without a right: %v", err)
		}
		r.writes.Confirm(1 << 60)
		r.allShards()[0].closed = true
		if err := r.clearing(); err != errs.ErrGroupClosed {
			t.Errorf("one shard is closed: %v", err)
		}
		r.allShards()[0].closed = false
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		r.acknowledges.Store(false)
		clears := began(func() (struct{}, error) { return struct{}{}, r.clearing() })
		v := view.New([]quorum.Member{{ID: "another", Name: "another", Leaving: true}, {ID: "self", Name: "self"}}, r.view, "self",
			func(string) wire.Peer { return nowhere{} }, false)
		r.writes.Publish(v)
		r.writes.Settle(v)
		if out := <-clears; out.err != errs.ErrUnsettled {
			t.Errorf("another view: %v", out.err)
		}
	})
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		r.get("k")
		r.lease(t, "k")
		if err := r.clearing(); err != nil || p.calls != 0 {
			t.Errorf("%v; the Writer was called %d times", err, p.calls)
		}
	})
}

// TestNoRowForEver is remembered until it is written.
func TestNoRowForEver(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.NotFoundTTL = Forever
		r.Origin.Load = func(context.Context, string) (*store.Entry, error) { return nil, errs.ErrNotFound }
		r.get("k")
		if e := r.Store.Peek(r.hash("k"), "k", 1<<60); e == nil || !e.Negative {
			t.Errorf("%v", e)
		}
	})
}

// hanging are members that say nothing until they need not.
type hanging struct{ *rig }

func (hanging) Invalidate(ctx context.Context, _ *view.Owner, _ uint64, _ string) bool {
	<-ctx.Done()
	return false
}

func (h hanging) InvalidateAll(ctx context.Context, to *view.Owner) bool {
	return h.Invalidate(ctx, to, 0, "")
}

// TestRecallEndsWithTheNode though a holder says nothing; one that is gone is not asked.
func TestRecallEndsWithTheNode(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		start := time.Now()
		r.recallFrom("gone", second)
		if time.Since(start) != time.Second || r.told.Load() != 0 {
			t.Errorf("%v, told %d times", time.Since(start), r.told.Load())
		}
		r.Others = hanging{r}
		ends := began(func() (struct{}, error) { r.recallFrom("holder", 1<<60); return struct{}{}, nil })
		r.Life.Close()
		if synctest.Wait(); len(ends) != 1 {
			t.Error("it goes on")
		}
	})
}
