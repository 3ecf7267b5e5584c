package store

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

const (
	// MinBytes is the least Options.MaxBytes.
	MinBytes = 16 << 10

	// keeperFrom is the budget from which a keeper may pay: what ristretto takes
	// for itself, full or empty, is then a tenth at most, and its counters another.
	keeperFrom = 4 << 20

	// keeperMean is the mean Entry.Size from which a keeper pays. Ristretto takes
	// up to keeperBytes and some counters for each entry it holds: for smaller
	// entries, a third of the budget and more.
	keeperMean = 512

	// windowShare is the part of the budget that the window takes beside a keeper.
	// With an eighth the hit ratio is the same, and with four tenths it is worse.
	windowShare = 4

	// entryShare is the part that the largest entry may take: less than the window
	// beside a keeper, or what windowLeast of them may take, so that one Set cannot
	// push out what was set just before.
	entryShare = 8
)

// Options says how large a Store may be. MaxBytes has no default.
type Options struct {
	// MaxBytes bounds what the store takes: entries, keys, bookkeeping and all.
	MaxBytes int64

	// Reserved is what the caller takes of MaxBytes for itself. It counts in Bytes.
	Reserved int64

	// OnEvict, if not nil, is told of each entry that the store gave up of its
	// own accord, so not of those that a call replaced, deleted or cleared. It
	// runs on the goroutine of some call to the store, under no lock, and may call
	// the store.
	OnEvict func(e *Entry, why Cause)
}

// Cause says why the store gave up an entry.
type Cause uint8

const (
	Capacity Cause = iota // to make room for others
	Rejected              // when it left the window, used less than what it would have replaced
	Expired
	Collision // for another entry with the same hash
)

func (c Cause) String() string {
	return [...]string{"capacity", "rejected", "expired", "collision"}[c&3]
}

// Store is a bounded set of entries by key. All its methods are safe for
// concurrent use. Make one with New; a Store must be closed.
type Store struct {
	// Read by every Get and rarely written.
	scatter  Scatter
	shards   []atomic.Pointer[table] // a power of two of them
	epoch    atomic.Uint32           // see heat.go
	keeper   atomic.Pointer[keeper]  // nil until the window is full, or for good; stored under moving
	maxEntry atomic.Int64            // see MaxEntry
	max      int64                   // MaxBytes; written under moving and mu, read under either
	base     int64                   // bytes set aside for an empty store
	perTable int64                   // of these, for the first table of a shard
	mean     int64                   // keeperMean, but for tests
	evict    func(*Entry, Cause)

	_ [64]byte // keeps what writers write away from what readers read

	// moving is held by the one call that talks to the keeper. It may be held
	// while ristretto works, and is taken before mu.
	moving sync.Mutex

	// mu guards everything below, all tables and the place and neighbours of every
	// entry. It is held for short and bounded work only.
	mu         sync.Mutex
	closed     bool
	clock      bool  // there is no keeper and never will be: see clock.go
	room       int64 // bytes that window and main area may take
	window     queue
	main       queue // empty in a store with a keeper
	windowUsed int64 // bytes of entries inWindow and inMove
	mainUsed   int64 // bytes of entries inMain; with windowUsed at most room
	keeperUsed int64 // bytes of entries inKeeper, dead ones included
	keeperBase int64 // bytes that ristretto takes when it is empty; 0 without a keeper
	entries    int   // linked
	mortal     int   // linked, with an expiry
	dead       []*Entry
	deadBytes  int64
	hand       hand
	counts     [4]uint64 // evictions by cause
}

// New makes an empty store. Its error is a *BudgetError.
func New(opts Options) (*Store, error) {
	if opts.MaxBytes < MinBytes {
		return nil, &BudgetError{MaxBytes: opts.MaxBytes, Min: MinBytes}
	}
	shards := 1
	for shards < 4096 && int64(shards) < opts.MaxBytes>>18 {
		shards *= 2
	}
	s := &Store{scatter: NewScatter(), max: opts.MaxBytes, evict: opts.OnEvict, mean: keeperMean, shards: make([]atomic.Pointer[table], shards)}
	for i := range s.shards {
		s.shards[i].Store(emptyTable)
	}
	perShard := int64(unsafe.Sizeof(s.shards[0])) + int64(unsafe.Sizeof(table{})) + minBuckets*int64(unsafe.Sizeof(emptyTable.buckets[0])) +
		int64(unsafe.Sizeof(sketch{})) + blockWords*int64(unsafe.Sizeof(sketch{}.words[0]))
	s.perTable = perShard - int64(unsafe.Sizeof(s.shards[0]))
	s.maxEntry.Store(s.max / entryShare)
	s.base = opts.Reserved + int64(unsafe.Sizeof(*s)) + int64(shards)*perShard + deadBatch*int64(unsafe.Sizeof((*Entry)(nil)))
	s.room = s.max / windowShare
	if s.max < keeperFrom {
		s.room, s.clock = s.max-s.base, true
	}
	s.epoch.Store(claimed)
	return s, nil
}

// MaxEntry is the largest Entry.Size that Set takes, in bytes: an eighth of
// MaxBytes.
func (s *Store) MaxEntry() int64 { return s.maxEntry.Load() }

// Get returns the entry of the key, or nil if it is missing or expired, and
// counts as a use of the key. hash must be a well mixed 64-bit hash of the key
// and now the reading of the monotonic clock that Expires refers to, in
// nanoseconds. The key may alias a buffer of the caller. The entry is shared and
// read-only. Get allocates nothing, and a hit takes no lock.
func (s *Store) Get(hash uint64, key string, now int64) *Entry {
	e := s.find(hash, key)
	if e == nil || e.expired(now) {
		s.missed(hash, e)
		return nil
	}
	if h, epoch := e.heat.Load(), s.epoch.Load(); h^epoch > heatMask || h&heatMask < heatEnd {
		s.warm(e, h, epoch)
	}
	return e
}

// missed counts a use of a key that has no entry, or an expired one.
func (s *Store) missed(hash uint64, expired *Entry) {
	if expired != nil {
		s.dropExpired(expired)
	}
	s.record(hash)
}

// Peek is Get without counting as a use: for a second look within one request.
func (s *Store) Peek(hash uint64, key string, now int64) *Entry {
	e := s.find(hash, key)
	if e == nil || e.expired(now) {
		return nil
	}
	return e
}
