package owner

import (
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Lookup returns the entry of a key that this node owns, if it may be served as it
// is. If it is time to refresh it, one caller sees to that; a call that asks for
// several keys has it listed instead, list is nil for one that does not.
func (c *Part) Lookup(hash uint64, key string, now int64, list *Due) *store.Entry {
	e := c.Store.Get(hash, key, now)
	if e == nil || e.Foreign {
		return nil
	}
	if e.Care == nil {
		return e
	}
	return c.lookAfter(hash, e, now, list)
}

// LookupFor is Lookup for a member that reads an encoding.
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

// lookAfter is Lookup of an entry that takes care.
func (c *Part) lookAfter(hash uint64, e *store.Entry, now int64, list *Due) *store.Entry {
	if e.Care.Copied {
		if c.copies == nil || !c.copies.Confirms(hash, e) {
			return nil
		}
		return e
	}
	e, due := c.tend(e, now)
	if due {
		c.refreshDue(e, list)
	}
	return e
}

// Grant answers a peer that asked for a copy, with the value that the store
// holds, and notes the peer as a holder first: a write that comes the moment
// after finds it in the books. The entry is nil if there is no value, and the number, of the
// session under which the copy is granted, 0 if it is not. A copy ends with the value's own time to live. now is a time before the
// call. The key may alias a buffer.
func (c *Part) Grant(hash uint64, key, from string, enc wire.Encoding, now int64) (e *store.Entry, number uint64) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.State.MayServe(hash, now) != nil {
		return nil, 0
	}
	if e = c.LookupFor(hash, key, now, enc, nil); e == nil {
		return nil, 0
	}
	if until := FreshUntil(e); (until == 0 || now < until) && c.Fits(e) {
		number = c.registerLocked(s, hash, e, from, now)
	}
	return e, number
}
