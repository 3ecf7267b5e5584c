package owner

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// change makes a change on a condition, and says what came of it.
func (r *rig) change(key string, e *store.Entry, c wire.Condition) (Got, error) {
	cond := &Conditional{Condition: c}
	err := r.Write(context.Background(), r.hash(key), key, Change{E: e, If: cond})
	return cond.Got, err
}

// counts lets the part count: its values are integers. meanwhile runs before each sum is made.
func (r *rig) counts(meanwhile func(key string)) {
	r.Add = func(key string, old *store.Entry, delta int64) (*store.Entry, error) {
		meanwhile(key)
		n := int64(0)
		if old != nil {
			n, _ = strconv.ParseInt(string(old.Data), 10, 64)
		}
		return &store.Entry{Key: key, Data: strconv.AppendInt(nil, n+delta, 10)}, nil
	}
}

func (r *rig) increment(key string) (string, error) {
	got, err := r.change(key, nil, wire.Condition{Add: true, Delta: 1})
	if err != nil || !got.Met || got.Entry == nil {
		return "", err
	}
	return string(got.Entry.Data), nil
}

// lends puts a value into memory that lives for half a second, and a copy of it to a holder
// that does not answer: a write of the key waits for a second.
func (r *rig) lends(t *testing.T, key, value string) {
	t.Helper()
	e := &store.Entry{Key: key, Data: []byte(value)}
	r.SetTTL(e, 500*time.Millisecond)
	if err := r.Write(context.Background(), r.hash(key), key, Change{E: e}); err != nil {
		t.Fatal(err)
	}
	if e, lease := r.grant(key, 0); e == nil || lease == 0 {
		t.Fatal("no lease")
	}
	r.acknowledges.Store(false)
}

// TestNoCodecUnderALock: a sum is made by the user's codec, which may do what it likes.
func TestNoCodecUnderALock(t *testing.T) {
	write := func(context.Context, string, *store.Entry) error { return nil }
	for name, c := range map[string]struct {
		write func(context.Context, string, *store.Entry) error
		lent  bool
		held  bool
	}{"in memory": {held: true}, "to be loaded": {}, "lent": {held: true, lent: true}, "a Writer": {write: write, held: true}} {
		inBubble(t, faultinject.Faults{}, c.write, func(r *rig) {
			r.row.Store(new("41"))
			calls := 0
			r.counts(func(key string) {
				calls++
				s := r.shard(r.hash(key))
				if !s.mu.TryLock() {
					t.Errorf("%s: the lock of the key's shard is held", name)
					return
				}
				s.mu.Unlock()
			})
			if c.held {
				r.get("k")
			}
			if c.lent {
				r.grant("k", 0)
			}
			if v, err := r.increment("k"); v != "42" || err != nil || r.held("k") != "42" || calls == 0 {
				t.Errorf("%s: %q, %v, and memory has %q", name, v, err, r.held("k"))
			}
		})
	}
}

// TestSumOfWhatWasWrittenMeanwhile: what a sum was made of is compared where it is stored,
// and whoever is overtaken again and again has the key reserved.
func TestSumOfWhatWasWrittenMeanwhile(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		calls, set := 0, 0
		r.counts(func(key string) {
			calls++
			s := r.shard(r.hash(key))
			if !s.mu.TryLock() {
				return // the other test speaks of it
			}
			reserved := s.reserved.isTaken(key)
			s.mu.Unlock()
			if !reserved {
				set++
				r.set(key, strconv.Itoa(100*calls))
			}
		})
		r.get("k")
		v, err := r.increment("k")
		if want := strconv.Itoa(100*set + 1); v != want || err != nil || r.held("k") != want || set == 0 || calls != set+1 {
			t.Errorf("%q, %v after %d sums, %d writes between them; memory has %q", v, err, calls, set, r.held("k"))
		}
	})
}

// TestWhatGoesWhileItIsRecalled: what a condition was met by expires before the change is
// made. Then it is looked at again, by a load if need be, and not taken for unmet.
func TestWhatGoesWhileItIsRecalled(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.counts(func(string) {})
		r.row.Store(new("7"))
		r.lends(t, "sum", "5")
		if v, err := r.increment("sum"); v != "8" || err != nil || r.held("sum") != "8" {
			t.Errorf("Add: %q, %v, and memory has %q, want 8", v, err, r.held("sum"))
		}
		r.acknowledges.Store(true)
		r.lends(t, "swap", "5")
		got, err := r.change("swap", &store.Entry{Key: "swap", Data: []byte("new")}, wire.Condition{Former: true})
		if err != nil || !got.Met || got.Entry == nil || string(got.Entry.Data) != "7" || r.held("swap") != "new" {
			t.Errorf("%+v, %v, and memory has %q", got, err, r.held("swap"))
		}
	})
}

// TestTimeOfWhatGoesWhileItIsRecalled: there is none to be kept.
func TestTimeOfWhatGoesWhileItIsRecalled(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.Origin.Load = nil
		r.lends(t, "k", "old")
		e := &store.Entry{Key: "k", Data: []byte("new")}
		r.SetTTL(e, time.Hour)
		if got, err := r.change("k", e, wire.Condition{KeepTTL: true}); err != nil || !got.Met || got.Entry != nil || r.held("k") != "new" {
			t.Errorf("%+v, %v, and memory has %q", got, err, r.held("k"))
		}
	})
}

// TestRowOfAFormerTry: what a try that failed has loaded says nothing to the next one.
func TestRowOfAFormerTry(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.gate = make(chan struct{})
		cond := &Conditional{Condition: wire.Condition{If: wire.IfAbsent, Former: true}}
		try := func() (struct{}, error) {
			err := r.Write(context.Background(), r.hash("k"), "k", Change{E: &store.Entry{Key: "k", Data: []byte("mine")}, If: cond})
			return struct{}{}, err
		}
		first := began(try)
		r.believe("another") // which writes it
		r.row.Store(new("new"))
		r.believe("self")
		r.gate <- struct{}{}
		if out := <-first; !errs.IsUnsettled(out.err) {
			t.Errorf("the key moved: %v", out.err)
		}
		close(r.gate)
		if _, err := try(); err != nil || cond.Got.Entry == nil || string(cond.Got.Entry.Data) != "new" {
			t.Errorf("%+v, %v: want the row as it is now", cond.Got, err)
		}
	})
}

// TestConditionBesideAClear: what a condition is met by is emptied from the store without the
// shard's lock, so no condition is looked at meanwhile.
func TestConditionBesideAClear(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.get("k")
		swap := func() (Got, error) {
			return r.change("k", &store.Entry{Key: "k", Data: []byte("new")}, wire.Condition{If: wire.IfPresent})
		}
		r.eachShard(func(s *shard) { s.emptying++ })
		if got, err := swap(); !errs.IsUnsettled(err) || got.Met || r.held("k") != "old" {
			t.Errorf("%+v, %v, and memory has %q", got, err, r.held("k"))
		}
		r.eachShard(func(s *shard) { s.emptying-- })
		r.gate = make(chan struct{})
		r.Store.Clear()
		out := began(swap)
		r.eachShard(func(s *shard) { s.emptying++ })
		r.gate <- struct{}{}
		if out := <-out; !errs.IsUnsettled(out.err) || out.v.Met {
			t.Errorf("loaded beside a Clear: %+v", out)
		}
		r.eachShard(func(s *shard) { s.emptying-- })
		synctest.Wait()
	})
}

// TestAbsenceFoundByACondition is remembered as that which a Get finds.
func TestAbsenceFoundByACondition(t *testing.T) {
	inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
		r.NotFoundTTL = time.Minute
		loads := 0
		r.Origin.Load = func(context.Context, string) (*store.Entry, error) { loads++; return nil, errs.ErrNotFound }
		for range 3 {
			if got, err := r.change("k", nil, wire.Condition{If: wire.IfPresent, Remove: true}); got.Met || err != nil || loads != 1 {
				t.Errorf("%+v, %v, %d loads", got, err, loads)
			}
		}
	})
}

// TestCodecThatDoesNotReturn, or ends its goroutine, does not keep a key for ever.
func TestCodecThatDoesNotReturn(t *testing.T) {
	for name, end := range map[string]func(release chan struct{}){
		"it ends its goroutine": func(chan struct{}) { runtime.Goexit() },
		"it hangs":              func(release chan struct{}) { <-release },
	} {
		inBubble(t, faultinject.Faults{}, nil, func(r *rig) {
			release := make(chan struct{})
			defer close(release)
			r.counts(func(string) { end(release) })
			sum := began(func() (string, error) { return r.increment("k") })
			time.Sleep(31 * time.Second)
			synctest.Wait()
			select {
			case out := <-sum:
				if out.err == nil {
					t.Errorf("%s: no error", name)
				}
			default:
				t.Fatalf("%s: the key is reserved for ever", name)
			}
			if err := r.set("k", "new"); err != nil || r.held("k") != "new" {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
