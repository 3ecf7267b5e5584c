package cachemesh

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// peerHandler answers peers. A request is answered from what this member owns
// or refused with statusNotOwner; it is never passed on, so two members that
// disagree cannot wait for each other.
type peerHandler struct{ node *Node }

// ServeFast answers what needs no waiting: hits, writes of keys without leases,
// invalidations.
func (h peerHandler) ServeFast(from string, req *httppool.Request, resp *httppool.Response) bool {
	c := h.node.group(req.Group)
	if c != nil && (req.Op == opGet || req.Op == opGetMany) && c.mayKnowBetter(from) {
		return false
	}
	if c != nil && req.Op == opGetMany {
		return c.serveManyHits(req, resp)
	}
	if c == nil || checkKey(req.Key) != nil || h.node.view.Load() == nil {
		return false
	}
	hash := ring.Hash(c.seed, req.Key)
	switch req.Op {
	case opGet:
		return c.serveHit(hash, from, req, resp, nil)
	case opSet, opDelete:
		return c.serveWriteFast(hash, req, resp)
	case opInvalidate:
		c.hot.Invalidate(hash, req.Key)
		resp.Status = statusOK
		return true
	}
	return false
}

// Serve answers what may have to wait.
func (h peerHandler) Serve(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	if req.Op == opFence {
		h.node.serveFence(req, resp) // before Start is done, too: it is there
		return
	}
	if _, err := h.node.currentView(ctx); err != nil {
		resp.Status = statusClosed
		return
	}
	if req.Op == opRelay {
		h.node.serveRelay(ctx, from, req, resp)
		return
	}
	c := h.node.group(req.Group)
	if c == nil {
		h.node.serveUnknown(req, resp)
		return
	}
	defer func() {
		if resp.Status == statusUnknownGroup && c.isCut() { // it was closed meanwhile
			*resp = httppool.Response{}
			h.Serve(ctx, from, req, resp)
		}
	}()
	if (req.Op == opGet || req.Op == opGetMany) && c.mayKnowBetter(from) {
		if c.putError(resp, ErrUnsettled); req.Op == opGetMany {
			resp.Status = statusOK // without answers: the peer asks singly
		}
		return
	}
	switch req.Op {
	case opGetMany:
		c.serveGetMany(h.node.contextOf(ctx, req), req, resp)
	case opRefresh:
		c.serveRefresh(h.node.contextOf(ctx, req), req, resp)
	case opDeleteMany:
		c.serveDeleteMany(ctx, req, resp)
	case opHandOver:
		c.serveHandOver(ctx, req, resp)
	case opClear:
		c.putError(resp, c.clearHere(ctx, req.View))
	case opGet, opSet, opDelete:
		if err := checkKey(req.Key); err != nil {
			c.putError(resp, err)
			return
		}
		c.serveKey(ctx, from, req, resp)
	default:
		resp.Status, resp.Message = statusInvalid, "the peer does not know this operation: it runs another version"
	}
}

// mayKnowBetter reports whether a peer that asks may belong to the majority while this
// node does not: it has met this node, and this node not it yet. What is held here may
// be older than writes that it must see.
func (c *groupCore) mayKnowBetter(from string) bool {
	if c.loader == nil || !c.node.limited() {
		return false
	}
	v := c.node.view.Load()
	return v != nil && v.peers[from] == nil
}

func (c *groupCore) serveKey(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	key := strings.Clone(req.Key)
	hash := ring.Hash(c.seed, key)
	if req.Op == opGet {
		c.serveGet(c.node.contextOf(ctx, req), hash, key, from, req, resp)
		return
	}
	if req.Op == opSet && c.writer != nil && c.refuseVersion(hash, encoding(req.Arg), resp) {
		return
	}
	c.putError(resp, c.write(ctx, hash, key, change{e: c.entryOf(key, req), cacheOnly: req.Flags&flagCacheOnly != 0}))
	c.hint(resp, hash)
}

// serveHit answers a Get from memory.
func (c *groupCore) serveHit(hash uint64, from string, req *httppool.Request, resp *httppool.Response, list *due) bool {
	if req.Flags&flagPeek != 0 {
		return c.servePeek(hash, req.Key, encoding(req.Arg), resp)
	}
	if req.Flags&flagLease != 0 {
		if !c.grant(hash, req.Key, from, encoding(req.Arg), resp) {
			return false
		}
	} else {
		now := c.node.now()
		if c.node.mayServeAt(hash, now) != nil {
			return false
		}
		e := c.lookupFor(hash, req.Key, now, encoding(req.Arg), list)
		if e == nil {
			return false
		}
		c.putEntry(resp, e, now)
	}
	c.stats.of(hash).served.Add(1)
	resp.Flags = flagHit
	return true
}

// putEntry answers with an entry's value and its remaining time, if that fits.
func (c *groupCore) putEntry(resp *httppool.Response, e *store.Entry, now int64) {
	if !c.fits(e) {
		c.putTooLarge(resp)
		return
	}
	resp.Status, resp.Value = statusOK, e.Data
	if e.Negative {
		resp.Status = statusNotFound
	}
	if until := freshUntil(e); until > 0 {
		resp.TTL = max(time.Duration(until-now), 1)
	}
}

// refuseVersion answers a peer that has another encoding than this group, of whose keys
// this member owns one: what it would load, or give to the Writer, is another type.
func (c *groupCore) refuseVersion(hash uint64, enc encoding, resp *httppool.Response) bool {
	if enc == c.encoding || c.node.mayServe(hash) != nil {
		return false
	}
	resp.Status = statusOtherVersion
	return true
}

// serveGet answers a Get by a load. Of the request it takes flags and encoding.
func (c *groupCore) serveGet(ctx context.Context, hash uint64, key, from string, req *httppool.Request, resp *httppool.Response) {
	flags, enc := req.Flags, encoding(req.Arg)
	if flags&flagPeek != 0 {
		resp.Status = statusNotFound // if it may be served by now, there was nothing a moment ago
		if !c.servePeek(hash, key, enc, resp) {
			if err := c.node.mayServe(hash); err != nil {
				c.putError(resp, err)
				c.hint(resp, hash)
			}
		}
		return
	}
	c.stats.of(hash).served.Add(1)
	if enc != c.encoding && flags&flagStandIn != 0 {
		resp.Status = statusOtherVersion
		return
	}
	if c.refuseVersion(hash, enc, resp) {
		return
	}
	if flags&flagStandIn != 0 && c.node.mayServe(hash) != nil {
		e, err := c.loadUnstored(ctx, hash, key, true)
		c.putOutcome(resp, e, err)
		return
	}
	if c.refuseTooLarge(hash, key, resp) {
		return
	}
	e, hit, err := c.load(ctx, hash, key)
	if hit {
		defer func() { resp.Flags |= flagHit }()
	}
	if errors.Is(err, ErrUnsettled) && !isLoadOutcome(err) && c.loader != nil {
		e, err = c.loadUnstored(ctx, hash, key, false)
	}
	if err == nil && flags&flagLease != 0 && c.grant(hash, key, from, enc, resp) {
		return
	}
	c.putOutcome(resp, e, err)
	c.hint(resp, hash)
}

// putOutcome answers with what a load came to.
func (c *groupCore) putOutcome(resp *httppool.Response, e *store.Entry, err error) {
	if e == nil {
		c.putError(resp, err)
		return
	}
	if c.putEntry(resp, e, c.node.now()); resp.Status == statusTooLarge {
		c.noteTooLarge(e.Key)
		return
	}
	if stale, ok := errors.AsType[*StaleError](err); ok {
		cause, panicked := stale.Err, false
		if le, ok := cause.(*LoadError); ok {
			cause, panicked = le.Err, le.Panic
		}
		c.putCause(resp, statusOK, panicked, cause)
		resp.Flags |= flagStale
		resp.TTL, resp.Version = 0, uint64(stale.Age)
	}
}

// serveWriteFast carries out a write that waits for nothing.
func (c *groupCore) serveWriteFast(hash uint64, req *httppool.Request, resp *httppool.Response) bool {
	if c.writer != nil {
		return false
	}
	key := req.Key
	if req.Op == opSet {
		key = strings.Clone(key)
	}
	e := c.entryOf(key, req)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.books[key] != nil || s.closed {
		return false
	}
	c.putError(resp, c.installLocked(s, hash, key, change{e: e}))
	c.hint(resp, hash)
	return true
}

// entryOf returns the entry that a request wants to be set, nil for a Delete. It
// owns its bytes.
func (c *groupCore) entryOf(key string, req *httppool.Request) *store.Entry {
	if req.Op == opDelete {
		return nil
	}
	e := &store.Entry{Key: key, Data: append([]byte{}, req.Value...)}
	c.setTTL(e, req.TTL)
	c.copyExtra(e)
	c.mark(e, encoding(req.Arg))
	return e
}

// hint tells a caller that came to the wrong member who the owner is.
func (c *groupCore) hint(resp *httppool.Response, hash uint64) {
	if resp.Status != statusNotOwner {
		return
	}
	if v := c.node.view.Load(); v != nil {
		if o := v.owner(hash); o != nil {
			resp.Message = o.addr
		}
	}
}

// setTTL lets an entry expire after the TTL, never if that is Forever or not
// positive.
func (c *groupCore) setTTL(e *store.Entry, ttl time.Duration) {
	if ttl > 0 && ttl != Forever {
		e.Expires = later(c.node.now(), ttl)
	}
}

// later returns the time d after t, or the last time there is if that is later
// than the clock can say.
func later(t int64, d time.Duration) int64 {
	if int64(d) > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + int64(d)
}

// copyExtra charges an entry for the decoded value that it may come to hold,
// which is taken to be about as large as its bytes.
func (c *groupCore) copyExtra(e *store.Entry) {
	if c.decodedSize > 0 {
		e.Extra = c.decodedSize + int64(len(e.Data))
	}
}
