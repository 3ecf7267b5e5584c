package errs

import (
	"context"
	"errors"
	"time"
)

// IsUnsettled reports whether a member answered, or this one says, that it is not agreed
// who owns the key: another try may succeed.
func IsUnsettled(err error) bool {
	return !IsOutcome(err) && (errors.Is(err, ErrNotOwner) || errors.Is(err, ErrUnsettled))
}

// IsOutcome reports whether err comes from a loader or a Writer, whose errors
// may wrap those of another group.
func IsOutcome(err error) bool {
	if _, ok := errors.AsType[*LoadError](err); ok {
		return true
	}
	_, ok := errors.AsType[*WriteError](err)
	return ok
}

// Unsettled says why waiting for the members to agree ended.
func Unsettled(cause error) error {
	if errors.Is(cause, ErrClosed) {
		return ErrClosed
	}
	return errors.Join(ErrUnsettled, cause)
}

// Ended returns why a caller has no time left, or nil. The time of its deadline counts,
// and not when the timer comes: the peer, which has the same deadline, may say first that
// it has passed, and that is no reason to load the key here.
func Ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// IsUnreachable reports whether a call failed because the peer could not be
// reached or was lost, rather than because of what it answered or of the
// caller's own context.
func IsUnreachable(err error) bool {
	if IsOutcome(err) {
		return false
	}
	pe, ok := errors.AsType[*PeerError](err)
	return ok && pe.unreachable
}

// IsRefusal reports whether a member answered that it has no value to give, for a reason
// that says nothing about the key: the value is too large to be sent, the member does not
// know the group or the operation, or failed over it. The caller has to load it itself.
func IsRefusal(err error) bool {
	if IsOutcome(err) {
		return false
	}
	pe, ok := errors.AsType[*PeerError](err)
	return ok && !pe.unreachable && !errors.Is(err, ErrOverloaded) && !errors.Is(err, ErrClosed)
}

// ErrPeerClosed says that the peer shut down. It is not ErrClosed, which is
// about this node.
var ErrPeerClosed = errors.New("the peer is shutting down")
