package owner

import (
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// DoNotStore, as an entry's expiry, marks a value that answers those who wait
// and is not kept.
const DoNotStore = -1

// FreshUntil returns when an entry's TTL ends, 0 for never.
func FreshUntil(e *store.Entry) int64 {
	if e.Care != nil && !e.Care.Copied {
		return e.Care.Fresh
	}
	return e.Expires
}

// NextVersion returns a version greater than all that this member gave or saw.
func (c *Basis) NextVersion() store.Version {
	return store.Version{Clock: c.Clock.NextVersion(), Primary: c.State.Primary(), Run: c.Run}
}

// SetTTL lets an entry expire after the TTL, never if that is forever or not
// positive.
func (c *Basis) SetTTL(e *store.Entry, ttl time.Duration) {
	if ttl > 0 && ttl != Forever {
		e.Expires = clock.Later(c.Clock.Now(), ttl)
	}
}

// Allow charges an entry for a decoded value as large as its bytes, which it may come
// to hold: then its first hit need not replace it, if that is right. An entry that has
// no room for it is charged when it is known.
func (c *Basis) Allow(e *store.Entry) {
	if c.DecodedSize == 0 {
		return
	}
	e.Extra = store.ExtraOf(store.Allocated(c.DecodedSize) + int64(len(e.Data)))
	if e.Size() > c.Store.MaxEntry() {
		e.Extra = 0
	}
}

// Mark notes the encoding of a new entry.
func (c *Basis) Mark(e *store.Entry, enc wire.Encoding) {
	if enc != c.Encoding {
		own := enc // only what is foreign needs one
		e.Foreign, e.Decoded = true, unsafe.Pointer(&own)
	}
}

// EncodingOf returns the encoding of an entry.
func (c *Basis) EncodingOf(e *store.Entry) wire.Encoding {
	if e.Foreign {
		return *(*wire.Encoding)(e.Decoded)
	}
	return c.Encoding
}

// Reads reports whether a member can read an entry. That there is no value, all can.
func (c *Basis) Reads(e *store.Entry, enc wire.Encoding) bool {
	return e.Negative || c.EncodingOf(e) == enc
}

// Fits reports whether an entry's value can be sent to a peer. One that accepts less
// than this member is told by httppool.
func (c *Basis) Fits(e *store.Entry) bool { return len(e.Data) <= c.AnswerLimit }

// cares reports whether values are refreshed, or served after their TTL.
func (c *Basis) cares() bool { return c.RefreshAfter != 0 || c.RefreshPart != 0 || c.StaleFor != 0 }

// attend puts a new entry under the care that the group's options want: when it
// is refreshed, and how long it may be served after its TTL.
func (c *Basis) attend(e *store.Entry, now int64) {
	if e.Care != nil { // it has a label
		e.Care.Fresh = e.Expires
	}
	if !c.cares() || e.Expires == DoNotStore || e.Negative {
		return
	}
	care := &store.Care{Fresh: e.Expires, Label: labelOf(e)}
	switch {
	case c.RefreshAfter > 0:
		care.Next.Store(clock.Later(now, c.RefreshAfter))
	case c.RefreshPart > 0 && e.Expires != 0:
		care.Next.Store(now + int64(c.RefreshPart*float64(e.Expires-now)))
	}
	if c.StaleFor > 0 && e.Expires != 0 && !c.State.Limited() {
		e.Expires = clock.Later(e.Expires, c.StaleFor)
	}
	e.Care = care
}

// tend returns an entry, nil if its TTL has ended, and whether the caller is to refresh it:
// one of those who find that it is time for that.
func (c *Basis) tend(e *store.Entry, now int64) (fresh *store.Entry, due bool) {
	if e.Care == nil || e.Care.Copied {
		return e, false
	}
	if e.Care.Fresh != 0 && now >= e.Care.Fresh {
		return nil, false
	}
	next := e.Care.Next.Load()
	due = next != 0 && now >= next && e.Care.Next.CompareAndSwap(next, clock.Later(now, c.LoadTimeout))
	return e, due
}

// DueAt returns when the owner of a value wants to hear of a read of a copy, for it may be loaded anew then; 0:
// never. While it is being loaded, nobody knows yet when it is tried again if that fails: soon enough.
func (c *Basis) DueAt(e *store.Entry, now int64) int64 {
	if e.Care == nil || e.Care == store.Copied || c.Cache {
		return 0
	}
	next := e.Care.Next.Load()
	if next == 0 {
		return 0
	}
	soon := int64(max(c.RefreshAfter, c.Lease))
	if c.RefreshAfter == 0 {
		soon = max((e.Care.Fresh-now)/2, int64(c.Lease))
	}
	return min(next, clock.Later(now, time.Duration(soon)))
}

// labelOf returns which tags the value of an entry bears, nil for none.
func labelOf(e *store.Entry) *labels.Label {
	if e == nil || e.Care == nil {
		return nil
	}
	return e.Care.Label
}
