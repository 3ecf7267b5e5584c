//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// ruled runs f with a rig in a bubble, and checks that nothing stands in its shards when
// all is over. The rig's Care is f's to set before the first load.
func ruled(t *testing.T, write func(context.Context, string, *store.Entry) error, f func(t *testing.T, r *rig)) {
	t.Helper()
	inBubble(t, faultinject.Faults{}, write, func(r *rig) {
		f(t, r)
		synctest.Wait()
		for i := range r.made() {
			s := &r.made()[i]
			s.mu.Lock()
			if s.running != 0 || len(s.lanes) != 0 || len(s.cohorts) != 0 || s.spaced != 0 || len(s.reserved) > 0 || s.clearing != 0 ||
				s.emptying != 0 || len(s.writings.calls) != 0 || s.writings.overdue != 0 {
				t.Errorf("when all is over %d loads run, of %d keys; %d cohorts, %d spaced; %v reserved; %d Clears; %d Writers, %d overdue",
					s.running, len(s.lanes), len(s.cohorts), s.spaced, s.reserved, s.clearing, len(s.writings.calls), s.writings.overdue)
			}
			s.mu.Unlock()
		}
		if r.Duties.Handing.Load() != 0 || r.Duties.Telling.Load() != 0 {
			t.Errorf("when all is over the node waits for %d and %d", r.Duties.Handing.Load(), r.Duties.Telling.Load())
		}
	})
}

// must fails the test if err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recallFrom tells a holder whose session lapses at a time to drop its copy of a key.
func (r *rig) recallFrom(holder string, until int64) {
	r.holders.tellOne(r.until(holder, until), func(ctx context.Context, to *view.Owner) bool {
		return r.Others.Invalidate(ctx, to, r.hash("k"), "k")
	})
}

// put stores what a key has, as a write does.
func (r *rig) put(key, value string, expires time.Duration) *store.Entry {
	e := &store.Entry{Key: key, Data: []byte(value)}
	if expires != 0 {
		e.Expires = r.Clock.Now() + int64(expires)
	}
	if err := r.Write(context.Background(), r.hash(key), key, Change{E: e}); err != nil {
		panic(err)
	}
	return r.Store.Peek(r.hash(key), key, r.Clock.Now())
}

// remembering makes the part remember failures, and keep old values to serve them.
func (r *rig) remembering(failureTTL, staleFor time.Duration) {
	r.ErrorSize = func(error) (int64, bool) { return 100, true }
	r.FailureTTL, r.StaleFor = failureTTL, staleFor
	r.setbacks, r.reasons = newSetbacks(failureTTL, 1<<14), newReasons(staleFor, 1<<14)
}

func loadError(key string) *errs.LoadError {
	return &errs.LoadError{Group: "g", Key: key, Member: "self", Err: errOrigin}
}

// isClosed reports whether a channel is.
func isClosed[T any](c <-chan T) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
