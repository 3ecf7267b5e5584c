package cachemesh

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A transport carries calls to peers.
type transport interface {
	peer(addr string) caller // cheap; one per address
	forget(addr string)      // closes connections to a member that has gone

	ping(ctx context.Context, addr string) error // nil: a member there lives
}

// A caller calls one peer. A nil error means that resp is the peer's answer.
// Neither req nor resp is kept after it returns; resp.Value is the caller's.
type caller interface {
	Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error
}

// A starter is a caller that can start a call: see httppool.Peer.Start.
type starter interface {
	Start(ctx context.Context, req *httppool.Request) (p httppool.Pending, ok bool)
}

// poolTransport is the real transport.
type poolTransport struct {
	pool *httppool.Pool
	wrap func(addr string, next seam.Caller) seam.Caller // nil: none
}

func (t poolTransport) peer(addr string) caller {
	if t.wrap != nil {
		return t.wrap(addr, t.pool.Peer(addr))
	}
	return t.pool.Peer(addr)
}

func (t poolTransport) forget(addr string) { t.pool.Forget(addr) }

func (t poolTransport) ping(ctx context.Context, addr string) error {
	return t.pool.Peer(addr).Ping(ctx)
}

// A call holds what one peer call needs, so that it costs no allocation.
type call struct {
	req  httppool.Request
	resp httppool.Response
	hash uint64 // of the key, if it is about one
}

var callPool = sync.Pool{New: func() any { return new(call) }}

func newCall(op uint8, group, key string) *call {
	k := callPool.Get().(*call)
	k.req.Op, k.req.Group, k.req.Key = op, group, key
	return k
}

func (k *call) free() {
	*k = call{}
	callPool.Put(k)
}

// do calls the peer and turns its answer into an error. Transport failures
// become *PeerError, except that an ended context is returned as itself where
// nothing can have been applied.
func (k *call) do(ctx context.Context, c *groupCore, o *owner) error {
	k.count(c)
	return k.done(ctx, c, o, c.node.callMember(ctx, o, &k.req, &k.resp))
}

func (k *call) count(c *groupCore) { c.stats.of(k.hash).peerCalls.Add(1) }

// done turns what a call came to into an error.
func (k *call) done(ctx context.Context, c *groupCore, o *owner, err error) error {
	if err == nil {
		if k.resp.Status < httppool.StatusReserved {
			c.heard(o.name, k.resp.Status)
		}
		if k.resp.Status == statusOK {
			return nil
		}
		err = c.errorOf(o, k)
	} else {
		err = transportError(ctx, k.req.Op, o, err)
	}
	if _, ok := errors.AsType[*PeerError](err); ok {
		c.stats.peerErrors.Add(1)
	}
	return err
}

func transportError(ctx context.Context, op uint8, o *owner, err error) error {
	pe := &PeerError{Op: opNames[op], Member: o.name, Addr: o.addr, Err: err, unreachable: ended(ctx) == nil}
	if ce, ok := errors.AsType[*httppool.CallError](err); ok {
		pe.MaybeApplied = ce.Sent
		pe.Err = ce.Err
	}
	switch {
	case errors.Is(err, httppool.ErrClosed):
		pe.Err, pe.unreachable = ErrClosed, false
	case errors.Is(err, httppool.ErrOverloaded):
		pe.Err, pe.unreachable = &remoteError{pe.Err.Error(), ErrOverloaded}, false
	case errors.Is(err, httppool.ErrTooLarge):
		pe.unreachable = false
		pe.Err = &remoteError{pe.Err.Error(), ErrTooLarge}
	}
	return pe
}

// ended returns why a caller has no time left, or nil. The time of its deadline counts,
// and not when the timer comes: the peer, which has the same deadline, may say first that
// it has passed, and that is no reason to load the key here.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// isUnreachable reports whether a call failed because the peer could not be
// reached or was lost, rather than because of what it answered or of the
// caller's own context.
func isUnreachable(err error) bool {
	if isLoadOutcome(err) {
		return false
	}
	pe, ok := errors.AsType[*PeerError](err)
	return ok && pe.unreachable
}

// isRefusal reports whether a member answered that it has no value to give, for a reason
// that says nothing about the key: the value is too large to be sent, the member does not
// know the group or the operation, or failed over it. The caller has to load it itself.
func isRefusal(err error) bool {
	if isLoadOutcome(err) {
		return false
	}
	pe, ok := errors.AsType[*PeerError](err)
	return ok && !pe.unreachable && !errors.Is(err, ErrOverloaded) && !errors.Is(err, ErrClosed)
}

// getAt asks a peer for a key, and for a lease if this member reads the key
// often. With errNotOwner it also returns the address of the owner as that peer
// sees it. The key must not alias a buffer. now is a time before the call: a
// lease counts from there.
func (c *groupCore) getAt(ctx context.Context, o *owner, hash uint64, key string, flags uint8, now int64) (got outcome, named string) {
	k := newCall(opGet, c.name, key)
	defer k.free()
	k.hash, k.req.Flags, k.req.Idempotent = hash, flags, true
	k.req.Arg = uint64(c.encoding)
	var fetch *hotcache.Fetch
	// A renewal asks for a lease in any case: hits are not counted, and one came in
	// the last quarter of the lease.
	if flags&(flagStandIn|flagPeek) == 0 && o.id != "" && (flags&flagRenewal != 0 || c.hot.Touch(hash, now)) {
		// Registered before it is sent: an invalidation that overtakes the answer
		// finds the fetch and marks it.
		fetch = c.hot.Begin(hash, key, o.id)
		defer fetch.Drop()
		// A view adopted before the fetch was registered has not marked it; one
		// that comes later does.
		if v := c.node.view.Load(); v != nil && v.self >= 0 && v.ownerID(hash) == o.id {
			k.req.Flags |= flagLease
		}
	}
	if flags&(flagPeek|flagRenewal) == 0 {
		k.carry(ctx, c.node)
	}
	err := k.do(ctx, c, o)
	if err == nil {
		if k.resp.Flags&flagHit != 0 && flags&(flagRenewal|flagPeek) == 0 {
			c.stats.of(hash).peerHits.Add(1)
		}
		got = outcome{data: k.resp.Value, found: true, err: c.staleResponse(o, k)}
	} else if got, named = c.notGot(ctx, k, err); got.err != ErrNotFound {
		return got, named
	}
	if fetch != nil && k.resp.Lease > 0 {
		if e := c.keep(fetch, k, now); got.found {
			got = outcome{e: e, err: got.err} // what is decoded now, later hits need not decode
		}
	}
	return got, ""
}

// notGot returns what getAt makes of an error.
func (c *groupCore) notGot(ctx context.Context, k *call, err error) (got outcome, named string) {
	if errors.Is(err, ErrNotFound) && !isLoadOutcome(err) {
		if k.resp.Flags&flagHit != 0 && k.req.Flags&(flagRenewal|flagPeek) == 0 {
			c.stats.of(k.hash).peerHits.Add(1)
			c.stats.negativeHits.Add(1)
		}
		return outcome{err: ErrNotFound}, ""
	}
	if ctxErr := ended(ctx); ctxErr != nil {
		return outcome{err: ctxErr}, ""
	}
	if k.resp.Status == statusOtherVersion && k.req.Flags&flagRenewal == 0 {
		c.noteUnreadable(strings.Clone(k.req.Key), err)
	}
	return outcome{err: err}, k.resp.Message
}

// keep makes a hot copy of an answer with a lease. Counted from when the request
// was sent, the lease and the value end here before they end at the owner, which
// counts from its answer.
func (c *groupCore) keep(fetch *hotcache.Fetch, k *call, sent int64) *store.Entry {
	key, negative := strings.Clone(k.req.Key), k.resp.Status == statusNotFound
	var e *store.Entry
	if c.leasedEntry != nil && !negative {
		e = c.leasedEntry(key, k.resp.Value)
	} else {
		e = &store.Entry{Key: key, Data: k.resp.Value, Negative: negative}
	}
	if k.resp.TTL > 0 {
		e.Expires = later(sent, k.resp.TTL)
	}
	fetch.Keep(e, later(sent, k.resp.Lease), c.node.now())
	return e
}

// staleResponse returns the *StaleError that came with a value, if any.
func (c *groupCore) staleResponse(o *owner, k *call) error {
	if k.resp.Flags&flagStale == 0 {
		return nil
	}
	key := strings.Clone(k.req.Key)
	return &StaleError{Group: c.name, Key: key, Age: time.Duration(k.resp.Version), Err: &LoadError{
		Group: c.name, Key: key, Member: o.name, Panic: k.resp.Flags&flagPanic != 0, Err: c.causeOf(&k.resp)}}
}

// renew asks for a key again whose lease ends soon, so that a hot key stays a
// local hit.
func (c *groupCore) renew(o *owner, hash uint64, key string) {
	if o == nil {
		return // everybody is leaving
	}
	c.node.spawn(func() {
		ctx, cancel := context.WithTimeout(c.node.closeCtx, c.node.opts.Lease)
		defer cancel()
		c.getAt(ctx, o, hash, key, flagRenewal, c.node.now())
	})
}

// changeAt asks a peer to Set or Delete a key.
func (c *groupCore) changeAt(ctx context.Context, o *owner, hash uint64, key string, ch change) (hint string, err error) {
	k := newCall(opDelete, c.name, key)
	defer k.free()
	k.hash = hash
	k.req.Idempotent = ch.e == nil && !c.writesOrigin(ch)
	if ch.cacheOnly {
		k.req.Flags = flagCacheOnly
	}
	if e := ch.e; e != nil {
		k.req.Op, k.req.Value, k.req.Arg = opSet, e.Data, uint64(c.encodingOf(e))
		if e.Expires != 0 {
			// The time that retries took is gone from the TTL. A value that lived too
			// short to arrive still removes the one before it.
			k.req.TTL = max(time.Duration(e.Expires-c.node.now()), 1)
		}
	}
	err = k.do(ctx, c, o)
	if errors.Is(err, ErrUnknownGroup) && k.req.Op == opDelete && c.writer == nil {
		return "", nil // a member that does not know the group holds nothing of it
	}
	return k.resp.Message, err
}
