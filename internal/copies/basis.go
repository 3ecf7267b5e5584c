package copies

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Values are the values of a group, as far as copies of them come and go. Its methods are
// called with locks held.
type Values interface {
	// NextVersion returns a version greater than all that this member gave or saw.
	NextVersion() store.Version
	// EncodingOf returns the encoding of an entry.
	EncodingOf(e *store.Entry) wire.Encoding
	// Mark notes the encoding of a new entry.
	Mark(e *store.Entry, enc wire.Encoding)
	// Allow charges a new entry for a decoded value, if there is room for one.
	Allow(e *store.Entry)
	// SetTTL lets an entry expire after a time, never if that is not positive.
	SetTTL(e *store.Entry, ttl time.Duration)
}

// A Carrier carries what holders of copies are asked.
type Carrier interface {
	// Ask asks another member. once says that it was asked once at most, so that what is
	// answered is all that happened, and with an error nothing ever does; else it may have
	// been carried out whatever was answered.
	Ask(ctx context.Context, to *view.Owner, op uint8, view uint64, body []byte) (answer []byte, status uint8, once bool, err error)

	// Begin is the first half of Ask: the body must not change before Wait has returned. It
	// waits for nothing. If that cannot be it reports false, and has done nothing.
	Begin(ctx context.Context, to *view.Owner, op uint8, view uint64, body []byte) (a Asked, ok bool)
}

// An Asked is a question to another member that is under way. It is one goroutine's.
type Asked interface {
	// Ready waits until Wait would not wait for long. It reports false if ctx ended first.
	Ready(ctx context.Context) bool
	// Wait is the second half of Ask. It must be called, and once only.
	Wait() (answer []byte, status uint8, once bool, err error)
}

// Basis is what the copies of a group's values stand on. It is set before they are used.
type Basis struct {
	Life    *life.Life
	Clock   *clock.Clock
	State   *view.State
	Store   *store.Store // has the copies, and what they are of
	Seed    uint64       // of the hash of keys
	Values  Values
	Carrier Carrier
	Faults  *faultinject.Replicas // nil: none

	Self         string // this member's ID
	Member, Addr string // its name and address, for errors
	Copies       int    // of each value, its own included
	Fewer        bool   // where fewer members keep copies than that, as many will do
	MaxValue     int    // bytes of a value that others may have held here

	// Learning is told that digests are to come, so that others must wait for this member, or
	// that none are any more. It is called with locks held.
	Learning func(is bool)

	// Put puts an entry into Store, and lets it be found by its tags and by scans. It is called
	// with locks held.
	Put func(hash uint64, e *store.Entry, now int64) error

	// Lost is told how many values this member owned that nobody has any more, or that it has no
	// room for. It is called under no lock. Nil: nobody is.
	Lost func(n int)

	// Label lets an entry that came say which tags its value bears. It calls the user's function,
	// under no lock. Nil: values bear none.
	Label func(e *store.Entry)

	// Removed is told of a value that this member had as its owner and has no more. It is called
	// with locks held, and waits for nothing. Nil: nobody is.
	Removed func(key string, why store.Cause)
}
