package owner

import (
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Mark notes the encoding of a new entry.
func (c *Part) Mark(e *store.Entry, enc wire.Encoding) {
	if enc != c.Encoding {
		e.Foreign, e.Decoded = true, unsafe.Pointer(&enc)
	}
}

// EncodingOf returns the encoding of an entry.
func (c *Part) EncodingOf(e *store.Entry) wire.Encoding {
	if e.Foreign {
		return *(*wire.Encoding)(e.Decoded)
	}
	return c.Encoding
}

// Reads reports whether a member can read an entry. That there is no value, all can.
func (c *Part) Reads(e *store.Entry, enc wire.Encoding) bool {
	return e.Negative || c.EncodingOf(e) == enc
}

// LookupFor is LookupOf for a member that reads an encoding.
func (c *Part) LookupFor(hash uint64, key string, now int64, enc wire.Encoding, list *Due) *store.Entry {
	e := c.Store.Get(hash, key, now)
	switch {
	case e == nil || !c.Reads(e, enc):
		return nil
	case e.Care == nil:
		return e
	}
	return c.lookAfter(hash, e, now, list)
}

// unreadable is what a group notes about values that it could not read.
type unreadable struct {
	Count  atomic.Uint64
	logged atomic.Int64 // when the last one was; 0: never
}

const unreadableEvery = time.Minute

// NoteUnreadable counts a value that cannot be read, and logs one from time to time.
func (c *Part) NoteUnreadable(key string, err error) {
	u, now := &c.Unreadable, max(c.Clock.Now(), 1)
	u.Count.Add(1)
	last := u.logged.Load()
	if last != 0 && now-last < int64(unreadableEvery) || !u.logged.CompareAndSwap(last, now) {
		return
	}
	c.Log.Warn("a cached value cannot be read here and counts as a miss: another version of this program, or another codec, made it",
		"group", c.Name, "key", key, "err", err, "so far", u.Count.Load())
}

// Discard drops an entry that cannot be read from the store, where it was owned and can
// be loaded again. As when it is evicted, a load first ends the leases on it.
func (c *Part) Discard(hash uint64, key string, e *store.Entry) bool {
	if c.Origin.Load == nil || e == nil {
		return false
	}
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Store.Peek(hash, key, c.Clock.Now()) != e {
		return false
	}
	c.Store.Delete(hash, key)
	return true
}
