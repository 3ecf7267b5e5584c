package groups

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/serve"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Core is a group without its type: the router, what answers its peers, and its closing. Values are entries: bytes, and beside them the decoded value.
type Core struct {
	route.Router
	server  serve.Server
	uses    Uses
	closure closure

	lent func(key string) // the user's, who is lent values: see Spec.Tell
}

// tell tells the user, who was lent values, that a key is about to change, or all.
func (c *Core) tell(key string) {
	if c.lent == nil {
		return
	}
	var err error
	defer func() {
		if err != nil {
			c.Log.Error("OnInvalidate panicked", append(guard.LogArgs(err), "group", c.Name)...)
		}
	}()
	defer guard.Rescue(&err)
	c.lent(key)
}

// tellAll tells the user that all that was lent may change, soon: nobody waits for it.
func (c *Core) tellAll() {
	if c.lent != nil {
		c.Life.Go(func() { c.tell("") })
	}
}

// dropHot drops all hot copies, and what was lent.
func (c *Core) dropHot() {
	c.Hot.InvalidateAll()
	c.tellAll()
}

// reserved is what a group's core takes of MaxBytes.
func (c *Core) reserved() int64 {
	return int64(unsafe.Sizeof(*c)) + c.ShardsCost()
}

// Bytes is what the group takes of MaxBytes.
func (c *Core) Bytes(st store.Stats) int64 {
	return c.HeldBytes(st) + c.Hot.Stats().Bytes
}

// discard ends a group that was not registered.
func (c *Core) discard() {
	c.closure.callOff()
	c.Store.Close()
}

// canTake reports whether a group can do with so many bytes.
func (c *Core) canTake(maxBytes int64) bool {
	return c.uses.shares(maxBytes).store >= c.Store.Least()
}

// resize gives a group another MaxBytes that it can do with. What has to go for it is
// evicted; hot copies are dropped.
func (c *Core) resize(maxBytes int64) {
	if c.MaxBytes.Load() == maxBytes {
		return
	}
	p := c.uses.shares(maxBytes)
	c.Hot.Resize(p.hot)
	c.Part.Resize(p.room(maxBytes)) // canTake has said that it can
}

// closure is the closing of a group.
type closure struct {
	callOff context.CancelFunc // ends the part's Loading
	hurried atomic.Bool        // whoever closes the group has no time left

	mu     sync.Mutex
	done   chan struct{} // closed at the end; nil before Close was called; guarded by mu
	result error         // set before done is closed
}
