package copies

import (
	"errors"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// alone returns the part of the only member, and the hash of a key.
func alone(t *testing.T) (*Part, *store.Store, uint64) {
	s, err := store.New(store.Options{MaxBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	now := new(clock.Clock)
	now.Start()
	c := New(Basis{Life: life.New(), Clock: now, Store: s, Values: new(numbers), Copies: 2, Fewer: true, Self: "here",
		Put: func(hash uint64, e *store.Entry, now int64) error { return s.Set(hash, e, now) }})
	c.core.Adopt(replica.View{ID: 1, Members: []string{"here"}, Owner: func(uint64) string { return "here" },
		Successors: func(uint64, int) []string { return []string{"here"} }})
	c.core.Own()
	return c, s, ring.Hash(0, "key")
}

// TestNothingIsDecidedBesideAClear: a Clear may be carried out yet, so nothing is written on a condition, nor
// given a version above that of the Clear when it was; what is not on a condition is.
func TestNothingIsDecidedBesideAClear(t *testing.T) {
	for _, decided := range []bool{true, false} {
		c, _, hash := alone(t)
		entry := func() *store.Entry { return &store.Entry{Key: "key", Data: make([]byte, 10)} }
		before, err := c.Here(hash, "key", entry(), Order{Decided: decided})
		if err != nil {
			t.Fatal(err)
		}
		version, err := c.AskClear("clear")
		if err != nil {
			t.Fatal(err)
		}
		if during, err := c.Here(hash, "key", entry(), Order{Decided: decided}); errors.Is(err, errs.ErrUnsettled) != decided {
			t.Errorf("decided %v: a write begins: %v", decided, err)
		} else if err == nil {
			during.Abandon(errs.ErrClosed)
		}
		if err := c.NoteClear("clear", version); err != nil {
			t.Fatal(err)
		}
		c.Clear("another", version) // it is of nobody, and too late
		c.lock()
		c.core.Clear(version)
		_, _ = before.nextLocked()
		stopped := before.state == replica.Stopped
		c.unlock()
		if stopped != decided {
			t.Errorf("decided %v: it is stopped: %v", decided, stopped)
		}
	}
}
