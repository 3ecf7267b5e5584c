package route

import (
	"errors"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// askOwners gets what is left, from each owner in calls of at most wire.BatchKeys, all
// under way together.
func (b *Batch) askOwners(v *view.View) {
	if !b.sortByOwner() {
		return
	}
	var others *errgroup.Group // all calls but the last
	begin, total := int32(0), len(b.sorted)
	for i, end := range b.counts {
		o := &v.Owners[i]
		for run := range b.runs(b.sorted[begin:end]) {
			if total -= len(run); total == 0 { // the last one: by this goroutine
				b.askOwner(o, run)
				break
			}
			if others == nil {
				others = new(errgroup.Group)
				others.SetLimit(BatchCalls)
			}
			others.Go(b.asker(o, run))
		}
		begin = end
	}
	if others != nil {
		others.Wait()
	}
}

// sortByOwner sorts the keys that have no outcome by owner: counts says where the
// next owner's begin. It reports false if there are none.
func (b *Batch) sortByOwner() bool {
	total := int32(0)
	for o, n := range b.counts {
		b.counts[o] = total // where the owner's keys begin
		total += n
	}
	b.sorted = resized(b.sorted, int(total))
	for i, o := range b.owners {
		if o >= 0 {
			b.sorted[b.counts[o]] = int32(i)
			b.counts[o]++ // in the end: where the next owner's begin
		}
	}
	return total > 0
}

// asker returns what gets keys from one owner on a goroutine of its own. If it can
// it sends the request at once: waking a goroutine first takes longer.
func (b *Batch) asker(o *view.Owner, indexes []int32) func() error {
	peer, ok := o.Peer.(wire.Starter)
	if !ok || o.Route.Relayed.Load() > 0 {
		return func() error { b.askOwner(o, indexes); return nil }
	}
	h := b.want(o, indexes)
	from := len(b.lists)
	b.lists = b.packKeys(b.lists, indexes)
	k := b.callFor(b.lists[from:])
	a := ask{b.Router, o, k}
	h.askFor(a)
	began := b.Clock.Now()
	pending, ok := peer.Start(b.ctx, &k.Req)
	if !ok {
		return func() error { b.finish(a, &h, indexes, a.do(b.ctx)); return nil }
	}
	b.Stats.countCall(k)
	return func() error {
		err := b.Ways.Reroute(b.ctx, o, &k.Req, &k.Resp, pending.Wait(b.ctx, &k.Resp))
		b.Stats.took(began, b.Clock.Now())
		b.finish(a, &h, indexes, a.done(b.ctx, err))
		return nil
	}
}

// askOwner gets keys from one owner.
func (b *Batch) askOwner(o *view.Owner, indexes []int32) {
	if o.Peer == nil {
		b.loadHere(indexes)
		return
	}
	h := b.want(o, indexes)
	a := ask{b.Router, o, b.callFor(b.packKeys(nil, indexes))}
	h.askFor(a)
	b.finish(a, &h, indexes, a.do(b.ctx))
}

func (b *Batch) callFor(list []byte) *wire.Call {
	k := wire.NewCall(wire.OpGetMany, b.Name, "")
	k.Req.Flags, k.Req.Value, k.Req.Idempotent = b.flags, list, true
	b.Ways.Carry(b.ctx, k)
	k.Req.Arg = uint64(b.Encoding)
	return k
}

// finish takes the answers of a call, or its error, and asks singly for what is not
// among them.
func (b *Batch) finish(a ask, h *haul, indexes []int32, err error) {
	rest := indexes
	if err == nil {
		a.heed(&h.copying)
		rest = b.take(a, h, indexes)
	}
	h.drop()
	a.call.Free()
	b.getEach(rest)
}

// take takes a peer's answers. It returns the keys that must be asked for singly,
// because the peer does not own them.
func (b *Batch) take(a ask, h *haul, indexes []int32) (rest []int32) {
	hits := uint64(0)
	whole := a.call.Resp.Value
	answers := whole
	var block []byte
	for n, i := range indexes {
		got, others, ok := wire.NextAnswer(answers)
		if !ok {
			rest = append(rest, indexes[n:]...)
			break
		}
		answers = others
		if got.Flags&wire.FlagHit != 0 {
			hits++
		}
		kept, ok := h.keepOf(a, n, b.Keys[i], &got)
		if !ok {
			rest = append(rest, indexes[n:]...)
			break
		}
		if kept.E != nil && kept.Found {
			b.Outcomes[i] = kept
		} else if got.Status == wire.StatusOK && got.Flags&wire.FlagStale == 0 {
			got.Body, block = b.apart(got.Body, cap(whole), len(answers), block)
			b.Outcomes[i] = Outcome{Data: got.Body, Found: true}
		} else if !b.takeAnswer(a, i, got) {
			rest = append(rest, i)
		}
	}
	if b.flags&wire.FlagNoValue == 0 {
		b.Stats.Of(0).PeerHits.Add(hits)
	}
	return rest
}

// apart returns a value that came in so many bytes with others, after of which come yet, copied if
// it would keep more than a block of them. Small ones share a block, which is given and returned.
func (b *Batch) apart(body []byte, with, after int, block []byte) (value, rest []byte) {
	switch {
	case !b.Aliases || with <= blockBytes || len(body) > with/2:
		return body, block
	case len(body) > blockBytes/4:
		return append(make([]byte, 0, len(body)), body...), block
	case len(body) > cap(block)-len(block):
		block = make([]byte, 0, min(blockBytes, len(body)+after))
	}
	from := len(block)
	block = append(block, body...)
	return block[from:len(block):len(block)], block
}

// takeAnswer takes an answer that is no plain value. It reports false if the key
// must be asked for singly.
func (b *Batch) takeAnswer(a ask, i int32, got wire.Answer) bool {
	if got.Status == wire.StatusOK {
		k := wire.Call{Req: httppool.Request{Op: wire.OpGet, Key: b.Keys[i]}}
		k.Resp.Flags, k.Resp.Value = got.Flags, got.Body
		if !wire.CutStale(&k.Resp) {
			return false
		}
		value, _ := b.apart(k.Resp.Value, math.MaxInt, 0, nil)
		b.Outcomes[i] = Outcome{Data: value, Found: true, Err: ask{b.Router, a.to, &k}.stale()}
		return true
	}
	if got.Status == wire.StatusNotFound && got.Flags&wire.FlagHit != 0 {
		b.Stats.NegativeHits.Add(1)
	}
	err := a.answer(wire.OpGet, b.Keys[i], got)
	if !errors.Is(err, errs.ErrNotFound) && got.Status != wire.StatusLoadFailed {
		return false
	}
	b.Outcomes[i].Err = err
	return true
}
