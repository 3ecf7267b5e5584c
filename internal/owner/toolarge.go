package owner

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

// Fits reports whether an entry's value can be sent to a peer. One that accepts less
// than this member is told by httppool.
func (c *Part) Fits(e *store.Entry) bool { return len(e.Data) <= c.AnswerLimit }

// NoteTooLarge remembers that the value of a key cannot be sent.
func (c *Part) NoteTooLarge(key string) {
	s := c.shard(ring.Hash(c.Seed, key))
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
		s.tooLarge[key] = c.Clock.Now() + int64(tooLargeFor)
	}
}

// tooLargeBytes is what a key takes that is known to be too large: itself, and a slot of
// a map that is half full.
func tooLargeBytes(key string) int64 { return 64 + store.Allocated(int64(len(key))) }

func (c *Part) forgetTooLargeLocked(s *shard, key string) {
	if _, known := s.tooLarge[key]; known {
		delete(s.tooLarge, key)
		c.bookBytes.Add(-tooLargeBytes(key))
	}
}

// noteTooLargeToKeep counts a loaded value that the store does not take, and logs one
// from time to time: each Get of its key loads it.
func (c *Part) noteTooLargeToKeep(e *store.Entry, now int64) {
	c.Counts.TooLarge.Add(1)
	last := c.tooLargeLogged.Load()
	if last != 0 && now-last < int64(unreadableEvery) || !c.tooLargeLogged.CompareAndSwap(last, max(now, 1)) {
		return
	}
	most, maxBytes := c.Store.MaxEntry(), c.MaxBytes.Load()
	enough := int64(math.Ceil(float64(maxBytes)/float64(most)*float64(e.Size())/(1<<20))) << 20
	c.Log.Warn("a loaded value is too large to be kept, and is loaded for every Get of its key: raise GroupOptions.MaxBytes, or keep less in one value",
		"group", c.Name, "key", e.Key, "bytes", e.Size(), "at most", most, "MaxBytes", maxBytes, "MaxBytes that would do", enough,
		"so far", c.Counts.TooLarge.Load())
}

// IsTooLarge reports whether this member owns a key whose value is known to be too large
// to be sent.
func (c *Part) IsTooLarge(hash uint64, key string) bool {
	if c.State.MayServe(hash, c.Clock.Now()) != nil {
		return false
	}
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.tooLarge[key]
	if known && c.Clock.Now() >= until {
		c.forgetTooLargeLocked(s, key)
		known = false
	}
	return known
}
