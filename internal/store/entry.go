package store

import (
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/labels"
)

// Entry is one key and its value. The exported plain fields must not change
// after the entry was passed to Set, nor may the bytes of Data: entries are
// shared with every reader. An entry can be Set once, in one store.
type Entry struct {
	// What a hit reads first comes first: 64 bytes.

	hash    uint64 // written before the entry is published
	Key     string // the full key; compared on every hit
	Expires int64  // nanoseconds on the clock of the callers of Get and Set; 0: never

	heat     atomic.Uint32 // see heat.go; not 0 once the entry was passed to Set
	place    place         // guarded by the store's mu
	Negative bool          // the value is that there is none
	Inline   bool          // for the caller alone
	Foreign  bool          // for the caller alone

	Decoded unsafe.Pointer // for the caller alone, which reads and writes it atomically
	Care    *Care          // for the caller alone, but counted in Size; nil: none

	// next is the rest of the index chain. It changes under the store's mu and is
	// read without it. An unlinked entry points at severed.
	next atomic.Pointer[Entry]

	Data    []byte        // the encoded value
	Version Version       // for the caller alone
	Epoch   atomic.Uint32 // for the caller alone
	Extra   Extra         // what the caller accounts for besides Key and Data

	newer, older *Entry // neighbours in window or main area; guarded by the store's mu
}

// Care is what some callers keep beside an entry, to refresh it while it is
// served, to serve it when it cannot be loaded again, and to find it by its tags. The
// store does not read it.
type Care struct {
	Fresh    int64         // when the value's TTL ends, on the callers' clock; 0: never
	Next     atomic.Int64  // when it may be loaded again; 0: not while it is fresh
	Failures atomic.Uint32 // loads that failed since it was stored
	Copied   bool          // see Copied
	Label    *labels.Label // which tags the value bears; nil: none. Counted in Size
}

// Copied is the Care of entries of groups that keep copies on other members, but for those with
// a label: it is one for all of them, and takes nothing. Such an entry is shown only if whoever
// holds it says so. Of its Care nothing else counts.
var Copied = &Care{Copied: true}

// BeCopied makes a new entry one of a group that keeps copies on other members. It keeps its label.
func (e *Entry) BeCopied() {
	if e.Care == nil || e.Care.Label == nil {
		e.Care = Copied
		return
	}
	e.Care.Copied = true
}

// IsCopied reports whether the group of an entry keeps copies on other members.
func (e *Entry) IsCopied() bool { return e.Care != nil && e.Care.Copied }

// place says who holds an entry, besides the index.
type place uint8

const (
	nowhere  place = iota // new, or given up
	inWindow              // linked in the index and queued in the window
	inMain                // linked in the index and queued in the main area
	inMove                // out of the queue, offered to the keeper, still paid for by the window
	inKeeper              // held and paid for by the keeper; dead if the index does not link it
)

// What an entry takes besides the allocations that it consists of, in bytes.
const (
	// indexBytes is for at most two buckets, and for the tables that happen to be
	// emptier. Measured, like keeperBytes, by TestHeap.
	indexBytes = 24

	// sketchBytes is for at most two words of counters.
	sketchBytes = 16

	// keeperBytes is for an entry in the keeper: one slot in a Go map of 57 bytes
	// a slot with its control byte, and one in a map of 17, rounded up by the
	// allocator to 64 and 18. Under steady eviction these maps double when they are
	// about three quarters full, so that a slot in use may stand for 2.7.
	keeperBytes = 220
)

// Size is what the entry costs against MaxBytes when it is set: key, data, extra,
// the struct, what the allocator rounds up, and its share of index and sketch, in
// bytes.
func (e *Entry) Size() int64 {
	n := indexBytes + sketchBytes + Allocated(int64(unsafe.Sizeof(*e))) +
		Allocated(int64(len(e.Key))) + Allocated(int64(cap(e.Data)))
	if e.Care != nil && e.Care != Copied {
		n += Allocated(int64(unsafe.Sizeof(*e.Care))) + e.Care.Label.Bytes()
	}
	if extra := e.Extra.Bytes(); extra < math.MaxInt64-n-keeperBytes {
		return n + extra
	}
	return math.MaxInt64 - keeperBytes
}

// keptSize is what the entry costs in the keeper, which has a sketch of its own.
func (e *Entry) keptSize() int64 { return e.Size() - sketchBytes + keeperBytes }

// expired reports whether the entry must not be returned any more.
func (e *Entry) expired(now int64) bool { return e.Expires != 0 && now >= e.Expires }

// Allocated is what an allocation of n bytes takes. It follows the size classes
// of Go's allocator: steps of 16 to 256 bytes, then at most eight steps for each
// doubling, and whole pages above 32 KiB. Where Go has fewer classes than that
// it is up to 1/8 too low.
func Allocated(n int64) int64 {
	var step int64
	switch {
	case n <= 0:
		return 0
	case n <= 8:
		return 8
	case n <= 256:
		step = 16
	case n <= 512:
		step = 32
	case n <= 1024:
		step = 128
	case n <= 2048:
		step = 256
	case n <= 4096:
		step = 512
	case n <= 32<<10:
		step = 1024
	default:
		step = 8192
	}
	if n > math.MaxInt64-step {
		return math.MaxInt64
	}
	return (n + step - 1) / step * step
}
