package owner

import (
	"strings"

	"github.com/praveenduddu/cachemesh/internal/copies"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Change is what a write does to a key.
type Change struct {
	E *store.Entry // the new value; nil: none

	// Merge says that E was handed over by a former owner: it counts only if it
	// is newer than what is here, and it may come before the view has settled.
	Merge bool

	// CacheOnly says that the origin must not be written: it was already.
	CacheOnly bool

	// Only, if not nil, leaves the key alone unless its value, or one that is evicted and of
	// which others hold copies, goes with this removal.
	Only *Removal

	If *Conditional // nil: whatever the key has

	sent *copies.Write // copies of E are made; nil: none, or not yet
}

// WritesOrigin reports whether a change goes to the group's Writer first.
func (c *Basis) WritesOrigin(ch Change) bool {
	return c.Origin.Write != nil && !ch.Merge && !ch.CacheOnly && (ch.If == nil || !ch.If.Touch)
}

// minorityError says that this side is not the majority.
func (c *Basis) minorityError(ch Change, applied bool) error {
	return &errs.PeerError{Op: opName(ch), Member: c.Member, Addr: c.Addr, MaybeApplied: applied, Err: errs.ErrMinority}
}

func opName(ch Change) string {
	switch {
	case ch.If != nil:
		return wire.OpNames[wire.OpUpdate]
	case ch.E == nil:
		return wire.OpNames[wire.OpDelete]
	}
	return wire.OpNames[wire.OpSet]
}

// removes reports whether a change ends a value, as a Delete does.
func (ch *Change) removes() bool { return ch.E == nil && (ch.If == nil || ch.If.Remove) }

// order returns what a write of copies is told of a change.
func (ch *Change) order() copies.Order {
	return copies.Order{Dated: ch.Merge, Decided: ch.If != nil, Picked: ch.Only != nil}
}

// why returns why a value goes that a change ends.
func (ch *Change) why() store.Cause {
	if ch.Only != nil {
		return store.Picked
	}
	return store.Deleted
}

// dated returns the entry that a write stores, nil for none. Its version names it for
// those who write on a condition. Without a loader nobody could bring a value back: the
// newest version counts when two sides of a cut grow together, and while a member may be
// on the other side a Delete leaves a trace, lest its value come back.
func (c *Basis) dated(ch Change, key string, now int64) *store.Entry {
	e := ch.E
	switch {
	case ch.Merge:
	case c.Origin.Load != nil:
		if e != nil {
			e.Version, e.Expires = c.NextVersion(), c.State.Limit(e.Expires, now)
		}
	case e != nil:
		e.Version = c.NextVersion()
	case c.State.Tracing():
		e = &store.Entry{Key: strings.Clone(key), Negative: true, Version: c.NextVersion(),
			Expires: now + int64(view.TraceFor)}
	}
	return e
}
