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
				b.ask(o, run)
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
		return func() error { b.ask(o, indexes); return nil }
	}
	from := len(b.lists)
	b.lists = b.packKeys(b.lists, indexes)
	k := b.callFor(b.lists[from:])
	pending, ok := peer.Start(b.ctx, &k.Req)
	if !ok {
		return func() error { b.finish(o, indexes, k, b.Router.do(b.ctx, o, k)); return nil }
	}
	b.Router.countCall(k)
	return func() error {
		err := b.Ways.Reroute(b.ctx, o, &k.Req, &k.Resp, pending.Wait(b.ctx, &k.Resp))
		b.finish(o, indexes, k, b.Router.done(b.ctx, o, k, err))
		return nil
	}
}

// ask gets keys from one owner.
func (b *Batch) ask(o *view.Owner, indexes []int32) {
	if o.Peer == nil {
		b.loadHere(indexes)
		return
	}
	k := b.callFor(b.packKeys(nil, indexes))
	b.finish(o, indexes, k, b.Router.do(b.ctx, o, k))
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
func (b *Batch) finish(o *view.Owner, indexes []int32, k *wire.Call, err error) {
	rest := indexes
	if err == nil {
		rest = b.take(o, indexes, k)
	}
	k.Free()
	b.getEach(rest)
}

// take takes a peer's answers. It returns the keys that must be asked for singly,
// because the peer does not own them.
func (b *Batch) take(o *view.Owner, indexes []int32, k *wire.Call) (rest []int32) {
	hits, answers := uint64(0), k.Resp.Value
	var block []byte
	for n, i := range indexes {
		var a wire.Answer
		var ok bool
		if a, answers, ok = wire.NextAnswer(answers); !ok {
			rest = append(rest, indexes[n:]...)
			break
		}
		if a.Flags&wire.FlagHit != 0 {
			hits++
		}
		if a.Status == wire.StatusOK && a.Flags&wire.FlagStale == 0 {
			a.Body, block = b.apart(a.Body, cap(k.Resp.Value), block)
			b.Outcomes[i] = Outcome{Data: a.Body, Found: true}
		} else if !b.takeAnswer(o, i, a) {
			rest = append(rest, i)
		}
	}
	if b.flags&wire.FlagNoValue == 0 {
		b.Stats.Of(0).PeerHits.Add(hits)
	}
	return rest
}

// apart returns a value that came in so many bytes with others, copied if it would keep
// more than a block of them. Small ones share a block, which is given and returned.
func (b *Batch) apart(body []byte, with int, block []byte) (value, rest []byte) {
	switch {
	case !b.Aliases || with <= blockBytes || len(body) > with/2:
		return body, block
	case len(body) > blockBytes/4:
		return append(make([]byte, 0, len(body)), body...), block
	case len(body) > cap(block)-len(block):
		block = make([]byte, 0, blockBytes)
	}
	from := len(block)
	block = append(block, body...)
	return block[from:len(block):len(block)], block
}

// takeAnswer takes an answer that is no plain value. It reports false if the key
// must be asked for singly.
func (b *Batch) takeAnswer(o *view.Owner, i int32, a wire.Answer) bool {
	k := wire.Call{Req: httppool.Request{Op: wire.OpGet, Key: b.Keys[i]}}
	k.Resp.Status, k.Resp.Flags, k.Resp.Value = a.Status, a.Flags, a.Body
	if a.Status == wire.StatusOK {
		if !wire.CutStale(&k.Resp) {
			return false
		}
		value, _ := b.apart(k.Resp.Value, math.MaxInt, nil)
		b.Outcomes[i] = Outcome{Data: value, Found: true, Err: b.staleResponse(o, &k)}
		return true
	}
	if a.Status == wire.StatusNotFound && a.Flags&wire.FlagHit != 0 {
		b.Stats.NegativeHits.Add(1)
	}
	k.Resp.Message = string(a.Body)
	err := b.Errors.Of(o.Name, o.Addr, k.Req.Op, k.Req.Key, &k.Resp)
	if !errors.Is(err, errs.ErrNotFound) && a.Status != wire.StatusLoadFailed {
		return false
	}
	b.Outcomes[i].Err = err
	return true
}
