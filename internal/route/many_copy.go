package route

import (
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A haul is what becomes of the answers of a call for several keys besides their values: copies of
// the first ones.
type haul struct {
	copying
	fetches []*hotcache.Fetch // of the first keys, in their order
}

// want begins the fetches of copies of an owner's keys, and puts the keys of which copies are wanted
// before the others.
func (b *Batch) want(o *view.Owner, indexes []int32) (h haul) {
	if b.Hot == nil || o.Peer == nil || b.flags != 0 {
		return h
	}
	h.sent = b.Clock.Now()
	for i, at := range indexes {
		key := b.Keys[at]
		hash := ring.Hash(b.Seed, key)
		if !b.Hot.Touch(hash, h.sent) {
			continue
		}
		n := len(h.fetches)
		indexes[i], indexes[n] = indexes[n], at
		h.fetches = append(h.fetches, b.Hot.Begin(hash, key))
	}
	// A view adopted before the fetches were registered has not marked them; one that comes
	// later does.
	if v := b.State.View(); v != b.view {
		h.drop()
	}
	return h
}

// drop ends the fetches without a copy.
func (h *haul) drop() {
	for _, f := range h.fetches {
		f.Drop()
	}
	h.fetches = nil
}

// askFor has a call ask for the copies, and for a renewal if the session is due.
func (h *haul) askFor(a ask) {
	req := &a.call.Req
	if len(h.fetches) > 0 {
		req.Flags |= wire.FlagCopy
		req.TTL = time.Duration(len(h.fetches))
	}
	if (len(h.fetches) > 0 || a.Held.Of(a.to.ID) != nil) && a.Held.IsDue(a.to.ID, h.sent) {
		h.stamp = a.Held.Stamp()
		req.Flags |= wire.FlagRenew
	}
}

// keepOf makes a hot copy of the answer about the nth key, if it was granted. got is the answer, whose
// body becomes the value alone. It reports false if that is malformed.
func (h *haul) keepOf(a ask, n int, key string, got *wire.Answer) (out Outcome, ok bool) {
	if got.Flags&wire.FlagKept == 0 || !got.IsPlain() {
		return out, true
	}
	ttl, tell, value, ok := wire.CutKept(got.Body)
	if !ok {
		return out, false
	}
	got.Body = value
	if n >= len(h.fetches) {
		return out, true
	}
	own := append(make([]byte, 0, len(value)), value...) // it would keep the whole answer
	e := a.keepAs(h.fetches[n], kept{key: strings.Clone(key), data: own, negative: got.Status == wire.StatusNotFound,
		sent: h.sent, ttl: ttl, tell: tell, number: a.call.Resp.View})
	return OutcomeOf(e, nil), true
}
