package hotcache

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/session"
)

func TestInvalidateRemovesOneInvalidateAllRemovesAll(t *testing.T) {
	c := newCache(t, Options{})
	const n = 1000
	for i := range n {
		keep(c, i, forever, 0)
	}
	c.Invalidate(hashOf(7), 0)
	c.Invalidate(hashOf(n+7), 0)
	for i := range n {
		if got := c.Get(hashOf(i), keyName(i), 0) != nil; got != (i != 7) {
			t.Fatalf("key %d: found %v", i, got)
		}
	}
	c.InvalidateAll()
	for i := range n {
		if c.Get(hashOf(i), keyName(i), 0) != nil {
			t.Fatalf("key %d is still there", i)
		}
	}
	if s := c.Stats(); s.Copies != 0 || s.Invalidated != n || s.Bytes != s.Bookkeeping {
		t.Errorf("got %+v", s)
	}
}

func TestRetainKeepsWhatIsOwnedAsBefore(t *testing.T) {
	c := newCache(t, Options{})
	const n = 1000
	for i := range n {
		e := entryOf(i)
		g := Grant{Session: session.NewHeld([]string{"a", "b"}[i%2], forever)}
		if !c.Begin(hashOf(i), e.Key).Keep(e, g, 0) {
			t.Fatal("not kept")
		}
	}
	asked := map[uint64]string{}
	c.Retain(func(hash uint64, owner string) bool {
		asked[hash] = owner
		return owner == "a"
	})
	for i := range n {
		if got, want := c.Get(hashOf(i), keyName(i), 0) != nil, i%2 == 0; got != want {
			t.Fatalf("key %d: found %v, want %v", i, got, want)
		}
		if got, want := asked[hashOf(i)], []string{"a", "b"}[i%2]; got != want {
			t.Fatalf("key %d: asked about owner %q, want %q", i, got, want)
		}
	}
}

// A fetch with the former owner that begins and ends while Retain is at work must not slip in behind it, wherever
// Retain is. Nor may keep deadlock when it calls the cache.
func TestNothingIsKeptBehindRetain(t *testing.T) {
	c := newCache(t, Options{})
	const n = 100
	for i := range n {
		keep(c, i, forever, 0)
	}
	before := c.Begin(hashOf(n), keyName(n))
	var during []*Fetch
	c.Retain(func(hash uint64, _ string) bool {
		for i := n; i < 2*n; i++ {
			if _, ok := keep(c, i, forever, 0); ok {
				t.Errorf("key %d was kept during Retain", i)
			}
		}
		during = append(during, c.Begin(hash, keyName(n)))
		c.Invalidate(hashOf(0), 0)
		c.Retain(func(uint64, string) bool { return true })
		return false
	})
	for _, f := range append(during, before) {
		if keepUntil(f, entryOf(n), forever, 0) {
			t.Error("a fetch that began before Retain returned was kept after it")
		}
	}
	if s := c.Stats(); s.Copies != 0 || s.Invalidated != n {
		t.Errorf("got %+v", s)
	}
	if _, ok := keep(c, 1, forever, 0); !ok {
		t.Error("the bar was not lifted")
	}
}

func TestRetainLiftsTheBarWhenKeepPanics(t *testing.T) {
	c := newCache(t, Options{})
	keep(c, 1, forever, 0)
	func() {
		defer func() { recover() }()
		c.Retain(func(uint64, string) bool { panic("keep") })
	}()
	if _, ok := keep(c, 2, forever, 0); !ok {
		t.Error("not kept")
	}
}

func TestCloseBeforeFirstUseIsFinal(t *testing.T) {
	c := newCache(t, Options{Threshold: 1})
	c.Close()
	c.Close()
	if _, ok := keep(c, 1, forever, 0); ok || c.Touch(hashOf(1), 0) {
		t.Error("a closed cache keeps or counts")
	}
	if s := c.Stats(); s.Bytes > 1024 {
		t.Errorf("got %+v", s)
	}
}

// The schedule at Close, step 1 being that Begin loaded the table before Close took it away.
func TestAFetchThatBeginsDuringCloseKeepsNothing(t *testing.T) {
	c := newCache(t, Options{})
	opened := c.open()
	c.Close()
	c.table.Store(opened)
	f := c.Begin(hashOf(1), keyName(1))
	c.table.Store(nil)
	if keepUntil(f, entryOf(1), forever, 0) {
		t.Error("kept")
	}
}
