package hotcache

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// Each schedule is one from the comments, step by step.
func TestAnInvalidationThatOvertakesTheAnswerMarksTheFetch(t *testing.T) {
	for name, invalidate := range map[string]func(*Cache){
		"Invalidate":    func(c *Cache) { c.Invalidate(hashOf(1), 0) },
		"InvalidateAll": func(c *Cache) { c.InvalidateAll() },
		"Retain":        func(c *Cache) { c.Retain(func(uint64, string) bool { return true }) },
		"Close":         func(c *Cache) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, Options{})
			f := c.Begin(hashOf(1), keyName(1))
			invalidate(c)
			if keepUntil(f, entryOf(1), forever, 0) || c.Get(hashOf(1), keyName(1), 0) != nil {
				t.Error("kept what was invalidated")
			}
			if got := c.Stats().Marked; got != 1 {
				t.Errorf("got %d marked, want 1", got)
			}
			if _, ok := keep(c, 1, forever, 0); ok != (name != "Close") {
				t.Errorf("a fetch that began afterwards: kept %v", ok)
			}
		})
	}
}

func TestALaterFetchDoesNotWashOffTheMark(t *testing.T) {
	c := newCache(t, Options{})
	f := c.Begin(hashOf(1), keyName(1))
	c.Invalidate(hashOf(1), 0)
	e, ok := keep(c, 1, 1000, 0)
	if !ok {
		t.Fatal("the second fetch was not kept")
	}
	if keepUntil(f, entryOf(1), 2000, 0) {
		t.Error("the first fetch was kept")
	}
	if got := c.Get(hashOf(1), keyName(1), 0); got != e {
		t.Errorf("got %p, want the copy of the second fetch, %p", got, e)
	}
}

func TestOfTwoFetchesTheOneSentLaterStays(t *testing.T) {
	c := newCache(t, Options{})
	first := c.Begin(hashOf(1), keyName(1))
	later := c.Begin(hashOf(1), keyName(1))
	e1, e2 := entryOf(1), entryOf(1)
	if !keepUntil(later, e2, 1010, 20) || !keepUntil(first, e1, 1000, 30) {
		t.Error("not kept")
	}
	if got := c.Get(hashOf(1), keyName(1), 40); got != e2 {
		t.Error("the answer to the earlier request replaced that to the later one")
	}
	if s := c.Stats(); s.Kept != 1 || s.Superseded != 1 || s.Copies != 1 {
		t.Errorf("got %+v", s)
	}
	e3 := entryOf(1)
	ok := keepUntil(c.Begin(hashOf(1), e3.Key), e3, 1020, 50)
	if got := c.Get(hashOf(1), keyName(1), 60); !ok || got != e3 {
		t.Error("a renewal did not replace the copy")
	}
}

func TestALapsedCopyDoesNotSupersede(t *testing.T) {
	c := newCache(t, Options{})
	first := c.Begin(hashOf(1), keyName(1))
	e := entryOf(1)
	e.Expires = 50 // it was asked for later, but its value ends first
	keepUntil(c.Begin(hashOf(1), keyName(1)), e, 1010, 20)
	e = entryOf(1)
	if !keepUntil(first, e, 1000, 50) || c.Get(hashOf(1), keyName(1), 60) != e {
		t.Error("not kept")
	}
}

func TestAFetchEndsOnce(t *testing.T) {
	c := newCache(t, Options{})
	f := c.Begin(hashOf(1), keyName(1))
	f.Drop()
	f.Drop()
	if keepUntil(f, entryOf(1), forever, 0) {
		t.Error("kept after Drop")
	}
	f = c.Begin(hashOf(1), keyName(1))
	if !keepUntil(f, entryOf(1), forever, 0) {
		t.Error("not kept")
	}
	f.Drop()
	if keepUntil(f, entryOf(1), forever, 0) {
		t.Error("kept twice")
	}
	if c.Get(hashOf(1), keyName(1), 0) == nil || c.Stats().Kept != 1 {
		t.Errorf("got %+v", c.Stats())
	}
}

func TestAnAnswerForAnotherKeyIsNotKept(t *testing.T) {
	c := newCache(t, Options{})
	if keepUntil(c.Begin(hashOf(1), keyName(1)), entryOf(2), forever, 0) {
		t.Error("kept")
	}
}

func TestIgnoreMarkSwitchesTheMarkOff(t *testing.T) {
	c := newCache(t, Options{Faults: &faultinject.Faults{IgnoreMark: true}})
	f := c.Begin(hashOf(1), keyName(1))
	c.Invalidate(hashOf(1), 0)
	if !keepUntil(f, entryOf(1), forever, 0) {
		t.Error("not kept")
	}
}

// A stripe serves many keys, so that an invalidation now and then costs another key's fetch its copy. How often is the
// share of the stripes: 1 in 1024.
func TestMarksRarelyHitOtherKeys(t *testing.T) {
	c := newCache(t, Options{})
	const n = 10_000
	lost := 0
	for i := range n {
		f := c.Begin(hashOf(i), keyName(i))
		c.Invalidate(hashOf(i+n), 0)
		if !keepUntil(f, entryOf(i), forever, 0) {
			lost++
		}
	}
	t.Logf("%d of %d fetches lost their copy to the invalidation of another key", lost, n)
	if lost > n/300 {
		t.Errorf("%d of %d fetches lost their copy, want about %d", lost, n, n/maxStripes)
	}
}
