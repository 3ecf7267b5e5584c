package cachemesh

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// forever is the TTL of what lives until it is evicted.
const forever time.Duration = math.MaxInt64

// others are the other members, as the owner of keys needs them.
type others interface {
	// invalidate tells a holder of a copy to drop it, once. It reports whether that one said
	// that it has.
	invalidate(ctx context.Context, holder *view.Owner, key string) (acknowledged bool)
	// forget forgets a key of which the origin was written, at whoever owns it by now.
	forget(ctx context.Context, hash uint64, key string) error
}

// duties are what a node does that its peers, and whoever shuts it down, must wait for.
type duties struct {
	handing atomic.Int64 // the mover, if it runs, and Writers that run for what new owners own
	telling atomic.Int64 // writes of the origin of which new owners are being told
	poke    func()       // says that something of it is over
}

// care is how a group's values are loaded and kept.
type care struct {
	loadTimeout, batchWindow            time.Duration
	notFoundTTL, refreshAfter, staleFor time.Duration
	failureTTL                          time.Duration
	staleWait                           time.Duration
	refreshPart                         float64
	finishLoads                         bool
}

// setting is the member that parts are in, one for all of them. It is set before they are
// used.
type setting struct {
	life        *life.Life
	log         *slog.Logger
	faults      *faultinject.Faults
	duties      *duties
	member      string // this one's name
	addr        string
	lease       time.Duration // how long one is granted for
	right       time.Duration // how often the right to act is looked at
	answerLimit int           // bytes of a value that is sent to a peer

	errorSize func(error) (n int64, ok bool) // what an error takes; not ok: that cannot be told
}

// basis is what a part stands on. It is set before the part is used.
type basis struct {
	*setting
	clock   *clock.Clock
	state   *view.State
	others  others
	loading context.Context // ends when loads are called off

	name        string
	encoding    wire.Encoding
	seed        uint64       // of the hash of its keys
	store       *store.Store // what this member owns
	origin      *origin.Origin
	errors      wire.Errors
	decodedSize int64 // of a value itself, what it refers to aside; 0: the bytes are the value
	care
}

// A part is what this member owns of a group, so that its keys never go back: their
// values, loads, writes, and the leases on copies that others hold.
type part struct {
	basis

	setbacks   *setbacks    // loads that failed; nil: they are not remembered
	reasons    *setbacks    // why values that are old were not loaded again; nil: none is kept past its TTL
	complained atomic.Int64 // when the log last said that a refresh failed; 0: never

	gathering sync.Mutex // guards gather and what gathers in it; taken inside a shard's lock
	gather    *loadBatch // single loads on their way to LoadMany; nil: none

	unreadable     unreadable
	tooLargeLogged atomic.Int64 // when the last value was that is too large to be kept; 0: never

	owed    owed // to the majority; has a lock of its own
	counts  partCounts
	scatter store.Scatter // from hashes to shards

	shards     atomic.Pointer[[]shard] // nil before the first load or write: see made
	shardCount int                     // a power of two
	leased     atomic.Bool             // leases may be in the books
	maxBytes   atomic.Int64            // GroupOptions.MaxBytes, or a part of Options.TotalBytes
	bookRoom   atomic.Int64            // bytes that leases may take, and notes of keys that are too large
	bookBytes  atomic.Int64            // that they take

	// cut says that the group was closed: nothing is held any more.
	cut atomic.Bool
}

// partCounts are what a part counts.
type partCounts struct {
	deduplicated, stuckLoads, stuckWrites atomic.Uint64
	tooLarge, refreshes, staleServed      atomic.Uint64
	refreshErrors                         atomic.Uint64
	refreshError                          atomic.Pointer[error]
}

// room is what a part may take, in bytes.
type room struct {
	all    int64 // GroupOptions.MaxBytes, or a part of Options.TotalBytes
	books  int64 // for leases, and notes of keys that are too large
	failed int64 // for failures that are remembered, and as much for those that explain old values
	store  int64 // for the rest
}

// init prepares a part, whose store is made afterwards: that has to know what the rest takes.
func (c *part) init(b basis, r room) {
	c.basis = b
	c.scatter, c.shardCount = store.NewScatter(), shardsFor(r.all)
	c.setbacks, c.reasons = newSetbacks(b.failureTTL, r.failed), newReasons(b.staleFor, r.failed)
	c.bookRoom.Store(r.books)
	c.maxBytes.Store(r.all)
}

// resize gives a part other room, that its store can do with.
func (c *part) resize(r room) {
	c.bookRoom.Store(r.books)
	c.setbacks.resize(r.failed)
	c.reasons.resize(r.failed)
	c.store.Resize(r.store)
	c.maxBytes.Store(r.all)
}

// heldBytes is what a part takes of MaxBytes.
func (c *part) heldBytes(st store.Stats) int64 {
	n := st.Bytes - st.Unmade + c.bookBytes.Load() + c.owed.held() + c.setbacks.held() + c.reasons.held()
	if c.made() == nil {
		n -= c.shardsCost()
	}
	return n
}

// shardsCost is what its shards take while nothing is in them.
func (c *part) shardsCost() int64 { return int64(c.shardCount) * shardBytes }
