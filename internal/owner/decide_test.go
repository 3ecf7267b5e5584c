package owner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// setIf sets a key if it has a version, and says what came of it.
func (r *rig) setIf(key, value string, v store.Version) (Got, error) {
	cond := &Conditional{Condition: wire.Condition{If: wire.IfVersion, Version: v}}
	err := r.Write(context.Background(), r.hash(key), key, Change{E: &store.Entry{Key: key, Data: []byte(value)}, If: cond})
	return cond.Got, err
}

// movedWhileRecalled: a key is set if it has the version that it has, and a holder of a copy
// does not answer; meanwhile the key is another member's, which may write it, and comes back.
func movedWhileRecalled(r *rig) (Got, error) {
	if v, err := r.get("k"); v != "old" || err != nil {
		return Got{}, err
	}
	e, lease := r.grant("k", 0)
	if lease == 0 {
		return Got{}, errOrigin
	}
	r.acknowledges.Store(false)
	out := began(func() (Got, error) { return r.setIf("k", "mine", e.Version) })
	r.believe("another")
	r.believe("self")
	synctest.Wait()
	time.Sleep(2 * time.Second) // the lease lapses
	done := <-out
	return done.v, done.err
}

func TestConditionIsLookedAtWhereItIsStored(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		if got, err := movedWhileRecalled(r); !errs.IsUnsettled(err) || got.Met || r.held("k") == "mine" {
			t.Errorf("%+v, %v, and memory has %q", got, err, r.held("k"))
		}
	})
	inBubble(t, faultinject.Faults{DecideOnce: true}, nil, func(r *rig) {
		if got, err := movedWhileRecalled(r); err != nil || !got.Met {
			t.Errorf("without the second look: %+v, %v: this test would not notice that it is gone", got, err)
		}
	})
}

// TestConditionOfWhatExpires: the value of the version is gone by the time that the copies of
// it are recalled.
func TestConditionOfWhatExpires(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.get("k")
		cond := &Conditional{Condition: wire.Condition{Touch: true}, TTL: 500 * time.Millisecond}
		if err := r.Write(context.Background(), r.hash("k"), "k", Change{If: cond}); err != nil || !cond.Got.Met {
			t.Fatal(err)
		}
		e, number := r.grant("k", 0)
		if number == 0 {
			t.Fatal("no copy")
		}
		r.acknowledges.Store(false)
		out := began(func() (Got, error) { return r.setIf("k", "mine", e.Version) })
		time.Sleep(2 * time.Second)
		done := <-out
		if done.err != nil || done.v.Met != (r.held("k") == "mine") {
			t.Errorf("%+v, and memory has %q", done, r.held("k"))
		}
	})
}

// TestNobodyElseWritesWhileItIsLoaded: what a condition is decided by is read from the origin
// while the key is reserved.
func TestNobodyElseWritesWhileItIsLoaded(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.gate = make(chan struct{})
		cond := &Conditional{Condition: wire.Condition{If: wire.IfAbsent}}
		first := began(func() (Got, error) {
			err := r.Write(context.Background(), r.hash("k"), "k", Change{E: &store.Entry{Key: "k", Data: []byte("mine")}, If: cond})
			return cond.Got, err
		})
		second := began(func() (struct{}, error) { return struct{}{}, r.delete("k") })
		select {
		case <-second:
			t.Error("a Delete ended while the key was reserved")
		default:
		}
		r.gate <- struct{}{}
		if out := <-first; out.err != nil || out.v.Met {
			t.Errorf("%+v", out)
		}
		if out := <-second; out.err != nil {
			t.Error(out.err)
		}
		if held := r.held("k"); held != "" {
			t.Errorf("memory has %q after the Delete", held)
		}
		close(r.gate)
	})
}
