package owner

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Forever is the TTL of what lives until it is evicted.
const Forever time.Duration = math.MaxInt64

// Others are the other members, as the owner of keys needs them.
type Others interface {
	// Invalidate tells a holder of a copy to drop it, once; it may be this member itself, which
	// has no Peer. If the key is "" it drops what it has of that hash. It reports whether that one
	// said that it has.
	Invalidate(ctx context.Context, holder *view.Owner, hash uint64, key string) (acknowledged bool)
	// InvalidateAll tells a holder to drop all copies that it has of the group.
	InvalidateAll(ctx context.Context, holder *view.Owner) (acknowledged bool)
	// Forget forgets a key of which the origin was written, at whoever owns it by now.
	Forget(ctx context.Context, hash uint64, key string) error
	// Holding asks a member which of these claims it has, or has asked for. It answers when
	// one of them is over, or after the time wait. gone says that this member believes in no
	// such member.
	Holding(ctx context.Context, member string, ids []uint64, wait time.Duration) (held []bool, gone bool, err error)
}

// Duties are what a node does that its peers, and whoever shuts it down, must wait for.
type Duties struct {
	Handing atomic.Int64 // the mover, if it runs, and Writers that run for what new owners own
	Telling atomic.Int64 // writes of the origin of which new owners are being told
	Poke    func()       // says that something of it is over
}

// learning notes that others must wait for what this member is to be told of copies, or need
// not any more.
func (d *Duties) learning(is bool) {
	if is {
		d.Handing.Add(1)
		return
	}
	d.Handing.Add(-1)
	d.Poke()
}

// Care is how a group's values are loaded and kept.
type Care struct {
	LoadTimeout, BatchWindow            time.Duration
	NotFoundTTL, RefreshAfter, StaleFor time.Duration
	FailureTTL                          time.Duration
	StaleWait                           time.Duration
	RefreshPart                         float64
	FinishLoads                         bool

	// Cache says that the group has no loader, and yet is no map: its values may be forgotten,
	// for those who claim them load them. The origin's loader finds nothing then.
	Cache bool
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
	Run         uint32        // of this process, in the versions that it gives
	Lease       time.Duration // how long a session is granted for
	Sessions    *session.Granted
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

	// Tags returns which tags the value of an entry bears. It calls the user's function, which
	// is guarded. Nil: the group has none.
	Tags func(e *store.Entry) ([]string, error)

	// Add makes the entry of a sum; old is nil for 0. Nil: the values are no integers.
	Add func(key string, old *store.Entry, delta int64) (*store.Entry, error)
	Care
}
