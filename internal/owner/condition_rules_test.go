//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

func on(c wire.Condition) *Conditional { return &Conditional{Condition: c} }

// changeKey is a write of any kind.
func (r *rig) changeKey(key string, ch Change) error {
	return r.Write(context.Background(), r.hash(key), key, ch)
}

func entry(key, value string) *store.Entry { return &store.Entry{Key: key, Data: []byte(value)} }

// sums makes Add append a letter for each that is added.
func sums(key string, old *store.Entry, delta int64) (*store.Entry, error) {
	e := &store.Entry{Key: key}
	if old != nil {
		e.Data = append(e.Data, old.Data...)
	}
	for range delta {
		e.Data = append(e.Data, '+')
	}
	return e, nil
}

// TestConditions: what each is met by.
func TestConditions(t *testing.T) {
	v := store.Version{Clock: 7}
	old := &store.Entry{Version: v}
	for _, test := range []struct {
		c              wire.Condition
		nothing, value bool
	}{
		{wire.Condition{}, true, true},
		{wire.Condition{Touch: true}, false, true},
		{wire.Condition{If: wire.IfAbsent}, true, false},
		{wire.Condition{If: wire.IfPresent}, false, true},
		{wire.Condition{If: wire.IfVersion, Version: v}, false, true},
		{wire.Condition{If: wire.IfVersion}, false, false},
		{wire.Condition{If: wire.IfPresent, Touch: true}, false, true},
	} {
		if c := on(test.c); c.isMetBy(nil) != test.nothing || c.isMetBy(old) != test.value {
			t.Errorf("%+v: met by nothing %t, by a value %t", test.c, c.isMetBy(nil), c.isMetBy(old))
		}
	}
}

// TestRecallsNobody: a Touch that lets the value live as long as before, or longer.
func TestRecallsNobody(t *testing.T) {
	touch := func(before *store.Entry) *Conditional {
		c := on(wire.Condition{Touch: true})
		c.Got.Entry = before
		return c
	}
	set := touch(&store.Entry{Expires: 10})
	set.Touch = false
	for what, test := range map[string]struct {
		c       *Conditional
		expires int64
		nobody  bool
	}{
		"no condition": {nil, 20, false}, "no Touch": {set, 20, false}, "nothing there": {touch(nil), 20, false}, "it lived for ever": {touch(&store.Entry{}), 20, false},
		"longer": {touch(&store.Entry{Expires: 10}), 20, true}, "as long": {touch(&store.Entry{Expires: 20}), 20, true},
		"shorter": {touch(&store.Entry{Expires: 21}), 20, false}, "for ever": {touch(&store.Entry{Expires: 10}), 0, true},
	} {
		if nobody := test.c.recallsNobody(&store.Entry{Expires: test.expires}); nobody != test.nobody {
			t.Errorf("%s: recalls nobody %t", what, nobody)
		}
	}
}

// TestNotesWhatWasMade: the version of what a change stored, and the sum.
func TestNotesWhatWasMade(t *testing.T) {
	(*Conditional)(nil).noteMade(nil)
	v := store.Version{Clock: 7}
	e := &store.Entry{Version: v}
	before := &store.Entry{}
	c := on(wire.Condition{})
	c.Got.Entry = before
	if c.noteMade(e); !c.Got.Met || c.Got.Version != v || c.Got.Entry != before {
		t.Errorf("a Set: %+v", c.Got)
	}
	if c.noteMade(nil); !c.Got.Met || c.Got.Version != (store.Version{}) {
		t.Errorf("a Delete: %+v", c.Got)
	}
	if c.noteMade(&store.Entry{Version: v, Negative: true}); c.Got.Version != (store.Version{}) {
		t.Errorf("a trace: %+v", c.Got)
	}
	c.Add, c.sum.is = true, e
	if c.noteMade(e); c.Got.Entry != e {
		t.Errorf("a sum: %+v", c.Got)
	}
}

// TestDecides: what a condition comes to, by what is in memory.
func TestDecides(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		hash := r.hash("k")
		decide := func(c *Conditional) (decision, error) {
			return r.decideLocked(hash, "k", &Change{E: entry("k", "new"), If: c})
		}
		if d, err := r.decideLocked(hash, "k", &Change{}); d != goesAhead || err != nil {
			t.Errorf("no condition: %v, %v", d, err)
		}
		if d, err := decide(on(wire.Condition{})); d != goesAhead || err != nil {
			t.Errorf("an empty condition: %v, %v", d, err)
		}
		for _, c := range []wire.Condition{{If: wire.IfAbsent}, {Former: true}, {KeepTTL: true}, {Touch: true}, {Add: true}} {
			if d, err := decide(on(c)); d != mustLoad || err != nil {
				t.Errorf("%+v of what only a load can tell: %v, %v", c, d, err)
			}
		}
		row := entry("k", "row")
		c := on(wire.Condition{If: wire.IfPresent})
		c.known, c.row = true, row
		if d, err := decide(c); d != goesAhead || err != nil || c.Got.Entry != row {
			t.Errorf("the origin has a row: %v, %v, %+v", d, err, c.Got)
		}
		c.row, c.Got.Version.Clock = nil, 7
		if d, err := decide(c); d != isNotMet || err != nil || c.Got != (Got{}) {
			t.Errorf("the origin has no row: %v, %v, %+v", d, err, c.Got)
		}
		must(t, r.set("k", "old"))
		old := r.Store.Peek(hash, "k", 0)
		for _, c := range []*Conditional{on(wire.Condition{If: wire.IfPresent}), on(wire.Condition{Former: true}), on(wire.Condition{KeepTTL: true})} {
			if d, err := decide(c); d != goesAhead || err != nil || c.Got.Entry != old || c.Got.Version != old.Version || old.Version == (store.Version{}) {
				t.Errorf("%+v: %v, %v", c, d, err)
			}
		}
		c = on(wire.Condition{If: wire.IfAbsent})
		if d, err := decide(c); d != isNotMet || err != nil || c.Got.Entry != old {
			t.Errorf("%+v: %v, %v", c, d, err)
		}
		c = on(wire.Condition{Former: true})
		r.AnswerLimit = len(old.Data) - 1
		if d, err := decide(c); d != goesAhead || err != nil {
			t.Errorf("a value that is not sent: %v, %v", d, err)
		}
		c.Answered = true
		if d, err := decide(c); d != isNotMet || err != errTooLargeToSend {
			t.Errorf("a value too large to be sent: %v, %v", d, err)
		}
		c.Former = false
		c.If = wire.IfPresent
		if d, err := decide(c); d != goesAhead || err != nil {
			t.Errorf("a value that is not wanted back: %v, %v", d, err)
		}
		c = on(wire.Condition{If: wire.IfAbsent})
		c.Encoding = r.Encoding + 1
		if d, err := decide(c); d != isNotMet || err != errs.ErrOtherVersion {
			t.Errorf("of another encoding: %v, %v", d, err)
		}
		r.AnswerLimit = 100
		c = on(wire.Condition{Former: true})
		c.Answered = true
		if d, err := decide(c); d != goesAhead || err != nil {
			t.Errorf("a value that fits: %v, %v", d, err)
		}
	})
	ruled(t, nil, func(t *testing.T, r *rig) {
		r.Origin.Load = nil
		c := on(wire.Condition{Former: true})
		c.Answered, c.Encoding = true, r.Encoding+1
		if d, err := r.decideLocked(r.hash("k"), "k", &Change{If: c}); d != goesAhead || err != nil || c.Got != (Got{}) {
			t.Errorf("nothing, without a loader: %v, %v", d, err)
		}
	})
}

// TestValueNow is what a Get would find.
func TestValueNow(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		time.Sleep(time.Second)
		for _, test := range []struct {
			what         string
			e            *store.Entry
			there, known bool
		}{
			{"a value", &store.Entry{}, true, true},
			{"with care", &store.Entry{Care: &store.Care{}}, true, true},
			{"with a TTL", &store.Entry{Expires: 2 * second}, true, true},
			{"its TTL has not ended", &store.Entry{Expires: 9 * second, Care: &store.Care{Fresh: second + 1}}, true, true},
			{"its TTL has ended", &store.Entry{Expires: 9 * second, Care: &store.Care{Fresh: second}}, false, false},
			{"no row", &store.Entry{Negative: true}, false, true},
		} {
			test.e.Key = "k"
			must(t, r.Store.Set(r.hash("k"), test.e, second))
			if e, known := r.valueNow(r.hash("k"), "k"); (e == test.e) != test.there || (e != nil) != test.there || known != test.known {
				t.Errorf("%s: there %t, known %t", test.what, e != nil, known)
			}
		}
	})
}

// TestDecidedByALoad: a condition on what is not in memory is decided by the origin, while
// the key is reserved; what is not changed is kept.
func TestDecidedByALoad(t *testing.T) {
	absent := wire.Condition{If: wire.IfAbsent}
	present := wire.Condition{If: wire.IfPresent}
	for _, test := range []struct {
		what string
		c    wire.Condition
		err  error // of the loader
		met  bool
		held string
		want error
	}{
		{"a row, none wanted", absent, nil, false, "old", nil},
		{"a row, one wanted", present, nil, true, "new", nil},
		{"no row, none wanted", absent, errs.ErrNotFound, true, "new", nil},
		{"no row, one wanted", present, errs.ErrNotFound, false, "", nil},
		{"the loader fails", present, errOrigin, false, "", errOrigin},
	} {
		ruled(t, nil, func(t *testing.T, r *rig) {
			r.Origin.Load = func(context.Context, string) (*store.Entry, error) {
				if test.err != nil {
					return nil, test.err
				}
				return entry("k", "old"), nil
			}
			c := on(test.c)
			err := r.changeKey("k", Change{E: entry("k", "new"), If: c})
			if !errors.Is(err, test.want) || c.Got.Met != test.met || r.held("k") != test.held {
				t.Errorf("%s: %v, met %t, memory has %q", test.what, err, c.Got.Met, r.held("k"))
			}
		})
	}
}
