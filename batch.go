package cachemesh

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const (
	batchKeys    = 1024    // keys in one call to a peer
	batchBytes   = 1 << 20 // bytes of keys in one call, and of values in its answer
	batchCalls   = 32      // calls that one GetMany or Delete makes at once
	batchLoaders = 64      // loads that one call runs at once
)

// An outcome is what a Get of several keys found for one of them: an entry, or
// the bytes that a peer answered, which other outcomes share a buffer with, or
// an error. A *StaleError comes beside a value.
type outcome struct {
	e     *store.Entry
	data  []byte
	found bool // data is a value
	err   error
}

// outcomeOf is the outcome of a load, or of a look into the store.
func outcomeOf(e *store.Entry, err error) outcome {
	if e != nil && e.Negative {
		e, err = nil, ErrNotFound
	}
	return outcome{e: e, err: err}
}

// A batch is one GetMany under way. Each key's outcome is written by whoever has
// its index. Batches are used again: see free.
type batch struct {
	*groupCore
	ctx      context.Context
	flags    uint8
	keys     []string
	outcomes []outcome

	owners []int32  // by key; -1: has its outcome
	counts []int32  // by owner
	sorted []int32  // indexes of keys, by owner
	lists  []byte   // of keys, as they are sent
	asked  []asking // the calls that are under way
}

var batchPool = sync.Pool{New: func() any { return new(batch) }}

// getMany gets keys with one call per owner, side by side. Outcomes are in the
// order of keys. The batch must be freed.
func (c *groupCore) getMany(ctx context.Context, keys []string, flags uint8) (*batch, error) {
	v, err := c.node.currentView(ctx)
	if err != nil {
		return nil, err
	}
	b := batchPool.Get().(*batch)
	b.groupCore, b.ctx, b.keys, b.flags = c, ctx, keys, flags
	b.outcomes = resized(b.outcomes, len(keys))
	b.findHere(v)
	b.askOwners(v)
	return b, nil
}

// free gives up the batch, once nothing refers to its outcomes any more.
func (b *batch) free() {
	if cap(b.outcomes) > batchKeys || cap(b.lists) > batchBytes {
		return // a rare one: it need not stay in memory
	}
	clear(b.outcomes)
	clear(b.asked)
	*b = batch{outcomes: b.outcomes, owners: b.owners, counts: b.counts, sorted: b.sorted, lists: b.lists[:0], asked: b.asked[:0]}
	batchPool.Put(b)
}

// findHere answers what this member holds, and counts the rest by owner.
func (b *batch) findHere(v *view) {
	b.owners = resized(b.owners, len(b.keys))
	b.counts = resized(b.counts, len(v.owners))
	clear(b.counts)
	now := b.node.now()
	slow := uint64(0)
	for i, key := range b.keys {
		b.owners[i] = -1
		if err := checkKey(key); err != nil {
			b.outcomes[i].err = err
			continue
		}
		hash := ring.Hash(b.seed, key)
		o := v.ring.Owner(hash)
		if e := b.hitAt(v, o, hash, key, now); e != nil {
			if e.Negative {
				b.stats.negativeHits.Add(1)
			}
			b.outcomes[i] = outcomeOf(e, nil)
			continue
		}
		slow++
		if o < 0 {
			b.outcomes[i].err = ErrClosed
			continue
		}
		b.owners[i] = int32(o)
		b.counts[o]++
	}
	if b.flags&flagNoValue == 0 {
		b.stats.of(0).slow.Add(slow)
	}
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// askOwners gets what is left, from each owner in calls of at most batchKeys. The
// calls are under way together, and this goroutine waits for one after the other.
func (b *batch) askOwners(v *view) {
	if !b.sortByOwner() {
		return
	}
	var others *errgroup.Group // usually none
	begin := int32(0)
	for i, end := range b.counts {
		o := &v.owners[i]
		for run := range b.runs(b.sorted[begin:end]) {
			switch {
			case len(run) == len(b.sorted):
				b.ask(o, run) // the only one
			case !b.start(o, run):
				if others == nil {
					others = new(errgroup.Group)
					others.SetLimit(batchCalls)
				}
				others.Go(func() error { b.ask(o, run); return nil })
			}
		}
		begin = end
	}
	var rest []int32
	for i := range b.asked {
		rest = append(rest, b.await(&b.asked[i])...)
	}
	b.getEach(rest)
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

// ask gets keys from one owner.
func (b *batch) ask(o *owner, indexes []int32) {
	if o.peer == nil {
		b.loadHere(indexes)
		return
	}
	k := b.callFor(b.packKeys(nil, indexes))
	defer k.free()
	b.getEach(b.take(o, indexes, k, k.do(b.ctx, b.groupCore, o)))
}

// An asking is a call that was started.
type asking struct {
	o       *owner
	indexes []int32
	k       *call
	pending httppool.Pending
}

// start starts a call for keys. It reports false if it must be made on a goroutine
// of its own.
func (b *batch) start(o *owner, indexes []int32) bool {
	peer, ok := o.peer.(*httppool.Peer)
	if !ok || len(b.asked) == batchCalls {
		return false
	}
	from := len(b.lists)
	b.lists = b.packKeys(b.lists, indexes)
	k := b.callFor(b.lists[from:])
	b.asked = append(b.asked, asking{o: o, indexes: indexes, k: k})
	k.count(b.groupCore)
	b.asked[len(b.asked)-1].pending = peer.Start(b.ctx, &k.req)
	return true
}

// await waits for a call that was started. It returns as take.
func (b *batch) await(a *asking) (rest []int32) {
	defer a.k.free()
	return b.take(a.o, a.indexes, a.k, a.k.done(b.ctx, b.groupCore, a.o, a.pending.Wait(b.ctx, &a.k.resp)))
}

func (b *batch) callFor(list []byte) *call {
	k := newCall(opGetMany, b.name, "")
	k.req.Flags, k.req.Value = b.flags, list
	return k
}

// loadHere loads keys that this node owns, together if the group has LoadMany.
func (b *batch) loadHere(indexes []int32) {
	if b.loadMany == nil {
		b.getEach(indexes)
		return
	}
	first := make(map[string]int32, len(indexes)) // the same key may be there twice
	keys := make([]string, 0, len(indexes))
	for _, i := range indexes {
		if _, dup := first[b.keys[i]]; !dup {
			first[b.keys[i]] = i
			keys = append(keys, b.keys[i])
		}
	}
	rest := b.loadBatched(b.ctx, keys, func(key string, e *store.Entry, err error) { b.outcomes[first[key]] = outcomeOf(e, err) })
	again := make([]int32, 0, len(rest))
	for _, key := range rest {
		again = append(again, first[key])
	}
	b.getEach(again)
	for _, i := range indexes {
		b.outcomes[i] = b.outcomes[first[b.keys[i]]]
	}
}

// getEach gets keys one by one, a bounded number at once.
func (b *batch) getEach(indexes []int32) {
	if len(indexes) == 0 {
		return
	}
	var g errgroup.Group
	g.SetLimit(batchLoaders)
	for _, i := range indexes {
		g.Go(func() error {
			key := b.keys[i]
			b.outcomes[i] = b.getSlow(b.ctx, ring.Hash(b.seed, key), key, b.node.now())
			return nil
		})
	}
	g.Wait()
}

// take takes a peer's answers. It returns the keys that must be asked for singly:
// the peer does not own them, or could not be reached.
func (b *batch) take(o *owner, indexes []int32, k *call, err error) (rest []int32) {
	if err != nil {
		return indexes
	}
	hits, answers := uint64(0), k.resp.Value
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

// takeAnswer takes an answer that is no plain value. It reports false if the key
// must be asked for singly.
func (b *batch) takeAnswer(o *owner, i int32, a answer) bool {
	k := call{req: httppool.Request{Op: opGet, Key: b.keys[i]}}
	k.resp.Status, k.resp.Flags, k.resp.Value = a.status, a.flags, a.body
	if a.status == statusOK {
		if !cutStale(&k.resp) {
			return false
		}
		b.outcomes[i] = outcome{data: k.resp.Value, found: true, err: b.staleResponse(o, &k)}
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
