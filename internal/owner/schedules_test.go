package owner

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// oldLoadNewWrite: a load reads the row; the row changes; a Delete returns; the load ends.
// It returns what memory has then.
func oldLoadNewWrite(t *testing.T, r *rig) string {
	r.gate = make(chan struct{})
	before := began(func() (string, error) { return r.get("k") })
	r.row.Store(new("new"))
	if err := r.delete("k"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	after := began(func() (string, error) { return r.get("k") })
	r.gate <- struct{}{}
	if out := <-before; out.v != "old" || out.err != nil {
		t.Errorf("who came before the Delete got %q, %v", out.v, out.err)
	}
	synctest.Wait()
	held := r.held("k")
	close(r.gate)
	if out := <-after; out.v != "new" && !r.Faults.IgnoreFillToken {
		t.Errorf("who came after the Delete got %q, %v", out.v, out.err)
	}
	return held
}

func TestOldLoadNewWrite(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		if held := oldLoadNewWrite(t, r); held == "old" {
			t.Error("the old row was stored after the Delete")
		}
		if v, err := r.get("k"); v != "new" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
	})
	inBubble(t, faultinject.Faults{IgnoreFillToken: true}, nil, func(r *rig) {
		if held := oldLoadNewWrite(t, r); held != "old" {
			t.Errorf("without the fill token memory has %q: this test would not notice that it is gone", held)
		}
	})
}

// TestNotStoredAnyMore: by the time that a load ends its value must not be stored: an era has
// ended, or the key is another's, or was in between.
func TestNotStoredAnyMore(t *testing.T) {
	for what, happens := range map[string]func(r *rig){
		"an era ended":                         func(r *rig) { r.writes.NewEra() },
		"an era ended, and what was held went": func(r *rig) { r.writes.NewEra(); r.DropBefore(r.State.Era()) },
		"the key is another's":                 func(r *rig) { r.believe("another") },
		"the key is another's, and was lost":   func(r *rig) { r.believe("another"); r.DropLost(r.view) },
		"the key was another's": func(r *rig) {
			r.believe("another")
			r.DropLost(r.view)
			r.believe("self")
		},
		"the right to act ended": func(r *rig) { r.writes.Confirm(r.Clock.Now()) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
				r.gate = make(chan struct{})
				loading := began(func() (string, error) { return r.get("k") })
				happens(r)
				r.gate <- struct{}{}
				synctest.Wait()
				if r.held("k") != "" {
					t.Errorf("memory has %q", r.held("k"))
				}
				close(r.gate)
				<-loading
			})
		})
	}
}

// TestOthersKeysAreRefused: a member changes nothing of what it does not own.
func TestOthersKeysAreRefused(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.believe("another")
		if err := r.set("k", "mine"); !errors.Is(err, errs.ErrNotOwner) || r.held("k") != "" {
			t.Errorf("Set: %v, want %v; memory has %q", err, errs.ErrNotOwner, r.held("k"))
		}
	})
}

// TestWritesFollowEachOther: the second waits until the leases on the key have ended for the
// first.
func TestWritesFollowEachOther(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.acknowledges.Store(false)
		r.get("k")
		r.grant("k", 0)
		first := began(func() (struct{}, error) { return struct{}{}, r.set("k", "first") })
		second := began(func() (struct{}, error) { return struct{}{}, r.set("k", "second") })
		if r.held("k") != "old" {
			t.Errorf("memory has %q while a copy is out", r.held("k"))
		}
		<-first
		if out := <-second; out.err != nil || r.held("k") != "second" {
			t.Errorf("second Set: %v, memory has %q", out.err, r.held("k"))
		}
	})
}

// TestWritesWaitForLeases: hits see the former value until the holder has dropped its copy,
// no new lease is granted meanwhile, and a holder that cannot be told is waited out.
func TestWritesWaitForLeases(t *testing.T) {
	for _, reached := range []bool{true, false} {
		inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
			r.acknowledges.Store(reached)
			if _, err := r.get("k"); err != nil {
				t.Fatal(err)
			}
			if e, lease := r.grant("k", 0); e == nil || lease == 0 {
				t.Fatalf("Grant = %v, %v", e, lease)
			}
			start := time.Now()
			write := began(func() (struct{}, error) { return struct{}{}, r.set("k", "new") })
			if !reached {
				if v, _ := r.get("k"); v != "old" {
					t.Errorf("a hit sees %q before the holder dropped its copy", v)
				}
				if _, lease := r.grant("k", 0); lease != 0 {
					t.Errorf("a lease of %v is granted while one is recalled", lease)
				}
			}
			if out := <-write; out.err != nil {
				t.Errorf("Set: %v", out.err)
			}
			took, want := time.Since(start), time.Duration(0)
			if !reached {
				want = time.Second
			}
			if took < want || took > want+50*time.Millisecond || r.told.Load() == 0 || r.held("k") != "new" {
				t.Errorf("reached %t: the Set took %v, the holder was told %d times, memory has %q", reached, took, r.told.Load(), r.held("k"))
			}
		})
	}
	inBubble(t, faultinject.Faults{SkipInvalidation: true}, nil, func(r *rig) {
		r.acknowledges.Store(false)
		r.get("k")
		r.grant("k", 0)
		start := time.Now()
		if err := r.set("k", "new"); err != nil || time.Since(start) != 0 || r.told.Load() != 0 {
			t.Errorf("without invalidation the Set took %v: this test would not notice that it is gone", time.Since(start))
		}
	})
}

// TestEvictedUnderALease: a miss of a key of which a copy is out recalls it before it loads,
// or readers would see the newer row and then the copy.
func TestEvictedUnderALease(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.get("k")
		r.grant("k", 0)
		r.Store.Delete(r.hash("k"), "k") // as when it is evicted
		r.row.Store(new("new"))
		r.acknowledges.Store(false)
		get := began(func() (string, error) { return r.get("k") })
		if n := r.loads.Load(); n != 1 {
			t.Errorf("%d loads while the copy is out, want the first alone", n)
		}
		if out := <-get; out.v != "new" || r.told.Load() == 0 {
			t.Errorf("Get = %q, %v; the holder was told %d times", out.v, out.err, r.told.Load())
		}
	})
}

// TestOneWriterAKey: the second Set waits until the Writer has returned from the first, and
// one whose Writer fails leaves nothing in memory.
func TestOneWriterAKey(t *testing.T) {
	gate, running, most := make(chan error), 0, 0
	write := func(_ context.Context, _ string, e *store.Entry) error {
		running++
		most = max(most, running)
		defer func() { running-- }()
		return <-gate
	}
	inBubble(t, faultinject.Faults{}, write, func(r *rig) {
		gate = make(chan error)
		r.get("k")
		first := began(func() (struct{}, error) { return struct{}{}, r.set("k", "first") })
		second := began(func() (struct{}, error) { return struct{}{}, r.set("k", "second") })
		if v, _ := r.get("k"); v != "old" || most != 1 {
			t.Errorf("a hit sees %q while the Writer runs, %d run at once", v, most)
		}
		gate <- nil
		if out := <-first; out.err != nil || r.held("k") != "first" {
			t.Errorf("first Set: %v, memory has %q", out.err, r.held("k"))
		}
		synctest.Wait()
		gate <- errOrigin
		if out := <-second; !errors.Is(out.err, errOrigin) || r.held("k") != "" || most != 1 {
			t.Errorf("second Set: %v, memory has %q, %d Writers ran at once", out.err, r.held("k"), most)
		}
	})
}

// TestClearDuringALoad: what began to load before a Clear is not stored after it.
func TestClearDuringALoad(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.get("kept")
		r.gate = make(chan struct{})
		loading := began(func() (string, error) { return r.get("k") })
		if err := r.ClearHere(context.Background(), r.view.ID); err != nil {
			t.Errorf("Clear: %v", err)
		}
		r.gate <- struct{}{}
		<-loading
		if r.held("k") != "" || r.held("kept") != "" {
			t.Errorf("after a Clear memory has %q and %q", r.held("k"), r.held("kept"))
		}
	})
}

// TestNothingWithoutARight: when its right to act has ended, a member serves nothing that it
// holds, and takes no write.
func TestNothingWithoutARight(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.get("k")
		r.writes.Confirm(r.Clock.Now())
		if _, err := r.get("k"); !errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("Get: %v, want %v", err, errs.ErrUnsettled)
		}
		if err := r.set("k", "new"); !errors.Is(err, errs.ErrUnsettled) {
			t.Errorf("Set: %v, want %v", err, errs.ErrUnsettled)
		}
		if e, _ := r.grant("k", 0); e != nil {
			t.Error("a lease is granted")
		}
	})
}

// TestMovedWhileTheWriterRan: the origin was written for a key that is another's by then:
// that one is made to forget what it may have loaded before.
func TestMovedWhileTheWriterRan(t *testing.T) {
	gate := make(chan struct{})
	write := func(context.Context, string, *store.Entry) error { <-gate; return nil }
	inBubble(t, faultinject.Faults{}, write, func(r *rig) {
		gate = make(chan struct{})
		set := began(func() (struct{}, error) { return struct{}{}, r.set("k", "new") })
		r.believe("another")
		r.DropLost(r.view)
		close(gate)
		if out := <-set; out.err != nil || r.forgotten.Load() != 1 || r.held("k") != "" {
			t.Errorf("Set: %v, the new owner was told %d times, memory has %q", out.err, r.forgotten.Load(), r.held("k"))
		}
	})
}
