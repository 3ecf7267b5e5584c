package serve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// fastKeys bounds the keys that are looked up on the goroutine that reads a
// connection.
const fastKeys = 128

// A Server is a group as peers ask it. It answers from what this member owns, or refuses.
type Server struct {
	*owner.Part
	Hot    *hotcache.Cache                  // copies that peers invalidate
	Ways   *reach.Ways                      // has what callers carried
	Served func(hash uint64) *atomic.Uint64 // counts Gets that peers asked
}

// Fast answers what needs no waiting: hits, writes of keys without leases, invalidations. If it
// reports false, nothing was answered. The request may alias a buffer.
func (c *Server) Fast(from string, req *httppool.Request, resp *httppool.Response) bool {
	if (req.Op == wire.OpGet || req.Op == wire.OpGetMany) && c.mayKnowBetter(from) {
		return false
	}
	if req.Op == wire.OpGetMany {
		return c.serveManyHits(req, resp)
	}
	if wire.CheckKey(req.Key) != nil || c.State.View() == nil {
		return false
	}
	hash := ring.Hash(c.Seed, req.Key)
	switch req.Op {
	case wire.OpGet:
		return c.serveHit(hash, from, req, resp, nil)
	case wire.OpSet, wire.OpDelete:
		return c.serveWriteFast(hash, req, resp)
	case wire.OpInvalidate:
		c.Hot.Invalidate(hash, req.Key)
		resp.Status = wire.StatusOK
		return true
	}
	return false
}

// Serve answers what may have to wait.
func (c *Server) Serve(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	if (req.Op == wire.OpGet || req.Op == wire.OpGetMany) && c.mayKnowBetter(from) {
		if c.Errors.Put(resp, errs.ErrUnsettled); req.Op == wire.OpGetMany {
			resp.Status = wire.StatusOK // without answers: the peer asks singly
		}
		return
	}
	switch req.Op {
	case wire.OpGetMany:
		c.serveGetMany(c.Ways.ContextOf(ctx, req), req, resp)
	case wire.OpRefresh:
		c.serveRefresh(c.Ways.ContextOf(ctx, req), req, resp)
	case wire.OpDeleteMany:
		c.serveDeleteMany(ctx, req, resp)
	case wire.OpClear:
		c.Errors.Put(resp, c.ClearHere(ctx, req.View))
	case wire.OpGet, wire.OpSet, wire.OpDelete:
		if err := wire.CheckKey(req.Key); err != nil {
			c.Errors.Put(resp, err)
			return
		}
		c.serveKey(ctx, from, req, resp)
	default:
		resp.Status, resp.Message = wire.StatusInvalid, "the peer does not know this operation: it runs another version"
	}
}

// mayKnowBetter reports whether a peer that asks may belong to the majority while this
// node does not: it has met this node, and this node not it yet. What is held here may
// be older than writes that it must see.
func (c *Server) mayKnowBetter(from string) bool {
	if c.Origin.Load == nil || !c.State.Limited() {
		return false
	}
	v := c.State.View()
	return v != nil && v.Peers[from] == nil
}

func (c *Server) serveKey(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	key := strings.Clone(req.Key)
	hash := ring.Hash(c.Seed, key)
	if req.Op == wire.OpGet {
		c.serveGet(c.Ways.ContextOf(ctx, req), hash, key, from, req, resp)
		return
	}
	if req.Op == wire.OpSet && c.Origin.Write != nil && c.refuseVersion(hash, wire.Encoding(req.Arg), resp) {
		return
	}
	c.Errors.Put(resp, c.Write(ctx, hash, key, owner.Change{E: c.entryOf(key, req), CacheOnly: req.Flags&wire.FlagCacheOnly != 0}))
	c.hint(resp, hash)
}

// serveHit answers a Get from memory.
func (c *Server) serveHit(hash uint64, from string, req *httppool.Request, resp *httppool.Response, list *owner.Due) bool {
	if req.Flags&wire.FlagPeek != 0 {
		return c.servePeek(hash, req.Key, wire.Encoding(req.Arg), resp)
	}
	if req.Flags&wire.FlagLease != 0 {
		if !c.serveLease(hash, req.Key, from, wire.Encoding(req.Arg), resp) {
			return false
		}
	} else {
		now := c.Clock.Now()
		if c.State.MayServe(hash, now) != nil {
			return false
		}
		e := c.LookupFor(hash, req.Key, now, wire.Encoding(req.Arg), list)
		if e == nil {
			return false
		}
		c.putEntry(resp, e, now)
	}
	c.Served(hash).Add(1)
	resp.Flags = wire.FlagHit
	return true
}

// serveLease answers with the value of a key and a lease on it, if it has one and that may
// be given.
func (c *Server) serveLease(hash uint64, key, from string, enc wire.Encoding, resp *httppool.Response) bool {
	now := c.Clock.Now()
	e, lease := c.Grant(hash, key, from, enc, now)
	if e == nil {
		return false
	}
	resp.Lease = lease
	c.putEntry(resp, e, now)
	return true
}

// putEntry answers with an entry's value and its remaining time, if that fits.
func (c *Server) putEntry(resp *httppool.Response, e *store.Entry, now int64) {
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

func (c *Server) putTooLarge(resp *httppool.Response) {
	resp.Status = wire.StatusTooLarge
	resp.Message = fmt.Sprintf("the value is larger than the %d bytes that members send each other: see Options.MaxValueBytes", c.AnswerLimit)
}

// refuseVersion answers a peer that has another encoding than this group, of whose keys
// this member owns one: what it would load, or give to the Writer, is another type.
func (c *Server) refuseVersion(hash uint64, enc wire.Encoding, resp *httppool.Response) bool {
	if enc == c.Encoding || c.State.MayServe(hash, c.Clock.Now()) != nil {
		return false
	}
	resp.Status = wire.StatusOtherVersion
	return true
}

// serveGet answers a Get by a load. Of the request it takes flags and encoding.
func (c *Server) serveGet(ctx context.Context, hash uint64, key, from string, req *httppool.Request, resp *httppool.Response) {
	flags, enc := req.Flags, wire.Encoding(req.Arg)
	if flags&wire.FlagPeek != 0 {
		resp.Status = wire.StatusNotFound // if it may be served by now, there was nothing a moment ago
		if !c.servePeek(hash, key, enc, resp) {
			if err := c.State.MayServe(hash, c.Clock.Now()); err != nil {
				c.Errors.Put(resp, err)
				c.hint(resp, hash)
			}
		}
		return
	}
	c.Served(hash).Add(1)
	if enc != c.Encoding && flags&wire.FlagStandIn != 0 {
		resp.Status = wire.StatusOtherVersion
		return
	}
	if c.refuseVersion(hash, enc, resp) {
		return
	}
	if flags&wire.FlagStandIn != 0 && c.State.MayServe(hash, c.Clock.Now()) != nil {
		e, err := c.LoadUnstored(ctx, hash, key, true)
		c.putOutcome(resp, e, err)
		return
	}
	if c.IsTooLarge(hash, key) {
		c.putTooLarge(resp)
		return
	}
	e, hit, err := c.Load(ctx, hash, key)
	if hit {
		defer func() { resp.Flags |= wire.FlagHit }()
	}
	if errors.Is(err, errs.ErrUnsettled) && !errs.IsOutcome(err) && c.Origin.Load != nil {
		e, err = c.LoadUnstored(ctx, hash, key, false)
	}
	if err == nil && flags&wire.FlagLease != 0 && c.serveLease(hash, key, from, enc, resp) {
		return
	}
	c.putOutcome(resp, e, err)
	c.hint(resp, hash)
}

// putOutcome answers with what a load came to.
func (c *Server) putOutcome(resp *httppool.Response, e *store.Entry, err error) {
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

// serveWriteFast carries out a write that waits for nothing.
func (c *Server) serveWriteFast(hash uint64, req *httppool.Request, resp *httppool.Response) bool {
	if c.Origin.Write != nil {
		return false
	}
	key := req.Key
	if req.Op == wire.OpSet {
		key = strings.Clone(key)
	}
	done, err := c.WriteNow(hash, key, owner.Change{E: c.entryOf(key, req)})
	if done {
		c.Errors.Put(resp, err)
		c.hint(resp, hash)
	}
	return done
}

// entryOf returns the entry that a request wants to be set, nil for a Delete. It
// owns its bytes.
func (c *Server) entryOf(key string, req *httppool.Request) *store.Entry {
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
func (c *Server) hint(resp *httppool.Response, hash uint64) {
	if resp.Status != wire.StatusNotOwner {
		return
	}
	if v := c.State.View(); v != nil {
		if o := v.Owner(hash); o != nil {
			resp.Message = o.Addr
		}
	}
}

// servePeek answers a peer's Peek, if this member may answer for the key.
func (c *Server) servePeek(hash uint64, key string, enc wire.Encoding, resp *httppool.Response) bool {
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
