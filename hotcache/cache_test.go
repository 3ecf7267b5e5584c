package hotcache

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
)

func TestGetUntilTheSessionOrTheValueEnds(t *testing.T) {
	for _, tt := range []struct {
		name                string
		until, expires, now int64
		kept, got           bool
	}{
		{name: "live", until: 100, now: 99, kept: true, got: true},
		{name: "the session lapses", until: 100, now: 100, kept: true},
		{name: "the value ends first", until: 100, expires: 50, now: 49, kept: true, got: true},
		{name: "the value has ended", until: 100, expires: 50, now: 50, kept: true},
		{name: "the session lapses first", until: 100, expires: 150, now: 100, kept: true},
		{name: "answered when the session has lapsed, which may be renewed", until: 10, now: 10, kept: true},
		{name: "answered when the value has expired", until: 100, expires: 10, now: 10},
		{name: "not to be stored", until: 100, expires: -1, now: 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCache(t, Options{})
			e := entryOf(1)
			e.Expires = tt.expires
			if got := keepUntil(c.Begin(hashOf(1), e.Key), e, tt.until, 10); got != tt.kept {
				t.Errorf("Keep: got %v, want %v", got, tt.kept)
			}
			if got := c.Get(hashOf(1), keyName(1), tt.now); (got == e) != tt.got || (got != nil) != tt.got {
				t.Errorf("Get: got %v, want a copy: %v", got, tt.got)
			}
		})
	}
}

// More keys of one hash than a set has ways: never the wrong value, at worst none.
func TestKeysOfEqualHash(t *testing.T) {
	c := newCache(t, Options{})
	const hash, n = 0, 20 // the tag of hash 0 would be 0
	for i := range n {
		e := entryOf(i)
		if !keepUntil(c.Begin(hash, e.Key), e, second+int64(i), 0) {
			t.Fatal("not kept")
		}
	}
	found := 0
	for i := range n {
		e := c.Get(hash, keyName(i), 0)
		if e == nil {
			continue
		}
		found++
		if e.Key != keyName(i) {
			t.Errorf("got %q, want %q", e.Key, keyName(i))
		}
		if i < n-ways {
			t.Errorf("key %d is still there, and was not among the last that were asked for", i)
		}
	}
	if found != ways {
		t.Errorf("found %d copies, want %d", found, ways)
	}
	if c.Invalidate(hash, 0); c.Stats().Copies != 0 {
		t.Error("Invalidate must remove all keys of a hash: their owner knows them by that alone")
	}
}

// Every combination of tags, as the borrow in match can only run upward.
func TestMatchFindsEveryTag(t *testing.T) {
	for tag := range uint64(256) {
		for other := range uint64(256) {
			for way := range ways {
				tags := (other*ones)&^(tagByte<<(8*way)) | tag<<(8*way)
				m := match(tags, max(tag, 1))
				if tag != 0 && m>>(8*way+7)&1 == 0 {
					t.Fatalf("tag %#x in way %d of %#x: not found", tag, way, tags)
				}
				if m&^highs != 0 {
					t.Fatalf("tag %#x, tags %#x: match %#x points outside the ways", tag, tags, m)
				}
			}
		}
	}
}

// TestHitAsksOneCaller: of all who read copies of an owner, one each sixth of a term is to renew the
// session, once a third of it is over; and one of all who read a copy tells the owner of a read.
func TestHitAsksOneCaller(t *testing.T) {
	c := newCache(t, Options{})
	h := session.NewHolder(1200, faultinject.Sessions{})
	h.Renewed("owner", 1, 1200, 0, h.Stamp())
	for i := range 3 {
		e := entryOf(i)
		if !c.Begin(hashOf(i), e.Key).Keep(e, Grant{Session: h.Of("owner"), TellAt: 500}, 0) {
			t.Fatal("not kept")
		}
	}
	var renewals, told atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for now := range int64(1200) {
				e, due := c.Hit(hashOf(int(now%3)), keyName(int(now%3)), now)
				if e == nil {
					t.Error("a live copy was not found")
				}
				if due&DueSession != 0 {
					renewals.Add(1)
					if now < 400 {
						t.Errorf("asked to renew at %d", now)
					}
				}
				if due&DueValue != 0 {
					told.Add(1)
					if now < 500 {
						t.Errorf("told to tell the owner at %d", now)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := renewals.Load(); n < 4 || n > 5 {
		t.Errorf("%d callers were asked to renew in 800 of 1200, want one each 200", n)
	}
	if told.Load() != 3 {
		t.Errorf("%d were told to tell of a read of 3 copies", told.Load())
	}
	if e, due := c.Hit(hashOf(1), keyName(1), 1200); e != nil || due != 0 {
		t.Error("a copy is served whose session has lapsed")
	}
	h.Renewed("owner", 1, 1200, 2000, h.Stamp())
	if e, _ := c.Hit(hashOf(1), keyName(1), 2100); e == nil {
		t.Error("a renewed session brings no copy back")
	}
	h.Renewed("owner", 2, 1200, 2100, h.Stamp())
	if e, _ := c.Hit(hashOf(1), keyName(1), 2100); e != nil {
		t.Error("a copy is served that was granted under a session which was broken")
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	c := newCache(t, Options{})
	keep(c, 1, forever, 0)
	buffer := []byte(keyName(1))
	allocs := testing.AllocsPerRun(100, func() {
		if c.Get(hashOf(1), string(buffer), 0) == nil {
			t.Error("miss")
		}
		c.Hit(hashOf(1), keyName1, 0)
		c.Get(hashOf(2), keyName1, 0)
		c.Touch(hashOf(2), 0)
		c.Invalidate(hashOf(2), 0)
		c.Sweep(0)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

var keyName1 = keyName(1)

func TestNilCacheHoldsNothing(t *testing.T) {
	var c *Cache
	for range 100 {
		if c.Touch(1, 0) {
			t.Fatal("hot")
		}
	}
	f := c.Begin(1, "k")
	if keepUntil(f, &store.Entry{Key: "k"}, forever, 0) {
		t.Error("kept")
	}
	f.Drop()
	if e, due := c.Hit(1, "k", 0); e != nil || due != 0 || c.Get(1, "k", 0) != nil {
		t.Error("found")
	}
	c.Invalidate(1, 0)
	c.InvalidateAll()
	c.Retain(func(uint64, string) bool { t.Error("called"); return false })
	c.Sweep(0)
	c.Close()
	if got := c.Stats(); got != (Stats{}) {
		t.Errorf("got %+v", got)
	}
}

// TestForgedHashes keeps copies of keys whose hashes agree in the bits by which a
// table would place them, as those of keys do that somebody has chosen.
func TestForgedHashes(t *testing.T) {
	c := newCache(t, Options{MaxBytes: 8 << 20, Threshold: 2})
	const n = 1000
	hash := func(i int) uint64 { return 0xabcde<<44 | uint64(i)<<20 | 0x12345 }
	for i := range n {
		e := entryOf(i)
		if !keepUntil(c.Begin(hash(i), e.Key), e, forever, 0) {
			t.Fatalf("copy %d is not kept", i)
		}
	}
	kept := 0
	for i := range n {
		if c.Get(hash(i), keyName(i), 1) != nil {
			kept++
		}
	}
	often := 0
	for i := range n { // read once, though their counters were one
		if c.Touch(hash(i), 0) {
			often++
		}
	}
	if kept < n*9/10 || often > n/100 {
		t.Errorf("%d of %d copies are there, %d keys read once are taken for others", kept, n, often)
	}
}
