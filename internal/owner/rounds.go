package owner

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A ClearRound is one of those in which the members of a view clear a group with copies. Each
// ends everywhere before the next begins.
type ClearRound byte

const (
	ClearAsk  ClearRound = iota + 1 // say a version above all that were seen
	ClearNote                       // note the greatest of these: it may be carried out
	ClearDo                         // forget what is not above it
)

// ClearCopies takes part in a round of a Clear, which has a name of its own and a version
// above what all of them saw, by the view of an id. It returns a version. Errors:
// errs.ErrUnsettled if this member does not act by the view, or it is too late to carry the
// Clear out; *errs.PeerError in a minority.
func (c *Part) ClearCopies(ctx context.Context, id uint64, name string, round ClearRound, v store.Version) (store.Version, error) {
	if !c.copies.ActsBy(id) {
		return v, errs.ErrUnsettled
	}
	c.Clock.SeeVersion(v.Clock)
	switch round {
	case ClearAsk:
		return c.copies.AskClear(name)
	case ClearNote:
		if err := c.copies.NoteClear(name, v); err != nil {
			return v, err
		}
	case ClearDo:
		if err := c.clearCopies(ctx, name, v); err != nil {
			return v, err
		}
		if c.State.Phase() == view.AsMinority && c.copies.ActsBy(id) {
			return v, &errs.PeerError{Op: wire.OpNames[wire.OpClear], Member: c.Member, Addr: c.Addr, MaybeApplied: true, Err: errs.ErrMinority}
		}
	}
	if !c.copies.ActsBy(id) {
		return v, errs.ErrUnsettled
	}
	return v, nil
}

// clearCopies recalls all that holders serve, and then forgets what is not above a version.
func (c *Part) clearCopies(ctx context.Context, name string, v store.Version) error {
	c.stopGrants()
	c.recallEverything()
	inTime := c.copies.Clear(name, v)
	closed := false
	c.eachShard(func(s *shard) {
		s.clearing--
		s.changes.Add(1)
		closed = closed || s.closed
	})
	switch {
	case closed:
		return c.closedError()
	case !inTime:
		return errs.ErrUnsettled
	}
	return ctx.Err()
}
