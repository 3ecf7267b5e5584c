package hotcache

import (
	"strconv"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	second  = int64(1e9)
	ms      = int64(1e6)
	forever = int64(1) << 62
)

// newCache returns a cache whose books are checked when the test ends.
func newCache(tb testing.TB, o Options) *Cache {
	tb.Helper()
	c, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		checkBooks(tb, c)
		c.Close()
		if s := c.Stats(); s.Copies != 0 || s.Bytes != s.Bookkeeping {
			tb.Errorf("after Close: %+v", s)
		}
	})
	return c
}

// checkBooks compares what the cache counts with what is in its table. No writer may be at work.
func checkBooks(tb testing.TB, c *Cache) {
	tb.Helper()
	var copies, used int64
	if t := c.table.Load(); t != nil {
		for i := range t.sets {
			s := &t.sets[i]
			keys := map[string]bool{}
			for w := range s.ways {
				h := s.ways[w].Load()
				tag := s.tags.Load() >> (8 * w) & tagByte
				if h == nil {
					if tag != 0 {
						tb.Errorf("set %d way %d is empty and has tag %#x", i, w, tag)
					}
					continue
				}
				copies, used = copies+1, used+h.size
				if keys[h.entry.Key] {
					tb.Errorf("set %d holds %q twice", i, h.entry.Key)
				}
				keys[h.entry.Key] = true
				if tag != tagOf(h.hash) || t.set(c.scatter.Of(h.hash)) != s {
					tb.Errorf("set %d way %d: %q lies in the wrong set or has the wrong tag", i, w, h.entry.Key)
				}
			}
			if s.tags.Load()>>(8*ways) != 0 {
				tb.Errorf("set %d has a tag without a way", i)
			}
		}
	}
	if got := c.copies.Load(); got != copies {
		tb.Errorf("counted %d copies, found %d", got, copies)
	}
	if got := c.used.Load(); got != used || got > c.capacity.Load() {
		tb.Errorf("charged %d bytes, found %d, capacity %d", got, used, c.capacity.Load())
	}
}

// splitmix is SplitMix64, here the well-mixed hash of a number.
func splitmix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func keyName(i int) string { return "key-" + strconv.Itoa(100_000_000_000+i) }

func hashOf(i int) uint64 { return splitmix(uint64(i)) }

func entryOf(i int) *store.Entry { return &store.Entry{Key: keyName(i), Data: make([]byte, 100)} }

// standing is a session that does not end.
var standing = session.NewHeld("owner", forever)

// keep fetches key i and keeps its entry, whose value ends at a time.
func keep(c *Cache, i int, until, now int64) (*store.Entry, bool) {
	e := entryOf(i)
	if until != forever {
		e.Expires = until
	}
	return e, c.Begin(hashOf(i), e.Key).Keep(e, Grant{Session: standing, Sent: now}, now)
}

// keepUntil keeps the answer of a fetch under a session of its own, which lapses at a time; of two such the one
// that lapses later was asked for later.
func keepUntil(f *Fetch, e *store.Entry, until, now int64) bool {
	return f.Keep(e, Grant{Session: session.NewHeld("owner", until), Sent: until}, now)
}
