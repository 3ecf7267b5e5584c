package owner

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
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
	lanes map[string]*lane

	// running counts the flights that have begun and not ended, void ones too.
	// Guarded by mu.
	running int

	// cohorts are the loads whose value is not stored, by key. Guarded by mu.
	cohorts map[string]*cohorts
	spaced  int // of these, those that wait between two loads; guarded by mu

	// tooLarge are the keys whose value does not fit an answer to a peer, until when.
	// Guarded by mu; at most maxTooLarge.
	tooLarge map[string]int64

	// writings are the calls of the Writer that have not returned, by key, and
	// overdue is how many of these should have. Guarded by mu.
	writings map[string]*writing
	overdue  int

	// books are the keys with leases out or a write under way. Guarded by mu.
	books map[string]*book

	// changes counts what was written, stored and forgotten: see SpareToken. Written
	// with mu held, read without it.
	changes atomic.Uint64

	clearing int  // Clears under way: no lease is granted; guarded by mu
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
		s.lanes, s.cohorts = make(map[string]*lane), make(map[string]*cohorts)
		s.writings, s.books = make(map[string]*writing), make(map[string]*book)
	}
	return &shards
}

// closedShards are those of every group that was closed before it had any.
var closedShards = func() *[]shard {
	shards := newShards(1)
	(*shards)[0].closed = true
	return shards
}()

// newer reports whether a was written after b: by a later primary, or by the same
// one and a later clock. So what a majority wrote counts more than what a
// minority, or an owner that was cut off, wrote meanwhile, whatever their clocks.
func newer(a, b *store.Entry) bool {
	return a.Primary > b.Primary || a.Primary == b.Primary && a.Version > b.Version
}
