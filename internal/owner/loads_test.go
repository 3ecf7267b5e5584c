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

// waiting puts a flight of a key into its lane, that waits to begin.
func (r *rig) waiting(key string) (*shard, *flight) {
	s := r.shard(r.hash(key))
	f := newFlight(context.Background(), s, r.hash(key), key)
	f.waiters = 1
	s.lanes.of(key).next = f
	return s, f
}

// landedAs returns what a flight came to, false while it came to nothing.
func (f *flight) landedAs() (landed, bool) {
	select {
	case <-f.done:
		return f.out, true
	default:
		return landed{}, false
	}
}

// TestNext: what is next for a key in whose lane a load waits, with nothing of it done.
func TestNext(t *testing.T) {
	for _, test := range []struct {
		what   string
		before func(r *rig, s *shard, f *flight)
		begins bool
		recall bool
		landed bool
		err    error
	}{
		{what: "its load begins", before: func(*rig, *shard, *flight) {}, begins: true},
		{what: "the value has come", landed: true, before: func(r *rig, _ *shard, _ *flight) {
			r.Store.Set(r.hash("k"), &store.Entry{Key: "k"}, 0)
		}},
		{what: "the value has come, and another is wanted", begins: true, before: func(r *rig, _ *shard, f *flight) {
			f.forced = true
			r.Store.Set(r.hash("k"), &store.Entry{Key: "k"}, 0)
		}},
		{what: "a copy of what was evicted is out", recall: true, before: func(r *rig, s *shard, _ *flight) {
			r.hold("k", r.Clock.Now()+int64(time.Second))
		}},
		{what: "that copy's lease has lapsed", begins: true, before: func(r *rig, s *shard, _ *flight) {
			r.hold("k", r.Clock.Now())
		}},
		{what: "the key is being written", before: func(_ *rig, s *shard, _ *flight) { s.reserved.reserve("k") }},
		{what: "two loads run", before: func(_ *rig, s *shard, _ *flight) { s.lanes["k"].running = maxRunning }},
		{what: "all that it could wait for is stuck", landed: true, err: errs.ErrOverloaded,
			before: func(_ *rig, s *shard, _ *flight) { s.lanes["k"].stuck = maxLoading }},
		{what: "there is no loader", landed: true, err: errs.ErrNotFound, before: func(r *rig, _ *shard, _ *flight) { r.Origin.Load = nil }},
		{what: "the group is closed", landed: true, err: errs.ErrGroupClosed, before: func(_ *rig, s *shard, _ *flight) { s.closed = true }},
		{what: "the key is another's", landed: true, err: errs.ErrNotOwner, before: func(r *rig, _ *shard, _ *flight) { r.believe("another") }},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
				s, f := r.waiting("k")
				s.mu.Lock()
				defer s.mu.Unlock()
				test.before(r, s, f)
				n := r.nextLocked(s, f.hash, "k")
				out, over := f.landedAs()
				if begins := n.load == f; begins != test.begins || n.recall != test.recall || over != test.landed || !errors.Is(out.err, test.err) {
					t.Errorf("begins %t, recall %t, landed %t with %v", begins, n.recall, over, out.err)
				}
				if waits := s.lanes["k"] != nil && s.lanes["k"].next == f; waits != (!test.begins && !test.landed) {
					t.Errorf("waits %t", waits)
				}
				if r.loads.Load() != 0 || r.told.Load() != 0 {
					t.Error("it was done, and not only said")
				}
				if test.begins { // as loads.run does
					f.cancel()
					s.running--
					r.Life.Done()
				}
			})
		})
	}
}
