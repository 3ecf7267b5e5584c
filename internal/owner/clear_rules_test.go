//go:build !race

package owner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// clearing clears the part as its caller's view says.
func (r *rig) clearing() error { return r.ClearHere(context.Background(), r.view.ID) }

// TestClear: everything goes, copies are recalled, and nothing that is loaded meanwhile stays.
func TestClear(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.remembering(time.Second, time.Second)
		r.get("a")
		r.get("b")
		r.lease(t, "a")
		r.setbacks.note("c", &memo{err: loadError("c"), size: 1}, 0)
		r.acknowledges.Store(false)
		changes := r.of("b").changes.Load()
		clears := began(func() (struct{}, error) { return struct{}{}, r.clearing() })
		if _, lease := r.grant("b", 0); lease != 0 {
			t.Error("a lease is granted during a Clear")
		}
		if out := <-clears; out.err != nil || r.held("a") != "" || r.held("b") != "" || r.told.Load() == 0 || r.setbacks.held() != 0 || r.of("b").changes.Load() < changes+2 {
			t.Errorf("%v; the holder was told %d times, %d bytes of failures", out.err, r.told.Load(), r.setbacks.held())
		}
		r.get("a")
		if r.lease(t, "a"); r.clearing() != nil {
			t.Error("not cleared")
		}
	})
	for what, test := range map[string]struct {
		before func(r *rig)
		err    error
	}{
		"closed":     {func(r *rig) { r.CloseShards() }, errs.ErrGroupClosed},
		"a minority": {func(r *rig) { r.writes.Act(2) }, errs.ErrMinority},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.allShards()
			test.before(r)
			err := r.clearing()
			if !errors.Is(err, test.err) {
				t.Errorf("%s: %v", what, err)
			}
			if pe, _ := errors.AsType[*errs.PeerError](err); what == "a minority" && (pe == nil || !pe.MaybeApplied) {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		if err := r.ClearHere(context.Background(), r.view.ID+1); err != errs.ErrUnsettled || r.made() != nil {
			t.Errorf("by another view: %v", err)
		}
		r.get("a")
		r.lease(t, "a")
		r.acknowledges.Store(false)
		clears := began(func() (struct{}, error) { return struct{}{}, r.clearing() })
		r.believe("another")
		if out := <-clears; out.err == nil {
			t.Error("the view changed meanwhile, and nobody says so")
		}
		r.believe("self")
		r.get("b")
		r.lease(t, "b")
		clears = began(func() (struct{}, error) { return struct{}{}, r.clearing() })
		id := r.view.ID
		r.writes.Empty(r.view)
		r.writes.Confirm(1 << 60)
		if out := <-clears; out.err == nil {
			t.Errorf("view %d is not settled any more, and nobody says so", id)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // the first load of all begins during a Clear
		if r.stopGrants(); r.of("k").clearing != 1 {
			t.Error("shards that are made later would grant copies")
		}
		r.eachShard(func(s *shard) { s.clearing = 0 })
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // one message a holder, however many copies it has
		for i := range 100 {
			key := fmt.Sprint(i)
			r.get(key)
			r.lease(t, key)
		}
		if err := r.clearing(); err != nil || r.told.Load() != 1 {
			t.Errorf("%v; the holder was told %d times", err, r.told.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) { // a write recalls copies that are in no book meanwhile
		r.get("k")
		r.lease(t, "k")
		r.acknowledges.Store(false)
		set := began(func() (struct{}, error) { return struct{}{}, r.set("k", "new") })
		start := time.Now()
		if err := r.clearing(); err != nil || time.Since(start) < time.Second {
			t.Errorf("%v after %v: a holder serves a copy yet", err, time.Since(start))
		}
		<-set
	})
}
