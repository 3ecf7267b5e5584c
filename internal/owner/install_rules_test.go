//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// install is what a write does under the shard's lock.
func (r *rig) install(key string, ch Change) error {
	s := r.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.installLocked(s, r.hash(key), key, ch)
}

// fits returns an entry as large as one may be.
func (r *rig) fits(key string) *store.Entry {
	e := &store.Entry{Key: key, Data: make([]byte, 1<<15)}
	r.roomFor(e.Size())
	return e
}

// roomFor gives the store as much room as lets entries be so large.
func (r *rig) roomFor(size int64) {
	n := sort.Search(int(64*size), func(n int) bool {
		r.Store.Resize(int64(n))
		return int64(n) >= size && r.Store.MaxEntry() >= size
	})
	if err := r.Store.Resize(int64(n)); err != nil || r.Store.MaxEntry() != size {
		panic(fmt.Sprint("no room lets entries be ", size, " bytes: ", err))
	}
}

// TestWritable: what is too large, of a closed group, another's or not settled is refused,
// but for what was handed over before the view has settled.
func TestWritable(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		if err := r.install("k", Change{E: r.fits("k")}); err != nil {
			t.Errorf("a value that fits: %v", err)
		}
		large := &store.Entry{Key: "k", Data: make([]byte, 1<<15+1<<13)}
		if err := r.install("k", Change{E: large}); !errors.Is(err, errs.ErrTooLarge) {
			t.Errorf("a value that does not: %v", err)
		}
		old := r.Store.Peek(r.hash("k"), "k", 0)
		s := r.of("k")
		changes := s.changes.Load()
		if s.mu.Lock(); r.writableLocked(s, r.hash("k"), Change{E: large}) == nil || s.changes.Load() != changes || r.Store.Peek(r.hash("k"), "k", 0) != old {
			t.Error("it changed something")
		}
		s.mu.Unlock()
		r.writes.Confirm(0)
		if err := r.install("k", Change{}); !errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("not settled: %v", err)
		}
		if err := r.install("other", Change{E: entry("other", "v"), Merge: true}); err != nil {
			t.Errorf("handed over: %v", err)
		}
		r.believe("another")
		if err := r.install("k", Change{E: entry("k", "v"), Merge: true}); !errors.Is(err, errs.ErrNotOwner) {
			t.Errorf("handed over, another's: %v", err)
		}
		s.closed = true
		if err := r.install("k", Change{}); err != errs.ErrGroupClosed {
			t.Errorf("closed: %v", err)
		}
		s.closed = false
	})
}

// TestMinorityWrites hold on its side only, and are owed; a Writer is not called.
func TestMinorityWrites(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		must(t, r.install("k", Change{E: entry("k", "v")}))
		r.writes.Act(view.AsMinority)
		pe, _ := errors.AsType[*errs.PeerError](r.install("k", Change{E: entry("k", "new")}))
		if pe == nil || !pe.MaybeApplied || !errors.Is(pe, errs.ErrMinority) || r.held("k") != "new" || len(r.Owed.keys) != 1 {
			t.Errorf("Set: %+v, memory has %q, owed %v", pe, r.held("k"), r.Owed.keys)
		}
		r.Owed.Take()
		if err := r.install("k", Change{E: &store.Entry{Key: "k", Version: r.NextVersion()}, Merge: true}); err != nil || r.Owed.Any() {
			t.Errorf("handed over: %v", err)
		}
		r.Origin.Write = accepts
		pe, _ = errors.AsType[*errs.PeerError](r.install("k", Change{}))
		if pe == nil || pe.MaybeApplied || !errors.Is(pe, errs.ErrMinority) || r.Owed.Any() {
			t.Errorf("with a Writer: %+v", pe)
		}
		r.writes.Confirm(0)
		if err := r.install("k", Change{}); !errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("without a right either: %v", err)
		}
	})
	for _, write := range []bool{true, false} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			if write {
				r.Origin.Write = accepts
			}
			if err := r.install("k", Change{}); err != nil {
				t.Errorf("by majority: %v", err)
			}
		})
	}
}

// TestPut: a write takes back the token of a load, forgets what was remembered of the key,
// and stores what has not expired.
func TestPut(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		r.remembering(time.Second, time.Hour)
		r.setbacks.note("k", &memo{err: loadError("k"), size: 1}, r.Clock.Now())
		r.NoteTooLarge("k")
		s, changes := r.of("k"), r.of("k").changes.Load()
		r.writes.NewEra()
		e, c := entry("k", "v"), new(Conditional)
		e.Expires = r.Clock.Now() + 1
		must(t, r.install("k", Change{E: e, If: c}))
		if r.setbacks.held() != 0 || r.IsTooLarge(r.hash("k"), "k") || s.changes.Load() == changes || e.Epoch.Load() != r.State.Era() || e.Care == nil || !c.Got.Met || c.Got.Version != e.Version {
			t.Errorf("setbacks %d, changes %d, era %d, care %v, got %+v", r.setbacks.held(), s.changes.Load(), e.Epoch.Load(), e.Care, c.Got)
		}
		past := entry("k", "past")
		past.Expires = r.Clock.Now()
		c = new(Conditional)
		if must(t, r.install("k", Change{E: past, If: c})); r.held("k") != "" || !c.Got.Met || c.Got.Version != (store.Version{}) {
			t.Errorf("an expired value: memory has %q, got %+v", r.held("k"), c.Got)
		}
		r.Origin.Load = nil
		c = new(Conditional)
		if must(t, r.install("k", Change{If: c})); r.held("k") != "" || !c.Got.Met {
			t.Error("a Delete")
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(0, time.Hour)
		c := new(Conditional)
		if err := r.install("k", Change{E: r.fits("k"), If: c}); !errors.Is(err, errs.ErrTooLarge) || c.Got.Met {
			t.Errorf("with its care it is too large: %v", err)
		}
	})
}

// TestMergeKeepsTheNewer of what is here and what was handed over.
func TestMergeKeepsTheNewer(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		at := func(clock uint64, value string) Change {
			return Change{E: &store.Entry{Key: "k", Data: []byte(value), Version: store.Version{Clock: clock}}, Merge: true}
		}
		for _, test := range []struct {
			ch   Change
			want string
		}{{at(5, "five"), "five"}, {at(5, "again"), "five"}, {at(4, "four"), "five"}, {at(6, "six"), "six"}} {
			if must(t, r.install("k", test.ch)); r.held("k") != test.want {
				t.Errorf("%s came: memory has %q, want %q", test.ch.E.Data, r.held("k"), test.want)
			}
		}
		r.believe("another")
		if must(t, r.KeepForOthers(r.hash("k"), at(7, "seven").E)); r.held("k") != "seven" {
			t.Errorf("kept for others: %q", r.held("k"))
		}
		if must(t, r.KeepForOthers(r.hash("k"), at(6, "six").E)); r.held("k") != "seven" {
			t.Errorf("kept for others: %q", r.held("k"))
		}
	})
}

// fillIn stores what was loaded.
func (r *rig) fillIn(f *flight, e *store.Entry) {
	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	r.fillLocked(f, e)
}

// TestFill: what may not be stored is not, and then nothing older stays.
func TestFill(t *testing.T) {
	for what, test := range map[string]struct {
		before func(r *rig, f *flight, e *store.Entry)
		held   string
		large  uint64
	}{
		"stored": {func(*rig, *flight, *store.Entry) {}, "new", 0},
		"void":   {func(_ *rig, f *flight, _ *store.Entry) { f.void = true }, "old", 0},
		"void, and ignored": {func(r *rig, f *flight, _ *store.Entry) {
			f.void = true
			r.Faults = &faultinject.Faults{IgnoreFillToken: true}
		}, "new", 0},
		"not to be stored":  {func(_ *rig, _ *flight, e *store.Entry) { e.Expires = DoNotStore }, "", 0},
		"a Clear empties":   {func(_ *rig, f *flight, _ *store.Entry) { f.shard.emptying = 1 }, "", 0},
		"closed":            {func(_ *rig, f *flight, _ *store.Entry) { f.shard.closed = true }, "", 0},
		"of another era":    {func(_ *rig, f *flight, _ *store.Entry) { f.era = 7 }, "", 0},
		"without a right":   {func(r *rig, _ *flight, _ *store.Entry) { r.writes.Confirm(0) }, "", 0},
		"too large to keep": {func(_ *rig, _ *flight, e *store.Entry) { e.Data = make([]byte, 1<<20) }, "", 1},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.put("k", "old", 0)
			e, f := entry("k", "new"), newFlight(context.Background(), r.of("k"), r.hash("k"), "k")
			changes := f.shard.changes.Load()
			test.before(r, f, e)
			r.fillIn(f, e)
			f.shard.emptying, f.shard.closed = 0, false
			if r.held("k") != test.held || r.Counts.TooLarge.Load() != test.large || f.shard.changes.Load() == changes {
				t.Errorf("%s: memory has %q, %d too large", what, r.held("k"), r.Counts.TooLarge.Load())
			}
		})
	}
}

// TestFilledEntries have a version, the care that is wanted, and without a majority a limit
// from when the load began.
func TestFilledEntries(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		r.writes.NewEra()
		r.Care.RefreshAfter = 5
		f := newFlight(context.Background(), r.of("k"), r.hash("k"), "k")
		f.began, f.era = 3, r.State.Era()
		e := entry("k", "v")
		if r.fillIn(f, e); e.Version == (store.Version{}) || e.Expires != 0 || e.Care == nil || e.Care.Next.Load() != second+5 || e.Epoch.Load() != f.era {
			t.Errorf("version %v, expires %d, care %v, era %d", e.Version, e.Expires, e.Care, e.Epoch.Load())
		}
		r.writes.Act(view.AsHalf)
		e = entry("k", "v")
		if r.fillIn(f, e); e.Expires != 3+int64(time.Minute) {
			t.Errorf("expires %d", e.Expires)
		}
	})
}

// TestNoRow is remembered if the group wants that; a value before it goes in any case.
func TestNoRow(t *testing.T) {
	for _, ttl := range []time.Duration{0, time.Second} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			time.Sleep(time.Second)
			r.NotFoundTTL = ttl
			r.put("k", "old", 0)
			f := newFlight(context.Background(), r.of("k"), r.hash("k"), "k")
			f.shard.mu.Lock()
			r.fillNotFoundLocked(f)
			f.shard.mu.Unlock()
			e := r.Store.Peek(r.hash("k"), "k", r.Clock.Now())
			if (e != nil) != (ttl > 0) || e != nil && (!e.Negative || e.Key != "k" || e.Expires != 2*second) {
				t.Errorf("TTL %v: %+v", ttl, e)
			}
		})
	}
}
