package serve

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/reach"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// fastKeys bounds the keys that are looked up on the goroutine that reads a
// connection.
const fastKeys = 128

// A Server is a group as peers ask it. It answers from what this member owns, or refuses.
type Server struct {
	Answers
	Hot      *hotcache.Cache // copies that peers invalidate
	Renewals *Renewals       // of the peers' sessions
	Ways     *reach.Ways     // has what callers carried

	Tell func(key string) // tells the user, who was lent values, of an invalidation; nil: none

	// Noted returns which of these claims this member has, or has asked for.
	Noted func(ctx context.Context, ids []uint64, wait time.Duration) []bool
}

// Fast answers what needs no waiting: hits, writes of keys without copies, invalidations. If it
// reports false, nothing was answered. The request may alias a buffer.
func (c *Server) Fast(from string, req *httppool.Request, resp *httppool.Response) bool {
	if (req.Op == wire.OpGet || req.Op == wire.OpGetMany || req.Op == wire.OpClaim) && c.mayKnowBetter(from) {
		return false
	}
	switch {
	case req.Op == wire.OpGetMany:
		return c.serveManyFast(from, req, resp)
	case req.Op == wire.OpInvalidate && req.Key == "":
		return c.Tell == nil && c.serveInvalidateSome(req, resp)
	}
	if wire.CheckKey(req.Key) != nil || c.State.View() == nil {
		return false
	}
	hash := ring.Hash(c.Seed, req.Key)
	switch req.Op {
	case wire.OpGet, wire.OpClaim:
		if req.Flags&wire.FlagRenew == 0 {
			return c.serveHit(hash, from, req, resp, nil)
		}
		number, term := c.Renewals.Renew(from)
		return c.serveHit(hash, from, req, resp, nil) && putRenewal(resp, number, term)
	case wire.OpSet, wire.OpDelete:
		return c.serveWriteFast(hash, req, resp)
	case wire.OpUpdate:
		return c.serveUpdateFast(hash, req, resp)
	case wire.OpInvalidate:
		if c.Tell != nil {
			return false // that may take a moment
		}
		c.Hot.Invalidate(hash, c.Clock.Now())
		resp.Status = wire.StatusOK
		return true
	}
	return false
}

// Serve answers what may have to wait.
func (c *Server) Serve(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	if (req.Op == wire.OpGet || req.Op == wire.OpGetMany || req.Op == wire.OpClaim || req.Op == wire.OpItem && c.Copies() != nil) && c.mayKnowBetter(from) {
		if c.Errors.Put(resp, errs.ErrUnsettled); req.Op == wire.OpGetMany {
			resp.Status = wire.StatusOK // without answers: the peer asks singly
		}
		return
	}
	if (req.Op == wire.OpGet || req.Op == wire.OpGetMany || req.Op == wire.OpClaim) && req.Flags&wire.FlagRenew != 0 {
		number, term := c.Renewals.Renew(from)
		defer func() { putRenewal(resp, number, term) }()
	}
	switch req.Op {
	case wire.OpGetMany:
		c.serveGetMany(c.Ways.ContextOf(ctx, req), from, req, resp)
	case wire.OpRefresh:
		c.serveRefresh(c.Ways.ContextOf(ctx, req), req, resp)
	case wire.OpDeleteMany:
		c.serveDeleteMany(ctx, req, resp)
	case wire.OpClear:
		c.Errors.Put(resp, c.ClearHere(ctx, req.View))
	case wire.OpHolding:
		c.serveHolding(ctx, req, resp)
	case wire.OpDeleteTag, wire.OpDeletePrefix, wire.OpScan:
		c.serveWhole(ctx, req, resp)
	case wire.OpGet, wire.OpSet, wire.OpDelete, wire.OpUpdate, wire.OpItem, wire.OpClaim, wire.OpFill, wire.OpInvalidate:
		if req.Op == wire.OpInvalidate && req.Key == "" {
			c.serveInvalidateSome(req, resp)
			return
		}
		if err := wire.CheckKey(req.Key); err != nil {
			c.Errors.Put(resp, err)
			return
		}
		c.serveKey(ctx, from, req, resp)
	default:
		resp.Status, resp.Message = wire.StatusInvalid, "the peer does not know this operation: it runs another version"
	}
}

// serveInvalidateSome drops all copies, or those of a hash: their owner does not know their keys any more.
func (c *Server) serveInvalidateSome(req *httppool.Request, resp *httppool.Response) bool {
	if req.Flags&wire.FlagAll != 0 {
		c.Hot.InvalidateAll()
	} else {
		c.Hot.Invalidate(req.Arg, c.Clock.Now())
	}
	if c.Tell != nil {
		c.Tell("")
	}
	resp.Status = wire.StatusOK
	return true
}

// putRenewal adds to an answer that the caller's session was renewed, unless a copy was granted under
// another. It returns true.
func putRenewal(resp *httppool.Response, number uint64, term time.Duration) bool {
	if resp.View == 0 || resp.View == number {
		resp.View, resp.Lease = number, term
	}
	return true
}

// mayKnowBetter reports whether a peer that asks may belong to the majority while this
// node does not: it has met this node, and this node not it yet. What is held here may
// be older than writes that it must see.
func (c *Server) mayKnowBetter(from string) bool {
	if c.Origin.Load == nil && c.Copies() == nil || !c.State.Limited() {
		return false
	}
	v := c.State.View()
	return v != nil && v.Peers[from] == nil
}

func (c *Server) serveKey(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	key := strings.Clone(req.Key)
	hash := ring.Hash(c.Seed, key)
	if req.Op == wire.OpInvalidate {
		c.Hot.Invalidate(hash, c.Clock.Now())
		if c.Tell != nil {
			c.Tell(key)
		}
		resp.Status = wire.StatusOK
		return
	}
	if req.Op == wire.OpGet {
		c.serveGet(c.Ways.ContextOf(ctx, req), hash, key, from, req, resp)
		return
	}
	switch {
	case req.Op == wire.OpClaim:
		c.serveClaim(ctx, hash, key, from, req, resp)
		return
	case req.Op == wire.OpFill:
		c.serveFill(hash, key, from, req, resp)
		return
	case req.Op == wire.OpItem:
		c.serveItem(c.Ways.ContextOf(ctx, req), hash, key, req, resp)
		return
	case req.Op == wire.OpUpdate:
		c.serveUpdate(ctx, hash, key, req, resp)
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
	if req.Flags&wire.FlagCopy != 0 {
		if !c.serveCopy(hash, req.Key, from, wire.Encoding(req.Arg), resp) {
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
	resp.Flags |= wire.FlagHit
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
	if err == nil && flags&wire.FlagCopy != 0 && c.serveCopy(hash, key, from, enc, resp) {
		return
	}
	c.putOutcome(resp, e, err)
	c.hint(resp, hash)
}

// serveUpdate changes a key on a condition.
func (c *Server) serveUpdate(ctx context.Context, hash uint64, key string, req *httppool.Request, resp *httppool.Response) {
	if c.Origin.Write != nil && c.refuseVersion(hash, wire.Encoding(req.Arg), resp) {
		return
	}
	ch, ok := c.changeOf(key, req, resp)
	if !ok {
		return
	}
	c.putVerdict(hash, resp, ch.If, c.Write(c.Ways.ContextOf(ctx, req), hash, key, ch))
}

// serveWriteFast carries out a write that waits for nothing.
func (c *Server) serveWriteFast(hash uint64, req *httppool.Request, resp *httppool.Response) bool {
	if c.Origin.Write != nil || req.Op == wire.OpSet && c.Copies() != nil && !c.Copies().IsInstant(hash, false) {
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
