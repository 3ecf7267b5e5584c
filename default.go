package cachemesh

import (
	"context"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Get returns the value of a key in the default group, which has no loader. The
// value is shared: do not change it. Errors: ErrNotFound, ErrInvalidKey,
// *PeerError, ErrClosed, ErrNotStarted. It waits at most Options.CallTimeout.
func (n *Node) Get(key []byte) ([]byte, error) {
	// A hit in this member's memory needs neither a copy of the key nor a timer.
	alias := unsafe.String(unsafe.SliceData(key), len(key))
	if c := n.defaultKV.core; wire.CheckKey(alias) == nil {
		if e := c.Hit(ring.Hash(c.Seed, alias), alias, n.clock.Now()); e != nil {
			if e.Negative {
				return nil, errs.ErrNotFound
			}
			return n.defaultKV.value(e)
		}
	}
	ctx, cancel := n.ways.Bounded(context.Background())
	defer cancel()
	return n.defaultKV.Get(ctx, string(key))
}

// Set sets a key in the default group; a ttl of zero means until evicted. It
// copies key and value. See Group.Set for what it promises and for its errors.
// It waits at most Options.CallTimeout.
func (n *Node) Set(key, value []byte, ttl time.Duration) error {
	return n.defaultKV.Set(context.Background(), string(key), value, ttl)
}

// Delete deletes a key in the default group. See Group.Delete. It waits at most
// Options.CallTimeout.
func (n *Node) Delete(key []byte) error {
	return n.defaultKV.Delete(context.Background(), string(key))
}
