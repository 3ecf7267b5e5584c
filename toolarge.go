package cachemesh

import (
	"math"
	"time"

	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A value that does not fit an answer to a peer is an answer all the same: the owner
// says so, and the caller loads for itself without storing. So that the owner does not
// load only to say it again, it remembers such keys for a while, or until they are
// written.
const (
	maxTooLarge = 16 // remembered by each shard
	tooLargeFor = 10 * time.Second
)

// fits reports whether an entry's value can be sent to a peer. One that accepts less
// than this member is told by httppool.
func (c *part) fits(e *store.Entry) bool { return len(e.Data) <= c.answerLimit }

// noteTooLarge remembers that the value of a key cannot be sent.
func (c *part) noteTooLarge(key string) {
	s := c.shard(ring.Hash(c.seed, key))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tooLarge == nil {
		s.tooLarge = make(map[string]int64)
	}
	c.forgetTooLargeLocked(s, key)
	for other := range s.tooLarge { // any one gives way: it costs a load
		if len(s.tooLarge) < maxTooLarge {
			break
		}
		c.forgetTooLargeLocked(s, other)
	}
	if c.takeRoom(tooLargeBytes(key)) {
		s.tooLarge[key] = c.clock.Now() + int64(tooLargeFor)
	}
}

// tooLargeBytes is what a key takes that is known to be too large: itself, and a slot of
// a map that is half full.
func tooLargeBytes(key string) int64 { return 64 + store.Allocated(int64(len(key))) }

func (c *part) forgetTooLargeLocked(s *shard, key string) {
	if _, known := s.tooLarge[key]; known {
		delete(s.tooLarge, key)
		c.bookBytes.Add(-tooLargeBytes(key))
	}
}

// noteTooLargeToKeep counts a loaded value that the store does not take, and logs one
// from time to time: each Get of its key loads it.
func (c *part) noteTooLargeToKeep(e *store.Entry, now int64) {
	c.counts.tooLarge.Add(1)
	last := c.tooLargeLogged.Load()
	if last != 0 && now-last < int64(unreadableEvery) || !c.tooLargeLogged.CompareAndSwap(last, max(now, 1)) {
		return
	}
	most, maxBytes := c.store.MaxEntry(), c.maxBytes.Load()
	enough := int64(math.Ceil(float64(maxBytes)/float64(most)*float64(e.Size())/(1<<20))) << 20
	c.log.Warn("a loaded value is too large to be kept, and is loaded for every Get of its key: raise GroupOptions.MaxBytes, or keep less in one value",
		"group", c.name, "key", e.Key, "bytes", e.Size(), "at most", most, "MaxBytes", maxBytes, "MaxBytes that would do", enough,
		"so far", c.counts.tooLarge.Load())
}

// isTooLarge reports whether this member owns a key whose value is known to be too large
// to be sent.
func (c *part) isTooLarge(hash uint64, key string) bool {
	if c.state.MayServe(hash, c.clock.Now()) != nil {
		return false
	}
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.tooLarge[key]
	if known && c.clock.Now() >= until {
		c.forgetTooLargeLocked(s, key)
		known = false
	}
	return known
}
