package reach

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Transport carries calls to peers.
type Transport interface {
	Peer(addr string) wire.Peer // cheap; one per address
	Forget(addr string)         // closes connections to a member that has gone

	Ping(ctx context.Context, addr string) error // nil: a member there lives
}

// Ways are the ways to other members. Its methods are called concurrently.
type Ways struct {
	ID, Addr    string // this one's
	Patience    time.Duration
	CallTimeout time.Duration
	Inject      func(ctx context.Context) []byte                          // nil: nothing is carried
	Extract     func(ctx context.Context, carried []byte) context.Context // nil: nothing is taken
	Peers       Transport
	State       *view.State
	Clock       *clock.Clock
	Log         *slog.Logger

	Relayed    atomic.Uint64 // calls that another member passed on
	complained atomic.Int64  // when the log last said that a user's hook failed; 0: never

	mu    sync.Mutex          // guards hints
	hints map[string]struct{} // addresses that peers named as owners
}

// Hinted returns the owner to ask next when a peer said that it is not the owner
// and named another: nil for the owner of this node's own view. It follows one
// hint only.
func (w *Ways) Hinted(named string, asked, hint *view.Owner) *view.Owner {
	if hint != nil || named == "" || named == w.Addr || named == asked.Addr {
		return nil
	}
	peer := w.hintedPeer(named)
	if peer == nil {
		return nil
	}
	return &view.Owner{Name: named, Addr: named, Peer: peer}
}

// hintedPeer returns a caller for an address that a peer named as an owner and
// that this node's view may not have yet, nil if too many were named. They are
// forgotten with the next view.
func (w *Ways) hintedPeer(addr string) wire.Peer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.hints[addr]; !known && len(w.hints) >= maxHints {
		return nil
	}
	if w.hints == nil {
		w.hints = make(map[string]struct{})
	}
	w.hints[addr] = struct{}{}
	return w.Peers.Peer(addr)
}

// maxHints bounds the addresses that peers may name between two views.
const maxHints = 64

// Bounded gives ctx the deadline CallTimeout if it has none.
func (w *Ways) Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, w.CallTimeout)
}

// ForgetGone forgets the addresses that are gone, and those that peers named, but not those
// of members.
func (w *Ways) ForgetGone(departed []string, members []quorum.Member) {
	gone := make(map[string]struct{})
	for _, addr := range departed {
		gone[addr] = struct{}{}
	}
	w.mu.Lock()
	for addr := range w.hints {
		gone[addr] = struct{}{}
	}
	clear(w.hints)
	w.mu.Unlock()
	for _, m := range members {
		delete(gone, m.Addr)
	}
	for addr := range gone {
		w.Peers.Forget(addr)
	}
}

// Silence is how long a peer that owes an answer may say nothing, not even to a
// ping, before its connection is given up. It is in the order of the time that
// gossip takes to notice a crash.
const Silence = 2 * time.Second
