//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A pen is a Writer that the test lets return: a call ends when the test says how.
type pen struct {
	ends  chan error
	heeds bool // it ends with its context
	calls int
	wrote []string
	ctx   context.Context // of the last call
}

func newPen() *pen { return &pen{ends: make(chan error)} }

func (p *pen) write(ctx context.Context, key string, e *store.Entry) error {
	p.calls++
	p.ctx = ctx
	value := "-"
	if e != nil {
		value = string(e.Data)
	}
	var ended <-chan struct{}
	if p.heeds {
		ended = ctx.Done()
	}
	select {
	case err := <-p.ends:
		if err == nil {
			p.wrote = append(p.wrote, key+"="+value)
		}
		return err
	case <-ended:
		return ctx.Err()
	}
}

// withPen is ruled with a Writer that the test lets return.
func withPen(t *testing.T, f func(t *testing.T, r *rig, p *pen)) {
	t.Helper()
	ruled(t, nil, func(t *testing.T, r *rig) {
		p := newPen()
		r.Origin.Write = p.write
		f(t, r, p)
	})
}

// going is a write that goes on.
func (r *rig) going(ctx context.Context, key string, ch Change) chan result[struct{}] {
	return began(func() (struct{}, error) { return struct{}{}, r.Write(ctx, r.hash(key), key, ch) })
}

func setTo(key, value string) Change { return Change{E: entry(key, value)} }

// TestWriteNow: a write that waits for nothing is made at once, any other not at all.
func TestWriteNow(t *testing.T) {
	for what, test := range map[string]struct {
		before func(r *rig)
		ch     Change
		done   bool
		err    error
		held   string
	}{
		"made":             {func(*rig) {}, setTo("k", "new"), true, nil, "new"},
		"it is taken":      {func(r *rig) { r.of("k").reserved.reserve("k") }, setTo("k", "new"), false, nil, "old"},
		"a copy is out":    {func(r *rig) { r.hold("k", 1) }, setTo("k", "new"), false, nil, "old"},
		"a copy lapsed":    {func(r *rig) { r.hold("k", 0) }, setTo("k", "new"), true, nil, "new"},
		"the Writer hears": {func(r *rig) { r.Origin.Write = accepts }, setTo("k", "new"), false, nil, "old"},
		"not met":          {func(*rig) {}, Change{E: entry("k", "new"), If: on(wire.Condition{If: wire.IfAbsent})}, true, nil, "old"},
		"met":              {func(*rig) {}, Change{E: entry("k", "new"), If: on(wire.Condition{If: wire.IfPresent})}, true, nil, "new"},
		"a load is needed": {func(r *rig) { r.delete("k") }, Change{E: entry("k", "new"), If: on(wire.Condition{If: wire.IfPresent})}, false, nil, ""},
		"no number":        {func(*rig) {}, Change{If: on(wire.Condition{Add: true})}, true, errs.ErrNotInteger, "old"},
		"not settled":      {func(r *rig) { r.writes.Confirm(0) }, Change{E: entry("k", "new"), If: on(wire.Condition{If: wire.IfPresent})}, true, errs.ErrUnsettled, "old"},
		"other encoding":   {func(*rig) {}, Change{If: &Conditional{Condition: wire.Condition{Former: true}, Encoding: 9}}, true, errs.ErrOtherVersion, "old"},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.put("k", "old", 0)
			test.before(r)
			done, err := r.WriteNow(r.hash("k"), "k", test.ch)
			if done != test.done || !errors.Is(err, test.err) || r.held("k") != test.held {
				t.Errorf("%s: done %t, %v; memory has %q", what, done, err, r.held("k"))
			}
			if what == "a copy lapsed" && r.of("k").registered.used != 0 {
				t.Error("the book of a lapsed lease stays")
			}
			delete(r.of("k").reserved, "k")
		})
	}
}

// TestRefusedWrites change nothing, and reserve nothing.
func TestRefusedWrites(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		r.writes.Confirm(0)
		if err := r.set("k", "new"); !errors.Is(err, errs.ErrUnsettled) || p.calls != 0 {
			t.Errorf("not settled: %v", err)
		}
		r.writes.Confirm(1 << 60)
		r.of("k").writings.overdue = maxOverdue
		if err := r.set("k", "new"); err != errOverdue || p.calls != 0 {
			t.Errorf("too many Writers are overdue: %v", err)
		}
		r.of("k").writings.overdue = 0
		must(t, r.changeKey("k", Change{E: entry("k", "old"), CacheOnly: true}))
		c := on(wire.Condition{If: wire.IfAbsent})
		if err := r.changeKey("k", Change{E: entry("k", "new"), If: c}); err != nil || c.Got.Met || p.calls != 0 {
			t.Errorf("not met: %v, %+v", err, c.Got)
		}
		if err := r.changeKey("k", Change{If: on(wire.Condition{Add: true})}); !errors.Is(err, errs.ErrNotInteger) || p.calls != 0 {
			t.Errorf("no number: %v", err)
		}
	})
}

// TestWriterIsCalled with what is written, and the store is changed when it has returned; a
// load beside it stores nothing.
func TestWriterIsCalled(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		r.gate = make(chan struct{})
		get := r.getWith(context.Background(), "k")
		set := r.going(context.Background(), "k", setTo("k", "new"))
		close(r.gate)
		if deadline, ok := p.ctx.Deadline(); !ok || time.Until(deadline) != r.LoadTimeout {
			t.Errorf("the Writer has %v", time.Until(deadline))
		}
		if len(get) != 0 || r.held("k") != "" {
			t.Error("a load goes on beside the Writer")
		}
		p.ends <- nil
		if out := <-set; out.err != nil || r.held("k") != "new" || r.forgotten.Load() != 0 {
			t.Errorf("Set: %v, memory has %q", out.err, r.held("k"))
		}
		if out := <-get; out.v != "new" {
			t.Errorf("Get = %q, %v", out.v, out.err)
		}
		del := r.going(context.Background(), "k", Change{})
		p.ends <- nil
		if out := <-del; out.err != nil || r.held("k") != "" || len(p.wrote) != 2 || p.wrote[0] != "k=new" || p.wrote[1] != "k=-" {
			t.Errorf("Delete: %v, memory has %q, wrote %v", out.err, r.held("k"), p.wrote)
		}
	})
}

// TestWriteGoesOn when its caller leaves or the node closes, who is told that it may be
// applied.
func TestWriteGoesOn(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		ctx, cancel := context.WithCancel(context.Background())
		set := r.going(ctx, "k", setTo("k", "new"))
		cancel()
		out := <-set
		if pe, _ := errors.AsType[*errs.PeerError](out.err); pe == nil || !pe.MaybeApplied || pe.Err != context.Canceled || pe.Op != wire.OpNames[wire.OpSet] {
			t.Errorf("Set: %v", out.err)
		}
		if p.ctx.Err() != nil {
			t.Error("the Writer is called off with its caller")
		}
		p.ends <- nil
		synctest.Wait()
		if r.held("k") != "new" {
			t.Errorf("memory has %q", r.held("k"))
		}
		set = r.going(context.Background(), "k", setTo("k", "newer"))
		r.Life.Close()
		out = <-set
		if pe, _ := errors.AsType[*errs.PeerError](out.err); pe == nil || !pe.MaybeApplied || pe.Err != errs.ErrClosed {
			t.Errorf("Set: %v", out.err)
		}
		synctest.Wait()
		if p.ctx.Err() == nil {
			t.Error("the Writer is not told that the node closes")
		}
		p.ends <- nil
	})
}

// TestWriterWithoutARight: its context ends when this node's right to act does.
func TestWriterWithoutARight(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		p.heeds = true
		r.writes.Confirm(int64(time.Second))
		start := time.Now()
		err := r.set("k", "new")
		if we, _ := errors.AsType[*errs.WriteError](err); we == nil || time.Since(start) > 2*time.Second || r.held("k") != "" {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		r.writes.Confirm(1 << 60)
		p.heeds = false
		set := r.going(context.Background(), "k", setTo("k", "new"))
		p.ends <- nil
		<-set
	})
}

// TestWriterFails: nobody knows what the origin has, so nothing is kept; the error is its.
func TestWriterFails(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		r.get("k")
		r.lease(t, "k")
		c := on(wire.Condition{If: wire.IfPresent})
		set := r.going(context.Background(), "k", Change{E: entry("k", "new"), If: c})
		p.ends <- errOrigin
		if out := <-set; !errors.Is(out.err, errOrigin) || r.held("k") != "" || c.Got.Met || r.told.Load() != 1 || r.Owed.Any() {
			t.Errorf("Set: %v, memory has %q, %+v", out.err, r.held("k"), c.Got)
		}
	})
}

// TestOriginHasIt: what was written is not undone by what happens to the cache meanwhile.
func TestOriginHasIt(t *testing.T) {
	for what, test := range map[string]struct {
		before    func(r *rig)
		fine, met bool
		forgotten int64
		owed      bool
		held      string
	}{
		"kept":             {func(*rig) {}, true, true, 0, false, "new"},
		"too large":        {func(r *rig) { r.Store.Resize(1 << 17) }, true, true, 0, false, ""},
		"the group closed": {func(r *rig) { r.of("k").closed = true }, true, true, 0, false, "old"},
		"the key moved":    {func(r *rig) { r.believe("another") }, true, true, 1, false, "old"},
		"a minority":       {func(r *rig) { r.writes.Act(view.AsMinority) }, false, false, 0, true, "old"},
	} {
		withPen(t, func(t *testing.T, r *rig, p *pen) {
			must(t, r.changeKey("k", Change{E: entry("k", "old"), CacheOnly: true}))
			c := on(wire.Condition{If: wire.IfPresent})
			e := &store.Entry{Key: "k", Data: []byte("new")}
			if what == "too large" {
				e.Data = make([]byte, 100_000)
			}
			set := r.going(context.Background(), "k", Change{E: e, If: c})
			test.before(r)
			p.ends <- nil
			out := <-set
			if r.of("k").closed = false; (out.err == nil) != test.fine || c.Got.Met != test.met || r.forgotten.Load() != test.forgotten || r.Owed.Any() != test.owed || r.held("k") != test.held {
				t.Errorf("%s: %v, met %t, %d told to forget, owed %t, memory has %.10q", what, out.err, c.Got.Met, r.forgotten.Load(), r.Owed.Any(), r.held("k"))
			}
			if pe, _ := errors.AsType[*errs.PeerError](out.err); !test.fine && (pe == nil || !pe.MaybeApplied || errors.Is(out.err, errs.ErrMinority)) {
				t.Errorf("%s: %v", what, out.err)
			}
		})
	}
	ruled(t, nil, func(t *testing.T, r *rig) { // without a Writer these are errors
		for what, happens := range map[string]func(){"closed": func() { r.of("k").closed = true }, "moved": func() { r.believe("another") }} {
			r.put("k", "old", 0)
			r.lease(t, "k")
			r.acknowledges.Store(false)
			set := r.going(context.Background(), "k", setTo("k", "new"))
			happens()
			if out := <-set; out.err == nil || r.forgotten.Load() != 0 || r.held("k") != "old" {
				t.Errorf("%s: %v, memory has %q", what, out.err, r.held("k"))
			}
			r.of("k").closed = false
			r.believe("self")
		}
		r.put("k", "old", 0)
		r.lease(t, "k")
		set := r.going(context.Background(), "k", Change{E: &store.Entry{Key: "k", Data: make([]byte, 100_000)}})
		must(t, r.Store.Resize(1<<17))
		if out := <-set; r.held("k") == "" && out.err == nil {
			t.Error("without a Writer the value went")
		}
	})
}

// TestToldWhenMoved: Shutdown waits while a new owner is told what the origin has.
func TestToldWhenMoved(t *testing.T) {
	withPen(t, func(t *testing.T, r *rig, p *pen) {
		o := &slowOthers{rig: r, gate: make(chan error)}
		r.Others = o
		set := r.going(context.Background(), "k", setTo("k", "new"))
		r.believe("another")
		p.ends <- nil
		synctest.Wait()
		if r.Duties.Telling.Load() != 1 || r.of("k").reserved.isTaken("k") {
			t.Errorf("the node waits for %d", r.Duties.Telling.Load())
		}
		o.gate <- errOrigin
		if out := <-set; out.err == nil || !r.Owed.Any() || r.Duties.Telling.Load() != 0 {
			t.Errorf("Set: %v, owed %t", out.err, r.Owed.Any())
		}
	})
}
