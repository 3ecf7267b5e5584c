package owner

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

// A Change is what a write does to a key.
type Change struct {
	E *store.Entry // the new value; nil: none

	// merge says that e was handed over by a former owner: it counts only if it
	// is newer than what is here, and it may come before the view has settled.
	Merge bool

	// CacheOnly says that the origin must not be written: it was already.
	CacheOnly bool
}

// Forever is the TTL of what lives until it is evicted.
const Forever time.Duration = math.MaxInt64

// Others are the other members, as the owner of keys needs them.
type Others interface {
	// Invalidate tells a holder of a copy to drop it, once. It reports whether that one said
	// that it has.
	Invalidate(ctx context.Context, holder *view.Owner, key string) (acknowledged bool)
	// Forget forgets a key of which the origin was written, at whoever owns it by now.
	Forget(ctx context.Context, hash uint64, key string) error
}

// Duties are what a node does that its peers, and whoever shuts it down, must wait for.
type Duties struct {
	Handing atomic.Int64 // the mover, if it runs, and Writers that run for what new owners own
	Telling atomic.Int64 // writes of the origin of which new owners are being told
	Poke    func()       // says that something of it is over
}

// Care is how a group's values are loaded and kept.
type Care struct {
	LoadTimeout, BatchWindow            time.Duration
	NotFoundTTL, RefreshAfter, StaleFor time.Duration
	FailureTTL                          time.Duration
	StaleWait                           time.Duration
	RefreshPart                         float64
	FinishLoads                         bool
}

// Setting is the member that parts are in, one for all of them. It is set before they are
// used.
type Setting struct {
	Life        *life.Life
	Log         *slog.Logger
	Faults      *faultinject.Faults
	Duties      *Duties
	Member      string // this one's name
	Addr        string
	Lease       time.Duration // how long one is granted for
	Right       time.Duration // how often the right to act is looked at
	AnswerLimit int           // bytes of a value that is sent to a peer

	ErrorSize func(error) (n int64, ok bool) // what an error takes; not ok: that cannot be told
}

// Basis is what a part stands on. It is set before the part is used.
type Basis struct {
	*Setting
	Clock   *clock.Clock
	State   *view.State
	Others  Others
	Loading context.Context // ends when loads are called off

	Name        string
	Encoding    wire.Encoding
	Seed        uint64       // of the hash of its keys
	Store       *store.Store // what this member owns
	Origin      *origin.Origin
	Errors      wire.Errors
	DecodedSize int64 // of a value itself, what it refers to aside; 0: the bytes are the value
	Care
}

// A Part is what this member owns of a group, so that its keys never go back: their
// values, loads, writes, and the leases on copies that others hold.
type Part struct {
	Basis

	setbacks   *setbacks    // loads that failed; nil: they are not remembered
	reasons    *setbacks    // why values that are old were not loaded again; nil: none is kept past its TTL
	complained atomic.Int64 // when the log last said that a refresh failed; 0: never

	gathering sync.Mutex // guards gather and what gathers in it; taken inside a shard's lock
	gather    *loadBatch // single loads on their way to LoadMany; nil: none

	Unreadable     unreadable
	tooLargeLogged atomic.Int64 // when the last value was that is too large to be kept; 0: never

	Owed    owed // to the majority; has a lock of its own
	Counts  partCounts
	scatter store.Scatter // from hashes to shards

	shards     atomic.Pointer[[]shard] // nil before the first load or write: see made
	shardCount int                     // a power of two
	leased     atomic.Bool             // leases may be in the books
	MaxBytes   atomic.Int64            // GroupOptions.MaxBytes, or a part of Options.TotalBytes
	bookRoom   atomic.Int64            // bytes that leases may take, and notes of keys that are too large
	bookBytes  atomic.Int64            // that they take

	// cut says that the group was closed: nothing is held any more.
	cut atomic.Bool
}

// partCounts are what a part counts.
type partCounts struct {
	Deduplicated, StuckLoads, StuckWrites atomic.Uint64
	TooLarge, Refreshes, StaleServed      atomic.Uint64
	RefreshErrors                         atomic.Uint64
	RefreshError                          atomic.Pointer[error]
}

// Room is what a part may take, in bytes.
type Room struct {
	All    int64 // GroupOptions.MaxBytes, or a part of Options.TotalBytes
	Books  int64 // for leases, and notes of keys that are too large
	Failed int64 // for failures that are remembered, and as much for those that explain old values
	Store  int64 // for the rest
}

// Init prepares a part, whose store is made afterwards: that has to know what the rest takes.
func (c *Part) Init(b Basis, r Room) {
	c.Basis = b
	c.scatter, c.shardCount = store.NewScatter(), shardsFor(r.All)
	c.setbacks, c.reasons = newSetbacks(b.FailureTTL, r.Failed), newReasons(b.StaleFor, r.Failed)
	c.bookRoom.Store(r.Books)
	c.MaxBytes.Store(r.All)
}

// Resize gives a part other room, that its store can do with.
func (c *Part) Resize(r Room) {
	c.bookRoom.Store(r.Books)
	c.setbacks.resize(r.Failed)
	c.reasons.resize(r.Failed)
	c.Store.Resize(r.Store)
	c.MaxBytes.Store(r.All)
}

// HeldBytes is what a part takes of MaxBytes.
func (c *Part) HeldBytes(st store.Stats) int64 {
	n := st.Bytes - st.Unmade + c.bookBytes.Load() + c.Owed.held() + c.setbacks.held() + c.reasons.held()
	if c.made() == nil {
		n -= c.ShardsCost()
	}
	return n
}

// ShardsCost is what its shards take while nothing is in them.
func (c *Part) ShardsCost() int64 { return int64(c.shardCount) * shardBytes }
