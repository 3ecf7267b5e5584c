package route

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A copying is what becomes of a call to an owner besides its answer: a copy of the value, and a
// renewal of the session under which this member holds copies of that owner's.
type copying struct {
	fetch *hotcache.Fetch // nil: the answer is not kept
	stamp uint64          // see session.Holder
	sent  int64
}

// begin prepares a call that is about to be sent: it asks for a copy if one is wanted, and
// for a renewal if the session is due, or in any case. now is a time before that.
func (a ask) begin(want, renew bool, now int64) (cp copying) {
	hash, id := a.call.Hash, a.to.ID
	cp.sent = now
	if id == "" {
		return cp
	}
	if want {
		// Registered before it is sent: an invalidation that overtakes the answer
		// finds the fetch and marks it.
		cp.fetch = a.Hot.Begin(hash, a.call.Req.Key)
		// A view adopted before the fetch was registered has not marked it; one
		// that comes later does.
		if v := a.State.View(); v != nil && v.Self >= 0 && v.OwnerID(hash) == id {
			a.call.Req.Flags |= wire.FlagCopy
		}
	}
	if want || a.Held.Of(id) != nil {
		if a.Held.IsDue(id, now) || renew {
			cp.stamp = a.Held.Stamp()
			a.call.Req.Flags |= wire.FlagRenew
		}
	}
	return cp
}

// heed takes what an answer says of the session.
func (a ask) heed(cp *copying) {
	switch resp := &a.call.Resp; {
	case a.call.Req.Flags&wire.FlagRenew == 0:
	case resp.Lease > 0:
		a.Held.Renewed(a.to.ID, resp.View, int64(resp.Lease), cp.sent, cp.stamp)
	default:
		a.Held.NotRenewed(a.to.ID)
	}
}

// keep makes a hot copy of an answer, if it was granted. It returns its entry, nil for none.
// Counted from when the request was sent, and by a clock that may be slower than the owner's
// by a thousandth, the value ends here before it ends there.
func (a ask) keep(cp *copying) *store.Entry {
	resp := &a.call.Resp
	if cp.fetch == nil || resp.Flags&(wire.FlagKept|wire.FlagStale) != wire.FlagKept {
		return nil
	}
	return a.keepAs(cp.fetch, kept{key: strings.Clone(a.call.Req.Key), data: resp.Value, negative: resp.Status == wire.StatusNotFound,
		sent: cp.sent, ttl: resp.TTL, tell: resp.Version, number: resp.View})
}

// kept is an answer of which a copy was granted.
type kept struct {
	key      string
	data     []byte
	negative bool
	sent     int64         // when it was asked for
	ttl      time.Duration // 0: it does not end
	tell     uint64        // nanoseconds, after which the owner wants to hear of a read; 0: never
	number   uint64        // of the session
}

// keepAs keeps a copy under the session that it was granted under, if that stands. It returns its entry.
func (a ask) keepAs(f *hotcache.Fetch, k kept) *store.Entry {
	var e *store.Entry
	if a.CopyEntry != nil && !k.negative {
		e = a.CopyEntry(k.key, k.data)
	} else {
		e = &store.Entry{Key: k.key, Data: k.data, Negative: k.negative}
	}
	if k.ttl > 0 {
		e.Expires = clock.Later(k.sent, k.ttl-k.ttl/drift)
	}
	g := hotcache.Grant{Session: a.Held.OfNumber(a.to.ID, k.number, k.sent), Sent: k.sent}
	if k.tell > 0 {
		g.TellAt = clock.Later(k.sent, time.Duration(min(k.tell, math.MaxInt64)))
	}
	f.Keep(e, g, a.Clock.Now())
	return e
}

// drift is by what part of itself a value's time may be longer on one clock than on another.
const drift = 1024

// fetchAgain asks for a key of which there is a copy, so that its owner hears of a read: it may load
// the value anew.
func (c *Router) fetchAgain(o *view.Owner, hash uint64, key string) {
	if o == nil {
		return // everybody is leaving
	}
	c.Life.Go(func() {
		ctx, cancel := context.WithTimeout(c.Life.Context(), c.Lease)
		defer cancel()
		c.GetAt(ctx, o, hash, key, wire.FlagAgain, c.Clock.Now())
	})
}

// renew renews the session of an owner in the background, so that copies of what it owns are
// served on.
func (c *Router) renew(o *view.Owner) {
	if o == nil || o.Peer == nil {
		return
	}
	c.Life.Go(func() {
		ctx, cancel := context.WithTimeout(c.Life.Context(), c.Lease)
		defer cancel()
		c.renewNow(ctx, o)
	})
}

// renewNow is renew, and returns when the owner has answered, or does not.
func (c *Router) renewNow(ctx context.Context, o *view.Owner) {
	req, resp := httppool.Request{Op: wire.OpRenew, Idempotent: true}, httppool.Response{}
	stamp, sent := c.Held.Stamp(), c.Clock.Now()
	if o.Peer.Call(ctx, &req, &resp) == nil && resp.Status == wire.StatusOK {
		c.Held.Renewed(o.ID, resp.View, int64(resp.Lease), sent, stamp)
	}
}
