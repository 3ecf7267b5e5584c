//go:build !race

package owner

import (
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// TestStaleNow: after a failed load an old value is served at once, for a while; the next
// attempt is one caller's to make.
func TestStaleNow(t *testing.T) {
	const next = 100 * second
	entry := func(change func(e *store.Entry)) *store.Entry {
		e := &store.Entry{Key: "k", Care: &store.Care{Fresh: 50 * second}}
		e.Care.Failures.Store(1)
		e.Care.Next.Store(next)
		change(e)
		return e
	}
	same := func(*store.Entry) {}
	for _, test := range []struct {
		what        string
		change      func(e *store.Entry)
		now         int64
		served, due bool
	}{
		{"before the next attempt", same, next - 1, true, false},
		{"at the next attempt", same, next, true, true},
		{"nobody asked for long", same, next + int64(retryLoadMax), false, false},
		{"nobody asked for nearly as long", same, next + int64(retryLoadMax) - 1, true, true},
		{"no load failed", func(e *store.Entry) { e.Care.Failures.Store(0) }, next, false, false},
		{"of another encoding", func(e *store.Entry) { e.Foreign = true }, next, false, false},
		{"without care", func(e *store.Entry) { e.Care = nil }, next, false, false},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.remembering(0, time.Hour)
			e := entry(test.change)
			r.Store.Set(r.hash("k"), e, 0)
			got, due, err := r.staleNow(r.hash("k"), "k", test.now)
			if (got == e) != test.served || got != nil != test.served || due != test.due || (err != nil) != test.served {
				t.Errorf("%s: served %t, due %t, %v", test.what, got == e, due, err)
			}
			if test.due && e.Care.Next.Load() != test.now+int64(r.LoadTimeout) {
				t.Errorf("%s: next at %d", test.what, e.Care.Next.Load())
			}
			stale, ok := err.(*errs.StaleError)
			if test.served && (!ok || stale.Age != time.Duration(test.now-50*second) || !errors.Is(err, errMadeRoom) || r.Counts.StaleServed.Load() != 1) {
				t.Errorf("%s: %v", test.what, err)
			}
			r.StaleFor = 0
			if got, due, err := r.staleNow(r.hash("k"), "k", next); got != nil || due || err != nil {
				t.Errorf("served in a group that serves nothing old: %t, %v", due, err)
			}
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(0, time.Hour)
		if e, due, err := r.staleNow(r.hash("k"), "k", 0); e != nil || due || err != nil {
			t.Errorf("nothing is there: %v, %t, %v", e, due, err)
		}
		e, reason := entry(same), &memo{err: loadError("k"), size: 1}
		r.reasons.explain("k", reason)
		if err := r.staleError(e, 60*second); !errors.Is(err, errOrigin) {
			t.Errorf("not explained: %v", err)
		}
	})
}

// TestFallBack: a failed load ends in the value that is still kept, or is remembered.
func TestFallBack(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		r.remembering(time.Second, time.Hour)
		hash, m := r.hash("k"), &memo{err: loadError("k"), size: 10}
		if e, err := r.fallBack(hash, "k", nil, errOrigin); e != nil || err != errOrigin || r.setbacks.held() != 0 {
			t.Errorf("nothing to remember: %v, %v", e, err)
		}
		if e, err := r.fallBack(hash, "k", m, errOrigin); e != nil || err != errOrigin || r.setbacks.last("k", r.Clock.Now()) != m.err {
			t.Errorf("nothing is kept: %v, %v", e, err)
		}
		r.setbacks.forgetAll()
		for what, e := range map[string]*store.Entry{"without care": {Key: "k"}, "foreign": {Key: "k", Foreign: true, Care: new(store.Care)}} {
			r.Store.Set(hash, e, 0)
			if got, err := r.fallBack(hash, "k", m, errOrigin); got != nil || err != errOrigin || r.setbacks.held() == 0 {
				t.Errorf("%s: %v, %v", what, got, err)
			}
			r.setbacks.forgetAll()
		}
		e := &store.Entry{Key: "k", Care: &store.Care{Fresh: 2 * second}}
		r.Store.Set(hash, e, 0)
		for i, wait := range []time.Duration{retryLoadMin, 2 * retryLoadMin} {
			if got, err := r.fallBack(hash, "k", m, errOrigin); got != e || err != nil || e.Care.Next.Load() != second+int64(wait) || e.Care.Failures.Load() != uint32(i+1) {
				t.Errorf("still fresh: %v, %v, next at %d", got, err, e.Care.Next.Load())
			}
		}
		if r.setbacks.held() != 0 || r.reasons.reason("k") != m.err {
			t.Error("remembered as one that nothing is kept of, or not explained")
		}
		time.Sleep(time.Second)
		stale, ok := (*errs.StaleError)(nil), false
		if got, err := r.fallBack(hash, "k", m, errOrigin); got != e {
			t.Errorf("%v, %v", got, err)
		} else if stale, ok = err.(*errs.StaleError); !ok || stale.Age != 0 {
			t.Errorf("its TTL has ended: %v", err)
		}
		e.Care.Fresh = 0
		if got, err := r.fallBack(hash, "k", m, errOrigin); got != e || err != nil {
			t.Errorf("fresh for ever: %v, %v", got, err)
		}
		r.Store.Delete(hash, "k")
		r.Life.Close()
		r.fallBack(hash, "k", m, errOrigin)
		if r.setbacks.held() != 0 {
			t.Error("remembered when the node closes")
		}
	})
}

// TestForeignIsNoHit: a value of another encoding is not served as it is.
func TestForeignIsNoHit(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		e := &store.Entry{Key: "k"}
		r.Mark(e, r.Encoding+1)
		r.Store.Set(r.hash("k"), e, 0)
		if got, _ := r.lookup(r.hash("k"), "k", 0); got != nil {
			t.Error("served by the memory")
		}
		if r.Lookup(r.hash("k"), "k", 0, nil) != nil || r.LookupFor(r.hash("k"), "k", 0, r.Encoding, nil) != nil ||
			r.LookupFor(r.hash("k"), "k", 0, r.Encoding+1, nil) != e {
			t.Error("served to the wrong members")
		}
	})
}
