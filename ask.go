package cachemesh

import (
	"errors"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
)

// askOwners gets what is left, from each owner in calls of at most batchKeys, all
// under way together.
func (b *batch) askOwners(v *view) {
	if !b.sortByOwner() {
		return
	}
	var others *errgroup.Group // all calls but the last
	begin, total := int32(0), len(b.sorted)
	for i, end := range b.counts {
		o := &v.owners[i]
		for run := range b.runs(b.sorted[begin:end]) {
			if total -= len(run); total == 0 { // the last one: by this goroutine
				b.ask(o, run)
				break
			}
			if others == nil {
				others = new(errgroup.Group)
				others.SetLimit(batchCalls)
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
func (b *batch) sortByOwner() bool {
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
func (b *batch) asker(o *owner, indexes []int32) func() error {
	peer, ok := o.peer.(starter)
	if !ok || o.route.relayed.Load() > 0 {
		return func() error { b.ask(o, indexes); return nil }
	}
	from := len(b.lists)
	b.lists = b.packKeys(b.lists, indexes)
	k := b.callFor(b.lists[from:])
	pending, ok := peer.Start(b.ctx, &k.req)
	if !ok {
		return func() error { b.finish(o, indexes, k, k.do(b.ctx, b.groupCore, o)); return nil }
	}
	k.count(b.groupCore)
	return func() error {
		err := b.node.reroute(b.ctx, o, &k.req, &k.resp, pending.Wait(b.ctx, &k.resp))
		b.finish(o, indexes, k, k.done(b.ctx, b.groupCore, o, err))
		return nil
	}
}

// ask gets keys from one owner.
func (b *batch) ask(o *owner, indexes []int32) {
	if o.peer == nil {
		b.loadHere(indexes)
		return
	}
	k := b.callFor(b.packKeys(nil, indexes))
	b.finish(o, indexes, k, k.do(b.ctx, b.groupCore, o))
}

func (b *batch) callFor(list []byte) *call {
	k := newCall(opGetMany, b.name, "")
	k.req.Flags, k.req.Value, k.req.Idempotent = b.flags, list, true
	k.carry(b.ctx, b.node)
	k.req.Arg = uint64(b.encoding)
	return k
}

// finish takes the answers of a call, or its error, and asks singly for what is not
// among them.
func (b *batch) finish(o *owner, indexes []int32, k *call, err error) {
	rest := indexes
	if err == nil {
		rest = b.take(o, indexes, k)
	}
	k.free()
	b.getEach(rest)
}

// take takes a peer's answers. It returns the keys that must be asked for singly,
// because the peer does not own them.
func (b *batch) take(o *owner, indexes []int32, k *call) (rest []int32) {
	hits, answers := uint64(0), k.resp.Value
	var block []byte
	for n, i := range indexes {
		var a answer
		var ok bool
		if a, answers, ok = nextAnswer(answers); !ok {
			rest = append(rest, indexes[n:]...)
			break
		}
		if a.flags&flagHit != 0 {
			hits++
		}
		if a.status == statusOK && a.flags&flagStale == 0 {
			a.body, block = b.apart(a.body, cap(k.resp.Value), block)
			b.outcomes[i] = outcome{data: a.body, found: true}
		} else if !b.takeAnswer(o, i, a) {
			rest = append(rest, i)
		}
	}
	if b.flags&flagNoValue == 0 {
		b.stats.of(0).peerHits.Add(hits)
	}
	return rest
}

// blockBytes is what a value that came with others may keep of them in memory, if
// somebody keeps what it decodes to: copying each small one would make GetMany slower
// by half.
const blockBytes = 4 << 10

// apart returns a value that came in so many bytes with others, copied if it would keep
// more than a block of them. Small ones share a block, which is given and returned.
func (b *batch) apart(body []byte, with int, block []byte) (value, rest []byte) {
	switch {
	case !b.aliases || with <= blockBytes || len(body) > with/2:
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
func (b *batch) takeAnswer(o *owner, i int32, a answer) bool {
	k := call{req: httppool.Request{Op: opGet, Key: b.keys[i]}}
	k.resp.Status, k.resp.Flags, k.resp.Value = a.status, a.flags, a.body
	if a.status == statusOK {
		if !cutStale(&k.resp) {
			return false
		}
		value, _ := b.apart(k.resp.Value, math.MaxInt, nil)
		b.outcomes[i] = outcome{data: value, found: true, err: b.staleResponse(o, &k)}
		return true
	}
	if a.status == statusNotFound && a.flags&flagHit != 0 {
		b.stats.negativeHits.Add(1)
	}
	k.resp.Message = string(a.body)
	err := b.errorOf(o, &k)
	if !errors.Is(err, ErrNotFound) && a.status != statusLoadFailed {
		return false
	}
	b.outcomes[i].err = err
	return true
}
