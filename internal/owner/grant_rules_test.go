//go:build !race

package owner

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// TestGrant: a copy is granted of what may be served, to who has a session.
func TestGrant(t *testing.T) {
	for what, test := range map[string]struct {
		before         func(r *rig)
		value, granted bool
	}{
		"granted":           {func(*rig) {}, true, true},
		"nothing there":     {func(r *rig) { r.delete("k") }, false, false},
		"without a right":   {func(r *rig) { r.writes.Confirm(r.Clock.Now()) }, false, false},
		"until its TTL":     {func(r *rig) { r.put("k", "v", 7) }, true, true},
		"too large to send": {func(r *rig) { r.AnswerLimit = 2 }, true, false},
		"no such member":    {func(r *rig) { delete(r.view.Peers, "holder") }, true, false},
		"a Clear":           {func(r *rig) { r.of("k").clearing = 1 }, true, false},
		"closed":            {func(r *rig) { r.of("k").closed = true }, true, false},
		"it is written":     {func(r *rig) { r.of("k").reserved.reserve("k") }, true, false},
		"of a former era":   {func(r *rig) { r.writes.NewEra() }, true, false},
		"no room":           {func(r *rig) { r.notes.most.Store(0) }, true, false},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			time.Sleep(time.Second)
			r.put("k", "old", 0)
			test.before(r)
			e, number := r.grant("k", r.Encoding)
			if (e != nil) != test.value || (number != 0) != test.granted {
				t.Errorf("%s: %v, %v", what, e, number)
			}
			if held := r.of("k").registered.find(r.hash("k")) >= 0; held != test.granted {
				t.Errorf("%s: registered %t", what, held)
			}
			r.of("k").clearing, r.of("k").closed = 0, false
			delete(r.of("k").reserved, "k")
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("k", "v", 0)
		if e, number := r.Grant(r.hash("k"), "k", "holder", r.Encoding, r.Clock.Now()); e == nil || number != 0 {
			t.Errorf("without a session: %v, %d", e, number)
		}
	})
}

// TestDueHits: one of those who find an entry due refreshes it, or lists it; a hit of its
// TTL's last moment is served.
func TestDueHits(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Care.RefreshAfter = time.Second
		r.put("k", "v", 0)
		time.Sleep(time.Second)
		r.row.Store(new("new"))
		if e := r.LookupFor(r.hash("k"), "k", r.Clock.Now(), r.Encoding, nil); e == nil {
			t.Error("not served")
		}
		time.Sleep(time.Nanosecond)
		if r.loads.Load() != 1 || r.held("k") != "new" {
			t.Errorf("%d loads, memory has %q", r.loads.Load(), r.held("k"))
		}
		time.Sleep(time.Second)
		var due Due
		r.Origin.LoadMany = func(context.Context, []string) (map[string]origin.Loaded, error) { return nil, errOrigin }
		if e := r.Lookup(r.hash("k"), "k", r.Clock.Now(), &due); e == nil || len(due) != 1 || due[0] != e {
			t.Errorf("served %v, listed %v", e, due)
		}
		due = nil
		if e := r.Lookup(r.hash("k"), "k", r.Clock.Now(), &due); e == nil || len(due) != 0 {
			t.Errorf("served %v, listed %v", e, due)
		}
		var plain *store.Entry
		if plain = entry("p", "v"); r.Store.Set(r.hash("p"), plain, 0) != nil || r.Lookup(r.hash("p"), "p", 0, nil) != plain || r.LookupFor(r.hash("p"), "p", 0, r.Encoding, nil) != plain {
			t.Error("an entry without care is not served")
		}
		if r.Lookup(r.hash("none"), "none", 0, nil) != nil || r.LookupFor(r.hash("none"), "none", 0, r.Encoding, nil) != nil {
			t.Error("nothing is there")
		}
	})
}

// TestSpare: a value that nobody asked for is kept if nothing happened to its key since.
func TestSpare(t *testing.T) {
	for what, test := range map[string]struct {
		before func(r *rig)
		kept   bool
	}{
		"kept":              {func(*rig) {}, true},
		"another view":      {func(r *rig) { r.believe("self") }, false},
		"closed":            {func(r *rig) { r.of("k").closed = true }, false},
		"written":           {func(r *rig) { r.delete("k") }, false},
		"a load runs":       {func(r *rig) { r.of("k").lanes.of("k") }, false},
		"it is written":     {func(r *rig) { r.of("k").reserved.reserve("k") }, false},
		"a copy is out":     {func(r *rig) { r.hold("k", 10) }, false},
		"a copy lapsed":     {func(r *rig) { r.hold("k", 0) }, true},
		"its Writer runs":   {func(r *rig) { r.of("k").writings.begin("k") }, false},
		"there is a value":  {func(r *rig) { r.Store.Set(r.hash("k"), entry("k", "there"), 0) }, false},
		"an era ended":      {func(r *rig) { r.writes.NewEra() }, false},
		"another's is kept": {func(r *rig) { r.writes.Confirm(0) }, false},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			token := r.TakeSpareToken()
			test.before(r)
			if r.KeepSpare(token, r.hash("k"), entry("k", "spare")); (r.held("k") == "spare") != test.kept {
				t.Errorf("%s: memory has %q", what, r.held("k"))
			}
			s := r.of("k")
			s.closed = false
			delete(s.lanes, "k")
			delete(s.reserved, "k")
			delete(s.writings.calls, "k")
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		r.writes.Act(view.AsHalf)
		token := r.TakeSpareToken()
		if token.View != r.view || token.began != second || len(token.changes) != len(r.made()) {
			t.Errorf("token %+v", token)
		}
		r.KeepSpare(token, r.hash("k"), entry("k", "spare"))
		if e := r.Store.Peek(r.hash("k"), "k", second); e == nil || e.Expires != second+int64(time.Minute) {
			t.Errorf("no limit from when it was loaded: %+v", e)
		}
		r.writes.Empty(r.view)
		if r.TakeSpareToken().View != nil {
			t.Error("a token of a view that has not settled")
		}
		r.writes.Publish(nil)
		if r.TakeSpareToken().View != nil {
			t.Error("a token without a view")
		}
	})
}

// TestDropLost: what is another's goes, its loads store nothing, and who waits asks that one.
func TestDropLost(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.put("k", "v", 0)
		changes := r.of("k").changes.Load()
		if r.DropLost(r.view); r.held("k") != "v" || r.of("k").changes.Load() == changes {
			t.Error("its own value went")
		}
		r.gate = make(chan struct{})
		kept := began(func() (string, error) { return r.get("kept") })
		r.DropLost(r.view)
		close(r.gate)
		if <-kept; r.held("kept") == "" {
			t.Error("a load of its own key stores nothing")
		}
		load := r.Origin.Load
		r.Origin.Load = nil
		r.believe("another")
		if r.DropLost(r.view); r.held("k") != "v" {
			t.Error("what nobody can load went")
		}
		r.Origin.Load = load
		if r.DropLost(r.view); r.held("k") != "" {
			t.Error("another's value stays")
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.of("k").reserved.reserve("k")
		waits := began(func() (string, error) { return r.get("k") })
		r.believe("another")
		r.DropLost(r.view)
		if out := <-waits; !errors.Is(out.err, errs.ErrNotOwner) {
			t.Errorf("who waits gets %q, %v", out.v, out.err)
		}
		delete(r.of("k").reserved, "k")
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.of("k").writings.begin("k")
		if r.DropLost(r.view); r.Duties.Handing.Load() != 0 {
			t.Error("a Writer of its own key holds the view back")
		}
		r.believe("another")
		w := r.of("k").writings.calls["k"]
		free := w.free
		if r.DropLost(r.view); r.Duties.Handing.Load() != 1 || !isClosed(free) || isClosed(w.free) {
			t.Error("a Writer of another's key does not hold the view back")
		}
		r.endWriting(r.of("k"), "k", w)
	})
}
