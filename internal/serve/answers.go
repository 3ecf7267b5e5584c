package serve

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Answers are what a member says of single keys of a group, from what it owns of it. All that
// a Server answers is made of them.
type Answers struct {
	*owner.Part
	Served func(hash uint64) *atomic.Uint64 // counts Gets that peers asked
}

// refuseVersion answers a peer that has another encoding than this group, of whose keys
// this member owns one: what it would load, or give to the Writer, is another type.
func (c *Answers) refuseVersion(hash uint64, enc wire.Encoding, resp *httppool.Response) bool {
	if enc == c.Encoding || c.State.MayServe(hash, c.Clock.Now()) != nil {
		return false
	}
	resp.Status = wire.StatusOtherVersion
	return true
}

// servePeek answers a peer's Peek, if this member may answer for the key.
func (c *Answers) servePeek(hash uint64, key string, enc wire.Encoding, resp *httppool.Response) bool {
	if c.State.MayServe(hash, c.Clock.Now()) != nil {
		return false
	}
	if e := c.Peek(hash, key); e != nil && c.Reads(e, enc) {
		c.putEntry(resp, e, c.Clock.Now())
	} else {
		resp.Status = wire.StatusNotFound
	}
	return true
}

// serveCopy answers with the value of a key, if there is one, and notes the peer as a holder of a
// copy, if it may be.
func (c *Answers) serveCopy(hash uint64, key, from string, enc wire.Encoding, resp *httppool.Response) bool {
	now := c.Clock.Now()
	e, number := c.Grant(hash, key, from, enc, now)
	if e == nil {
		return false
	}
	c.putEntry(resp, e, now)
	if number != 0 && resp.Status != wire.StatusTooLarge {
		resp.View = number
		resp.Flags |= wire.FlagKept
		resp.Version = c.tellAfter(e, now)
	}
	return true
}

// tellAfter returns after what time, in nanoseconds, this member wants to hear of a read of a copy; 0: never.
func (c *Answers) tellAfter(e *store.Entry, now int64) uint64 {
	at := c.DueAt(e, now)
	if at == 0 {
		return 0
	}
	return uint64(max(at-now, 1))
}

// putOutcome answers with what a load came to.
func (c *Answers) putOutcome(resp *httppool.Response, e *store.Entry, err error) {
	if e == nil {
		c.Errors.Put(resp, err)
		return
	}
	if c.putEntry(resp, e, c.Clock.Now()); resp.Status == wire.StatusTooLarge {
		c.NoteTooLarge(e.Key)
		return
	}
	if stale, ok := errors.AsType[*errs.StaleError](err); ok {
		cause, panicked := stale.Err, false
		if le, ok := cause.(*errs.LoadError); ok {
			cause, panicked = le.Err, le.Panic
		}
		c.Errors.PutCause(resp, wire.StatusOK, panicked, cause)
		resp.Flags |= wire.FlagStale
		resp.TTL, resp.Version = 0, uint64(stale.Age)
	}
}

// putEntry answers with an entry's value and its remaining time, if that fits.
func (c *Answers) putEntry(resp *httppool.Response, e *store.Entry, now int64) {
	if !c.Fits(e) {
		c.putTooLarge(resp)
		return
	}
	resp.Status, resp.Value = wire.StatusOK, e.Data
	if e.Negative {
		resp.Status = wire.StatusNotFound
	}
	if until := owner.FreshUntil(e); until > 0 {
		resp.TTL = max(time.Duration(until-now), 1)
	}
}

func (c *Answers) putTooLarge(resp *httppool.Response) {
	resp.Status = wire.StatusTooLarge
	resp.Message = fmt.Sprintf("the value is larger than the %d bytes that members send each other: see Options.MaxValueBytes", c.AnswerLimit)
}

// entryOf returns the entry that a request wants to be set, nil for a Delete. It
// owns its bytes.
func (c *Answers) entryOf(key string, req *httppool.Request) *store.Entry {
	if req.Op == wire.OpDelete {
		return nil
	}
	e := &store.Entry{Key: key, Data: append([]byte{}, req.Value...)}
	c.SetTTL(e, req.TTL)
	c.Allow(e)
	c.Mark(e, wire.Encoding(req.Arg))
	return e
}

// hint tells a caller that came to the wrong member who the owner is.
func (c *Answers) hint(resp *httppool.Response, hash uint64) {
	if resp.Status != wire.StatusNotOwner {
		return
	}
	if v := c.State.View(); v != nil {
		if o := v.Owner(hash); o != nil {
			resp.Message = o.Addr
		}
	}
}
