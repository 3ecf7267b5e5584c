package cachemesh

import (
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A foreign entry has another encoding than its group. It is kept for those who can read
// it, and handed over; here it is as good as none. The place of the value that it would
// be decoded to is its encoding's.

// mark notes the encoding of a new entry.
func (c *part) mark(e *store.Entry, enc wire.Encoding) {
	if enc != c.encoding {
		e.Foreign, e.Decoded = true, unsafe.Pointer(&enc)
	}
}

// encodingOf returns the encoding of an entry.
func (c *part) encodingOf(e *store.Entry) wire.Encoding {
	if e.Foreign {
		return *(*wire.Encoding)(e.Decoded)
	}
	return c.encoding
}

// reads reports whether a member can read an entry. That there is no value, all can.
func (c *part) reads(e *store.Entry, enc wire.Encoding) bool {
	return e.Negative || c.encodingOf(e) == enc
}

// lookupFor is lookupOf for a member that reads an encoding.
func (c *part) lookupFor(hash uint64, key string, now int64, enc wire.Encoding, list *due) *store.Entry {
	e := c.store.Get(hash, key, now)
	switch {
	case e == nil || !c.reads(e, enc):
		return nil
	case e.Care == nil:
		return e
	}
	return c.lookAfter(hash, e, now, list)
}

// An unreadableError says that the codec cannot decode a value. The Get goes on as
// after a miss.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }

// isUnreadable reports whether err itself is one: within a LoadError it is an answer.
func isUnreadable(err error) bool {
	_, ok := err.(*unreadableError)
	return ok
}

var errForeign = &unreadableError{errors.New("it has another GroupOptions.Version")}

// unreadable is what a group notes about values that it could not read.
type unreadable struct {
	count  atomic.Uint64
	logged atomic.Int64 // when the last one was; 0: never
}

const unreadableEvery = time.Minute

// noteUnreadable counts a value that cannot be read, and logs one from time to time.
func (c *part) noteUnreadable(key string, err error) {
	u, now := &c.unreadable, max(c.clock.Now(), 1)
	u.count.Add(1)
	last := u.logged.Load()
	if last != 0 && now-last < int64(unreadableEvery) || !u.logged.CompareAndSwap(last, now) {
		return
	}
	c.log.Warn("a cached value cannot be read here and counts as a miss: another version of this program, or another codec, made it",
		"group", c.name, "key", key, "err", err, "so far", u.count.Load())
}

// discard drops an entry that cannot be read from the store, where it was owned and can
// be loaded again. As when it is evicted, a load first ends the leases on it.
func (c *part) discard(hash uint64, key string, e *store.Entry) bool {
	if c.origin.Load == nil || e == nil {
		return false
	}
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.store.Peek(hash, key, c.clock.Now()) != e {
		return false
	}
	c.store.Delete(hash, key)
	return true
}
