package hotcache

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

func TestGetUntilTheLeaseOrTheValueEnds(t *testing.T) {
	for _, tt := range []struct {
		name                string
		until, expires, now int64
		kept, got           bool
	}{
		{name: "live", until: 100, now: 99, kept: true, got: true},
		{name: "the lease ends", until: 100, now: 100, kept: true},
		{name: "the value ends first", until: 100, expires: 50, now: 49, kept: true, got: true},
		{name: "the value has ended", until: 100, expires: 50, now: 50, kept: true},
		{name: "the lease ends first", until: 100, expires: 150, now: 100, kept: true},
		{name: "answered when the lease is over", until: 10, now: 10},
		{name: "answered when the value has expired", until: 100, expires: 10, now: 10},
		{name: "not to be stored", until: 100, expires: -1, now: 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCache(t, Options{})
			e := entryOf(1)
			e.Expires = tt.expires
			if got := c.Begin(hashOf(1), e.Key, "owner").Keep(e, tt.until, 10); got != tt.kept {
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
		if !c.Begin(hash, e.Key, "owner").Keep(e, second+int64(i), 0) {
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
			t.Errorf("key %d is still there, and its lease was not among the last", i)
		}
	}
	if found != ways {
		t.Errorf("found %d copies, want %d", found, ways)
	}
	c.Invalidate(hash, keyName(n-1))
	if c.Get(hash, keyName(n-1), 0) != nil || c.Get(hash, keyName(n-2), 0) == nil {
		t.Error("Invalidate of one key must remove that one")
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

func TestRenewAsksOneCallerForEachLease(t *testing.T) {
	c := newCache(t, Options{})
	for lease := range int64(3) {
		sent := lease * 900
		if _, ok := keep(c, 1, sent+1000, sent); !ok {
			t.Fatal("not kept")
		}
		if _, renew := c.GetRenew(hashOf(1), keyName(1), sent+749); renew {
			t.Error("asked while more than a quarter remains")
		}
		var asked atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for now := sent + 750; now < sent+1000; now++ {
					e, renew := c.GetRenew(hashOf(1), keyName(1), now)
					if e == nil {
						t.Error("a live copy was not found")
					}
					if renew {
						asked.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if got := asked.Load(); got != 1 {
			t.Errorf("asked %d callers to renew, want 1", got)
		}
	}
	if e, renew := c.GetRenew(hashOf(1), keyName(1), 1<<40); e != nil || renew {
		t.Error("asked to renew what has lapsed")
	}
}

func TestNoRenewalOfAValueThatExpiresFirst(t *testing.T) {
	c := newCache(t, Options{})
	e := entryOf(1)
	e.Expires = 999
	c.Begin(hashOf(1), e.Key, "owner").Keep(e, 1000, 0)
	if got, renew := c.GetRenew(hashOf(1), keyName(1), 998); got != e || renew {
		t.Errorf("got %v, renew %v", got, renew)
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
		c.GetRenew(hashOf(1), keyName1, 0)
		c.Get(hashOf(2), keyName1, 0)
		c.Touch(hashOf(2), 0)
		c.Invalidate(hashOf(2), keyName1)
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
	f := c.Begin(1, "k", "owner")
	if f.Keep(&store.Entry{Key: "k"}, forever, 0) {
		t.Error("kept")
	}
	f.Drop()
	if e, renew := c.GetRenew(1, "k", 0); e != nil || renew || c.Get(1, "k", 0) != nil {
		t.Error("found")
	}
	c.Invalidate(1, "k")
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
	c := newCache(t, Options{MaxBytes: 8 << 20})
	const n = 1000
	hash := func(i int) uint64 { return 0xabcde<<44 | uint64(i)<<20 | 0x12345 }
	for i := range n {
		e := entryOf(i)
		if !c.Begin(hash(i), e.Key, "owner").Keep(e, forever, 0) {
			t.Fatalf("copy %d is not kept", i)
		}
	}
	kept := 0
	for i := range n {
		if c.Get(hash(i), keyName(i), 1) != nil {
			kept++
		}
	}
	hot := 0
	for i := range n { // read once: none is hot, though their counters were one
		if c.Touch(hash(i), 0) {
			hot++
		}
	}
	if kept < n*9/10 || hot > n/100 {
		t.Errorf("%d of %d copies are there, %d keys read once are hot", kept, n, hot)
	}
}
