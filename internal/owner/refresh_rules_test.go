//go:build !race

package owner

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestRefresh: a value is loaded again while it is served, once; copies of it are recalled
// before it changes; and a failure is told to nobody but counted.
func TestRefresh(t *testing.T) {
	due := func(t *testing.T, r *rig) {
		r.RefreshAfter = time.Second
		r.put("k", "old", 0)
		time.Sleep(time.Second)
		r.row.Store(new("new"))
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		due(t, r)
		r.gate = make(chan struct{})
		for range 3 {
			if v, _ := r.get("k"); v != "old" {
				t.Errorf("%q is served", v)
			}
			synctest.Wait()
		}
		if r.loads.Load() != 1 || r.Counts.Refreshes.Load() != 1 {
			t.Errorf("%d loads, %d refreshes", r.loads.Load(), r.Counts.Refreshes.Load())
		}
		r.Store.Delete(r.hash("k"), "k")
		joins := r.getWith(context.Background(), "k")
		r.gate <- struct{}{}
		if out := <-joins; out.v != "new" || r.loads.Load() != 1 || r.held("k") != "new" {
			t.Errorf("%q after %d loads", out.v, r.loads.Load())
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		due(t, r)
		r.lease(t, "k")
		r.acknowledges.Store(false)
		synctest.Wait()
		if r.told.Load() == 0 || r.held("k") != "old" || !r.of("k").reserved.isTaken("k") {
			t.Errorf("the holder was told %d times, memory has %q", r.told.Load(), r.held("k"))
		}
		if time.Sleep(2 * time.Second); r.held("k") != "new" {
			t.Errorf("memory has %q", r.held("k"))
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		due(t, r)
		r.failing()
		r.get("k")
		synctest.Wait()
		if v, err := r.get("k"); v != "old" || err != nil || r.Counts.RefreshErrors.Load() != 1 {
			t.Errorf("%q, %v; %d failed", v, err, r.Counts.RefreshErrors.Load())
		}
	})
	for what, before := range map[string]func(r *rig, s *shard){
		"closed":          func(_ *rig, s *shard) { s.closed = true },
		"being written":   func(_ *rig, s *shard) { s.reserved.reserve("k") },
		"without a right": func(r *rig, _ *shard) { r.writes.Confirm(0) },
		"a load waits":    func(_ *rig, s *shard) { s.lanes.of("k").next = new(flight) },
		"it is full":      func(_ *rig, s *shard) { s.lanes.of("k").running = maxRunning },
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			e, s := r.put("k", "old", 0), r.of("k")
			before(r, s)
			if r.beginRefresh(e, nil) != nil || r.loads.Load() != 0 {
				t.Errorf("%s: refreshed", what)
			}
			s.closed = false
			delete(s.reserved, "k")
			delete(s.lanes, "k")
		})
	}
}

// TestRefreshesTogether: what one call found due is loaded with as few calls as can be.
func TestRefreshesTogether(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		var list Due
		for i := range MaxLoadMany + 1 {
			r.refreshDue(r.put(fmt.Sprint(i), "old", 0), &list)
			if i == 0 {
				if synctest.Wait(); len(list) != 0 || r.loads.Load() != 1 {
					t.Errorf("%d listed without LoadMany", len(list))
				}
				r.manyOf(rowOf)
			}
		}
		calls := r.manyOf(rowOf)
		if len(list) != MaxLoadMany {
			t.Errorf("%d listed", len(list))
		}
		list = append(list, r.put("more", "old", 0))
		r.RefreshAll(&list)
		synctest.Wait()
		if len(list) != 0 || len(*calls) != 1 || len((*calls)[0]) != MaxLoadMany || r.held("1") != "row of 1" || r.held("more") != "old" || r.loads.Load() != 2 || r.Counts.Refreshes.Load() != MaxLoadMany+2 {
			t.Errorf("%d left, %d calls, %d refreshes, %d loads", len(list), len(*calls), r.Counts.Refreshes.Load(), r.loads.Load())
		}
	})
}
