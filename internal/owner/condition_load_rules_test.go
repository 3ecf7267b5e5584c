//go:build !race

package owner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestLoadThatDecides has its time, recalls copies of what was evicted before it begins, and
// is refused where the key moved meanwhile.
func TestLoadThatDecides(t *testing.T) {
	absent := wire.Condition{If: wire.IfAbsent}
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.gate = make(chan struct{})
		start := time.Now()
		err := r.changeKey("k", Change{E: entry("k", "new"), If: on(absent)})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != r.LoadTimeout {
			t.Errorf("the loader does not return: %v after %v", err, time.Since(start))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		r.Store.Delete(r.hash("k"), "k")
		r.Origin.Load = func(context.Context, string) (*store.Entry, error) {
			if r.told.Load() != 1 {
				t.Error("it was not recalled before the load")
			}
			return nil, errs.ErrNotFound
		}
		must(t, r.changeKey("k", Change{E: entry("k", "new"), If: on(absent)}))
	})
	for what, happens := range map[string]func(r *rig){
		"the key moved":          func(r *rig) { r.believe("another") },
		"the key came back":      func(r *rig) { r.believe("another"); r.believe("self") },
		"an era ended meanwhile": func(r *rig) { r.writes.NewEra() },
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.gate = make(chan struct{})
			c := on(absent)
			changed := began(func() (struct{}, error) { return struct{}{}, r.changeKey("k", Change{E: entry("k", "new"), If: c}) })
			happens(r)
			close(r.gate)
			out := <-changed
			if !errs.IsUnsettled(out.err) || c.Got.Met || r.held("k") != "" {
				t.Errorf("%s: %v, met %t, memory has %q", what, out.err, c.Got.Met, r.held("k"))
			}
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Add = func(string, *store.Entry, int64) (*store.Entry, error) {
			return nil, fmt.Errorf("sum: %w", errs.ErrNotFound)
		}
		if err := r.changeKey("k", Change{If: on(wire.Condition{Add: true})}); err == nil || errors.Is(err, errs.ErrNotFound) {
			t.Errorf("a failure is taken for absence: %v", err)
		}
	})
}

// TestDecidedAgain where copies were recalled: the key may have moved, or the value's time
// may have passed meanwhile; then the origin is asked, and the change is made all the same.
func TestDecidedAgain(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		r.acknowledges.Store(false)
		c := on(wire.Condition{If: wire.IfPresent, Former: true})
		changed := began(func() (struct{}, error) { return struct{}{}, r.changeKey("k", Change{E: entry("k", "new"), If: c}) })
		r.believe("another")
		r.believe("self")
		if out := <-changed; !errs.IsUnsettled(out.err) || r.held("k") != "old" {
			t.Errorf("the key moved: %v, memory has %q", out.err, r.held("k"))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.get("k")
		r.lease(t, "k")
		c := on(wire.Condition{If: wire.IfPresent, Former: true})
		if err := r.changeKey("k", Change{E: entry("k", "new"), If: c}); err != nil || !c.Got.Met || string(c.Got.Entry.Data) != "old" || r.told.Load() != 1 || r.held("k") != "new" {
			t.Errorf("%v, %+v, memory has %q", err, c.Got, r.held("k"))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Add = sums
		r.row.Store(new("row"))
		r.put("k", "old", time.Second/2)
		r.lease(t, "k")
		r.acknowledges.Store(false)
		c := on(wire.Condition{Add: true, Delta: 1})
		if err := r.changeKey("k", Change{If: c}); err != nil || !c.Got.Met || r.held("k") != "row+" {
			t.Errorf("the value's time passed: %v, %+v, memory has %q", err, c.Got, r.held("k"))
		}
	})
}

// TestTouchThatRecallsNobody leaves the copies that others hold; one that shortens does not.
func TestTouchThatRecallsNobody(t *testing.T) {
	for _, ttl := range []time.Duration{time.Hour, time.Second} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.put("k", "old", time.Minute)
			r.lease(t, "k")
			c := on(wire.Condition{Touch: true})
			c.TTL = ttl
			if err := r.changeKey("k", Change{If: c}); err != nil || !c.Got.Met || (r.told.Load() == 0) != (ttl > time.Minute) || r.held("k") != "old" {
				t.Errorf("TTL %v: %v, met %t, the holder was told %d times", ttl, err, c.Got.Met, r.told.Load())
			}
			if e := r.Store.Peek(r.hash("k"), "k", 0); e.Expires != r.Clock.Now()+int64(ttl) {
				t.Errorf("TTL %v: expires at %d", ttl, e.Expires)
			}
		})
	}
}
