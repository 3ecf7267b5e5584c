package handover

import (
	"context"
	"iter"
	"log/slog"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Groups are the node's groups. Their methods take no lock, since they are called under
// that of Parking.
type Groups interface {
	// Parts returns what the node owns of each that is registered.
	Parts() iter.Seq[*owner.Part]
	// IsOpen reports whether one of the name is registered and was not closed. The name may
	// alias a buffer.
	IsOpen(name string) bool
}

// A Deliverer sends lists of values to their owners.
type Deliverer interface {
	// Deliver sends a list of a group to its owner by v, in one call, and returns what that
	// said. It may be sent again. Errors: httppool.ErrTooLarge, if it can never be sent;
	// others of the call.
	Deliver(ctx context.Context, v *view.View, o *view.Owner, group string, list []byte) (Reply, error)
}

// A Reply is what an owner says to a list.
type Reply struct {
	Status  uint8  // of package wire
	Refused uint64 // values that it will never have; with wire.StatusOK
}

// Options are what a mover stands on.
type Options struct {
	Life   *life.Life
	Clock  *clock.Clock
	State  *view.State
	Log    *slog.Logger // takes no lock of the node's
	Duties *owner.Duties
	Groups Groups
	Way    Deliverer

	Run       uint32 // part of the versions that this node gives
	MaxParked int    // bytes; 64 MiB or less
}
