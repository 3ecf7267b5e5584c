//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// getWith is a Get that missed, with a context.
func (r *rig) getWith(ctx context.Context, key string) chan result[string] {
	return began(func() (string, error) {
		e, _, err := r.Part.Load(ctx, r.hash(key), key)
		if e == nil {
			return "", err
		}
		return string(e.Data), err
	})
}

// stubborn makes the loader one that ignores its context: each call returns when it gets
// a row.
func (r *rig) stubborn() (rows chan string) {
	rows = make(chan string)
	r.Origin.Load = func(_ context.Context, key string) (*store.Entry, error) {
		r.loads.Add(1)
		return entry(key, <-rows), nil
	}
	return rows
}

// failing makes the loader one that fails.
func (r *rig) failing() {
	r.Origin.Load = func(context.Context, string) (*store.Entry, error) { r.loads.Add(1); return nil, errOrigin }
}

// TestBegins: a load that begins is counted, and has its own deadline and the era.
func TestBegins(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		r.writes.NewEra()
		s, f := r.waiting("k")
		f.insists = true
		s.mu.Lock()
		l := s.lanes.of("k")
		n := r.beginLocked(l, f, nil)
		deadline, _ := f.ctx.Deadline()
		if n.load != f || l.current != f || l.next != nil || l.running != 1 || s.running != 1 || f.began != second || f.era != r.State.Era() || f.state != flightRuns ||
			time.Until(deadline) != r.LoadTimeout || !f.reserved || !s.reserved.isTaken("k") {
			t.Errorf("lane %+v, flight %+v", l, f)
		}
		r.doLocked(s, f.hash, "k", n)
		s.mu.Unlock()
		<-f.done
	})
}

// TestInsists: a key is reserved for a load that runs and insists, once, unless it is taken.
func TestInsists(t *testing.T) {
	for what, test := range map[string]struct {
		before   func(s *shard, f *flight)
		reserved bool
	}{
		"it insists":          {func(*shard, *flight) {}, true},
		"it does not":         {func(_ *shard, f *flight) { f.insists = false }, false},
		"it has the key":      {func(_ *shard, f *flight) { f.reserved = true }, false},
		"it waits to begin":   {func(_ *shard, f *flight) { f.state = flightWaits }, false},
		"it is void":          {func(_ *shard, f *flight) { f.void = true }, false},
		"leases are recalled": {func(s *shard, _ *flight) { s.reserved.reserve("k") }, false},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			s := r.of("k")
			f := &flight{shard: s, key: "k", insists: true, state: flightRuns}
			test.before(s, f)
			before, had := s.reserved["k"], f.reserved
			r.insistLocked(f)
			if got := f.reserved && !had; got != test.reserved || (s.reserved.isTaken("k") && s.reserved["k"] != before) != test.reserved {
				t.Errorf("%s: reserved %t", what, got)
			}
			delete(s.reserved, "k")
		})
	}
}

// TestNextByWhatIsThere: who waits is answered by a value that has come, which may be due, or
// old with the reason; one that wants another heeds only what forbids a load.
func TestNextByWhatIsThere(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		r.remembering(time.Second, time.Hour)
		s, f := r.waiting("k")
		e := &store.Entry{Key: "k", Care: new(store.Care)}
		e.Care.Next.Store(1)
		must(t, r.Store.Set(f.hash, e, second))
		if n := r.nextLocked(s, f.hash, "k"); n.due != e || !isClosed(f.done) || f.out != (landed{entry: e, hit: true}) || len(s.lanes) != 0 {
			t.Errorf("due %v, landed %+v", n.due, f.out)
		}
		e.Care.Next.Store(second + 1)
		_, f = r.waiting("k")
		if n := r.nextLocked(s, f.hash, "k"); n.due != nil || f.out.entry != e {
			t.Errorf("due %v, landed %+v", n.due, f.out)
		}
		e.Care.Fresh = 1
		e.Care.Failures.Store(1)
		_, f = r.waiting("k")
		if n := r.nextLocked(s, f.hash, "k"); n.due != nil || f.out.entry != e || f.out.hit || f.out.err == nil {
			t.Errorf("an old value: due %v, landed %+v", n.due, f.out)
		}
		r.Store.Delete(f.hash, "k")
		r.setbacks.note("k", &memo{err: loadError("k"), size: 1}, second)
		_, f = r.waiting("k")
		if n := r.nextLocked(s, f.hash, "k"); n.load != nil || f.out.entry != nil || f.out.hit || !errs.IsOutcome(f.out.err) {
			t.Errorf("a failure a moment ago: landed %+v", f.out)
		}
		_, f = r.waiting("k")
		f.forced = true
		n := r.nextLocked(s, f.hash, "k")
		if n.load != f {
			t.Errorf("forced: landed %+v", f.out)
		}
		s.mu.Lock()
		r.doLocked(s, f.hash, "k", n)
		s.mu.Unlock()
		<-f.done
		r.believe("another")
		_, f = r.waiting("k")
		f.forced = true
		if n := r.nextLocked(s, f.hash, "k"); n.load != nil || !errors.Is(f.out.err, errs.ErrNotOwner) || len(s.lanes) != 0 {
			t.Errorf("forced, and another's: landed %+v", f.out)
		}
		s.lanes.of("empty")
		if r.nextLocked(s, r.hash("empty"), "empty"); len(s.lanes) != 0 {
			t.Error("an empty lane stays")
		}
	})
}

// TestPresent: what a key has without a load, or why it may not be loaded.
func TestPresent(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(time.Second, time.Hour)
		hash, s := r.hash("k"), r.of("k")
		r.setbacks.note("k", &memo{err: loadError("k"), size: 1}, 0)
		if e, _, err := r.presentLocked(s, hash, "k"); e != nil || !errors.Is(err, errOrigin) {
			t.Errorf("it failed a moment ago: %v, %v", e, err)
		}
		old := &store.Entry{Key: "k", Care: &store.Care{Fresh: 1}}
		old.Care.Failures.Store(1)
		old.Care.Next.Store(second)
		must(t, r.Store.Set(hash, old, 0))
		time.Sleep(time.Millisecond)
		r.setbacks.forgetAll()
		if e, due, err := r.presentLocked(s, hash, "k"); e != old || due || err == nil {
			t.Errorf("an old value: %v, %t, %v", e, due, err)
		}
		if e, _, err := r.presentLocked(r.of("none"), r.hash("none"), "none"); e != nil || err != nil {
			t.Errorf("nothing: %v, %v", e, err)
		}
		r.Life.Close()
		if e, due, err := r.presentLocked(s, hash, "k"); e != nil || due || err != errs.ErrClosed {
			t.Errorf("the node closes: %v, %t, %v", e, due, err)
		}
	})
}

// TestBusy: a key is busy while it is taken, or copies of what was evicted are out, and then
// it is taken to recall them.
func TestBusy(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		s := r.of("k")
		s.reserved.reserve("k")
		if busy, recall := r.busyLocked(s, r.hash("k"), "k"); !busy || recall {
			t.Errorf("taken: busy %t, recall %t", busy, recall)
		}
		s.release(r.hash("k"), "k", &r.notes)
		r.hold("k", 0)
		if busy, recall := r.busyLocked(s, r.hash("k"), "k"); busy || recall || s.registered.used != 0 || r.notes.taken.Load() != 0 {
			t.Errorf("lapsed: busy %t, recall %t, %d books", busy, recall, s.registered.used)
		}
		r.hold("k", 1)
		if busy, recall := r.busyLocked(s, r.hash("k"), "k"); !busy || !recall || !s.reserved.isTaken("k") {
			t.Errorf("a copy is out: busy %t, recall %t", busy, recall)
		}
		delete(s.reserved, "k")
	})
}

// TestVoid: a load whose token was taken back is joined no more; nobody waits for one, and it
// ends; with a Writer those who wait look again.
func TestVoid(t *testing.T) {
	void := func(r *rig, waiters int) (*flight, context.Context) {
		f := newFlight(context.Background(), r.of("k"), r.hash("k"), "k")
		f.ctx, f.cancel = context.WithCancel(context.Background())
		f.waiters = waiters
		l := r.of("k").lanes.of("k")
		l.current = f
		r.of("k").mu.Lock()
		r.voidKeyLocked(r.of("k"), "k")
		r.of("k").mu.Unlock()
		if !f.void || l.current != nil {
			t.Error("not void, or joined")
		}
		delete(r.of("k").lanes, "k")
		return f, f.ctx
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		f, ctx := void(r, 1)
		if ctx.Err() != nil || isClosed(f.done) {
			t.Error("who waits hears nothing of the load")
		}
		f.waiters = 0
		if r.voidLocked(f); ctx.Err() != nil {
			t.Error("void twice")
		}
		if _, ctx = void(r, 0); ctx.Err() == nil {
			t.Error("nobody waits, and it goes on")
		}
		r.Origin.Write = accepts
		f, ctx = void(r, 1)
		if ctx.Err() == nil || !isClosed(f.done) || f.out.err != errVoid {
			t.Error("who waits is not sent back")
		}
		r.Faults = &faultinject.Faults{IgnoreFillToken: true}
		f, ctx = void(r, 1)
		if ctx.Err() != nil || isClosed(f.done) {
			t.Error("who waits is sent back without the fill token")
		}
		s := r.of("k")
		changes := s.changes.Load()
		s.mu.Lock()
		r.voidAllLocked(s)
		all := s.changes.Load()
		r.reserveLocked(s, "k")
		s.mu.Unlock()
		if all == changes || s.changes.Load() == all {
			t.Error("a spare value may be kept")
		}
		s.release(r.hash("k"), "k", &r.notes)
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		s := r.of("k")
		s.mu.Lock()
		r.reserveLocked(s, "k")
		s.mu.Unlock()
		close(r.gate)
		if <-get; r.held("k") != "" {
			t.Error("stored beside a write")
		}
		s.mu.Lock()
		r.releaseLocked(s, r.hash("k"), "k")
		s.mu.Unlock()
	})
}
