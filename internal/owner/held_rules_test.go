//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// TestPeekAndItem: what a key has in memory that this member owns, and that is fresh.
func TestPeekAndItem(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		hash := r.hash("k")
		if r.Peek(hash, "k") != nil {
			t.Error("something where nothing is")
		}
		for _, test := range []struct {
			e     *store.Entry
			there bool
		}{
			{&store.Entry{}, true}, {&store.Entry{Care: &store.Care{}}, true}, {&store.Entry{Expires: 2 * second}, true},
			{&store.Entry{Expires: 2 * second, Care: &store.Care{Fresh: second + 1}}, true},
			{&store.Entry{Expires: 2 * second, Care: &store.Care{Fresh: second}}, false},
		} {
			test.e.Key = "k"
			must(t, r.Store.Set(hash, test.e, 0))
			if e := r.Peek(hash, "k"); (e == test.e) != test.there || (e != nil) != test.there {
				t.Errorf("%+v: there %t", test.e, e != nil)
			}
			if e, err := r.ItemOf(context.Background(), hash, "k", true); (e == test.e) != test.there || (err == nil) != test.there {
				t.Errorf("%+v: %v, %v", test.e, e, err)
			}
		}
		must(t, r.Store.Set(hash, &store.Entry{Key: "k", Negative: true}, 0))
		for _, peek := range []bool{true, false} {
			if e, err := r.ItemOf(context.Background(), hash, "k", peek); e != nil || !errors.Is(err, errs.ErrNotFound) {
				t.Errorf("no row: %v, %v", e, err)
			}
		}
		if e, err := r.ItemOf(context.Background(), r.hash("other"), "other", false); err != nil || string(e.Data) != "old" {
			t.Errorf("loaded: %v, %v", e, err)
		}
		r.writes.Confirm(0)
		if e, err := r.ItemOf(context.Background(), r.hash("other"), "other", true); r.Peek(r.hash("other"), "other") != nil || e != nil || !errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("without a right: %v, %v", e, err)
		}
		now := uint64(time.Now().UnixNano())
		for stored, age := range map[uint64]time.Duration{now: 0, now + 5: 0, now - 5: 5} {
			if got := AgeOf(&store.Entry{Version: store.Version{Clock: stored}}); got != age {
				t.Errorf("stored at %d: age %v", stored, got)
			}
		}
	})
}

// TestLetGo: a value that another has now goes, in the view in which that one has it.
func TestLetGo(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		e, v := r.put("k", "v", 0), r.view
		r.believe("self")
		if r.LetGo(v, r.hash("k"), e) || r.held("k") != "v" {
			t.Error("let go in another view")
		}
		if !r.LetGo(r.view, r.hash("k"), e) || r.held("k") != "" {
			t.Error("kept")
		}
	})
}

// TestExchange: an entry takes the place of one of the same value, unless that is gone or
// about to go.
func TestExchange(t *testing.T) {
	for what, test := range map[string]struct {
		before func(r *rig, s *shard)
		done   bool
	}{
		"exchanged":       {func(*rig, *shard) {}, true},
		"closed":          {func(_ *rig, s *shard) { s.closed = true }, false},
		"a Clear":         {func(_ *rig, s *shard) { s.emptying = 1 }, false},
		"an era ended":    {func(r *rig, _ *shard) { r.writes.NewEra() }, false},
		"without a right": {func(r *rig, _ *shard) { r.writes.Confirm(0) }, false},
		"written":         {func(r *rig, _ *shard) { r.put("k", "other", 0) }, false},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.writes.NewEra()
			old, e := r.put("k", "v", 0), entry("k", "v")
			test.before(r, r.of("k"))
			r.Exchange(old, e)
			r.of("k").closed, r.of("k").emptying = false, 0
			if got := r.Store.Peek(r.hash("k"), "k", 0); (got == e) != test.done || test.done && e.Epoch.Load() != r.State.Era() {
				t.Errorf("%s: exchanged %t, of era %d", what, got == e, e.Epoch.Load())
			}
		})
	}
}

// TestDiscard: an entry that cannot be read goes if it can be loaded again, and is there.
func TestDiscard(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		e := r.put("k", "v", 0)
		if r.Discard(r.hash("k"), "k", nil) || r.Discard(r.hash("none"), "none", nil) || r.Discard(r.hash("k"), "k", entry("k", "v")) || r.held("k") != "v" {
			t.Error("another was discarded")
		}
		load := r.Origin.Load
		if r.Origin.Load = nil; r.Discard(r.hash("k"), "k", e) || r.held("k") != "v" {
			t.Error("discarded what cannot be loaded")
		}
		r.Origin.Load = load
		if !r.Discard(r.hash("k"), "k", e) || r.held("k") != "" {
			t.Error("not discarded")
		}
	})
}

// TestDropBefore: what was stored before an era goes, if it can be loaded again, and the
// loads that began before it store nothing.
func TestDropBefore(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("before", "v", 0)
		r.writes.NewEra()
		r.put("after", "v", 0)
		load := r.Origin.Load
		r.Origin.Load = nil
		if r.DropBefore(r.State.Era()); r.held("before") == "" {
			t.Error("dropped what cannot be loaded")
		}
		r.Origin.Load = load
		r.gate = make(chan struct{})
		loading := began(func() (string, error) { return r.get("k") })
		r.NoteTooLarge("large")
		s, changes := r.of("k"), r.of("k").changes.Load()
		if r.DropBefore(r.State.Era()); r.held("before") != "" || r.held("after") == "" {
			t.Errorf("before %q, after %q", r.held("before"), r.held("after"))
		}
		if r.IsTooLarge(r.hash("large"), "large") || r.notes.taken.Load() != 0 || s.changes.Load() == changes {
			t.Error("notes stay")
		}
		close(r.gate)
		if <-loading; r.held("k") != "" {
			t.Error("stored")
		}
	})
}

// TestEachSettled: a value of which the origin is being written is not among what is held.
func TestEachSettled(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("a", "v", 0)
		r.put("b", "v", 0)
		r.put("c", "v", 0)
		r.of("b").writings.begin("b")
		seen := make(map[string]bool)
		r.EachSettled(func(hash uint64, e *store.Entry) { seen[e.Key] = hash == r.hash(e.Key) })
		if len(seen) != 2 || !seen["a"] || !seen["c"] {
			t.Errorf("seen %v", seen)
		}
		delete(r.of("b").writings.calls, "b")
	})
}

// TestTooLargeToSend is remembered of what this member owns.
func TestTooLargeToSend(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.NoteTooLarge("k")
		for i := range 64 {
			if other := fmt.Sprint(i); r.of(other) == r.of("k") {
				r.NoteTooLarge(other)
				break
			}
		}
		if r.NoteTooLarge("other"); !r.IsTooLarge(r.hash("k"), "k") || !r.IsTooLarge(r.hash("other"), "other") || r.IsTooLarge(r.hash("none"), "none") {
			t.Error("not remembered, or of another key")
		}
		time.Sleep(tooLargeFor - 1)
		if !r.IsTooLarge(r.hash("k"), "k") {
			t.Error("forgotten")
		}
		r.writes.Confirm(0)
		if r.IsTooLarge(r.hash("k"), "k") {
			t.Error("of what this member may not answer for")
		}
		r.writes.Confirm(1 << 60)
		if time.Sleep(time.Nanosecond); r.IsTooLarge(r.hash("k"), "k") {
			t.Error("remembered for longer")
		}
	})
}
