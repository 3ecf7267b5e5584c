package owner

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Shards divide the keys of a group so that writes and loads of different keys rarely
// meet. There is a power of two of them: one for each shardFrom bytes of MaxBytes, so that
// they take a fiftieth of it, and maxShards at most.
const (
	maxShards = 64
	shardFrom = 16 << 10
)

// A shard is the owner's books on a part of a group's keys: what is being
// loaded, who holds copies, what is being written. Hits never come here;
// everything that changes a key does, and holds the lock while it changes the
// store, so the order of the lock is the order of the key's history.
type shard struct {
	mu sync.Mutex

	// lanes are the loads whose value may be stored, by key. Guarded by mu.
	lanes lanes

	// running counts the flights that have begun and not ended, void ones too.
	// Guarded by mu.
	running int

	// cohorts are the loads whose value is not stored, by key. Guarded by mu.
	cohorts map[string]*cohorts
	spaced  int // of these, those that wait between two loads; guarded by mu

	tooLarge largeKeys // guarded by mu; nil until the first
	writings writings  // guarded by mu

	// claims are the flights that whoever claimed them loads, and that are not over, by the
	// number of the claim. Guarded by mu; nil until the first.
	claims map[uint64]*flight

	reserved   reservations // guarded by mu
	registered registry     // guarded by mu
	relieving  bool         // registrations are being taken back for want of room; guarded by mu

	// changes counts what was written, stored and forgotten: see SpareToken. Written
	// with mu held, read without it.
	changes atomic.Uint64

	clearing int  // Clears under way: no copy is granted; guarded by mu
	emptying int  // of these, those that empty the store: nothing that is loaded is stored; guarded by mu
	closed   bool // nothing new may start; guarded by mu

	_ [64]byte // keeps neighbours out of one cache line
}

// shardBytes is what a shard takes while nothing is in it: it has four maps.
const shardBytes = int64(unsafe.Sizeof(shard{})) + 4*48

func shardsFor(maxBytes int64) int {
	n := 1
	for n < maxShards && int64(n) < maxBytes/shardFrom {
		n *= 2
	}
	return n
}

func newShards(n int) *[]shard {
	shards := make([]shard, n)
	for i := range shards {
		s := &shards[i]
		s.lanes, s.cohorts = make(lanes), make(map[string]*cohorts)
		s.writings.calls, s.reserved = make(map[string]*writing), make(reservations)
	}
	return &shards
}

// closedShards are those of every group that was closed before it had any.
var closedShards = func() *[]shard {
	shards := newShards(1)
	(*shards)[0].closed = true
	return shards
}()

// isIdle reports whether no load whose value may be stored and no write that waits for
// copies runs.
func (s *shard) isIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running == 0 && len(s.reserved) == 0
}

// isQuietLocked reports whether nothing is under way but Writers that were given up.
func (s *shard) isQuietLocked() bool {
	return s.running == 0 && len(s.cohorts) == 0 && len(s.reserved) == 0 && s.writings.areQuiet()
}

// closeLocked calls off all loads, and lets nothing new begin.
func (s *shard) closeLocked() {
	s.closed = true
	for _, l := range s.lanes {
		if l.current != nil {
			l.current.cancel()
		}
	}
	for _, pair := range s.cohorts {
		pair.all(func(co *cohort) { co.cancel() })
	}
	for _, f := range s.claims {
		f.claim.timer.Stop()
	}
}
