package owner

import (
	"time"

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

// largeKeys are the keys of a shard whose value is too large to be sent, and until when that
// is remembered; at most maxTooLarge. Guarded by the shard's lock.
type largeKeys map[string]int64

// note remembers a key.
func (m largeKeys) note(key string, until int64, room *allowance) {
	m.forget(key, room)
	for other := range m { // any one gives way: it costs a load
		if len(m) < maxTooLarge {
			break
		}
		m.forget(other, room)
	}
	if room.take(tooLargeBytes(key)) {
		m[key] = until
	}
}

// has reports whether a key is remembered.
func (m largeKeys) has(key string, now int64, room *allowance) bool {
	until, known := m[key]
	if known && now >= until {
		m.forget(key, room)
		return false
	}
	return known
}

// forget forgets a key.
func (m largeKeys) forget(key string, room *allowance) {
	if _, known := m[key]; known {
		delete(m, key)
		room.give(tooLargeBytes(key))
	}
}

// tooLargeBytes is what a key takes that is known to be too large: itself, and a slot of
// a map that is half full.
func tooLargeBytes(key string) int64 { return 64 + store.Allocated(int64(len(key))) }
