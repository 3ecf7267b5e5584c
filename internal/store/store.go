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

	// OnGone, if not nil, is told of every entry that is not found any more, in the same
	// way, those that a call replaced, deleted or cleared included, once for each. It is
	// instead of OnEvict. A call that removes entries tells it before it returns.
	OnGone func(e *Entry, why Cause)
}

// Store is a bounded set of entries by key. All its methods are safe for
// concurrent use. Make one with New; a Store must be closed.
type Store struct {
	heat // with the head of the index, in held, what every Get reads: in one cache line
	held

	maxEntry atomic.Int64 // see MaxEntry
	perTable int64        // bytes of base for the first table of a shard
	mean     int64        // keeperMean, but for tests

	// moving is held by the one call that talks to the keeper. It may be held
	// while ristretto works, and is taken before mu.
	moving sync.Mutex
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
	s := &Store{mean: keeperMean, held: held{
		index: index{scatter: NewScatter(), shards: make([]atomic.Pointer[table], shards)},
		max:   opts.MaxBytes, evict: opts.OnEvict,
	}}
	if opts.OnGone != nil {
		s.evict, s.tellAll = opts.OnGone, true
	}
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

// report tells OnEvict or OnGone of what is gone. No lock is held.
func (s *Store) report(gone departures) {
	for _, d := range gone {
		s.evict(d.e, d.why)
	}
}
