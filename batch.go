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
// its index.
type batch struct {
	*groupCore
	ctx      context.Context
	flags    uint8
	keys     []string
	outcomes []outcome
}

// scratch is what sorting keys by owner needs.
type scratch struct {
	owners []int32 // by key; -1: has its outcome
	counts []int32 // by owner
	sorted []int32 // indexes of keys, by owner
}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

// getMany gets keys with one call per owner, side by side. Outcomes are in the
// order of keys.
func (c *groupCore) getMany(ctx context.Context, keys []string, flags uint8) ([]outcome, error) {
	v, err := c.node.currentView(ctx)
	if err != nil {
		return nil, err
	}
	b := &batch{c, ctx, flags, keys, make([]outcome, len(keys))}
	sc := scratchPool.Get().(*scratch)
	defer scratchPool.Put(sc)
	b.findHere(v, sc)
	b.askOwners(v, sc)
	return b.outcomes, nil
}

// findHere answers what this member holds, and counts the rest by owner.
func (b *batch) findHere(v *view, sc *scratch) {
	sc.owners = resized(sc.owners, len(b.keys))
	sc.counts = resized(sc.counts, len(v.owners))
	clear(sc.counts)
	now := b.node.now()
	slow := uint64(0)
	for i, key := range b.keys {
		sc.owners[i] = -1
		if err := checkKey(key); err != nil {
			b.outcomes[i].err = err
			continue
		}
		hash := ring.Hash(b.seed, key)
		if e := b.hitAt(v, hash, key, now); e != nil {
			if e.Negative {
				b.stats.negativeHits.Add(1)
			}
			b.outcomes[i] = outcomeOf(e, nil)
			continue
		}
		slow++
		o := v.ring.Owner(hash)
		if o < 0 {
			b.outcomes[i].err = ErrClosed
			continue
		}
		sc.owners[i] = int32(o)
		sc.counts[o]++
	}
	if b.flags&flagNoValue == 0 {
		b.stats.of(0).slow.Add(slow)
	}
}

func resized(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// askOwners gets what is left, from each owner in calls of at most batchKeys.
func (b *batch) askOwners(v *view, sc *scratch) {
	total := int32(0)
	for o, n := range sc.counts {
		sc.counts[o] = total // where the owner's keys begin
		total += n
	}
	if total == 0 {
		return
	}
	sc.sorted = resized(sc.sorted, int(total))
	for i, o := range sc.owners {
		if o >= 0 {
			sc.sorted[sc.counts[o]] = int32(i)
			sc.counts[o]++ // in the end: where the next owner's begin
		}
	}
	var all errgroup.Group
	all.SetLimit(batchCalls)
	begin := int32(0)
	for o, end := range sc.counts {
		for run := range b.runs(sc.sorted[begin:end]) {
			if run[len(run)-1] == sc.sorted[total-1] && int(end) == len(sc.sorted) {
				b.ask(&v.owners[o], run) // the last one: by this goroutine
				continue
			}
			all.Go(func() error { b.ask(&v.owners[o], run); return nil })
		}
		begin = end
	}
	all.Wait()
}

// ask gets keys from one owner.
func (b *batch) ask(o *owner, indexes []int32) {
	if o.peer == nil {
		b.loadHere(indexes)
		return
	}
	b.getEach(b.getManyAt(o, indexes))
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

// getManyAt asks a peer for several keys. It returns those that must be asked
// for singly: the peer does not own them, or could not be reached.
func (b *batch) getManyAt(o *owner, indexes []int32) (rest []int32) {
	k := newCall(opGetMany, b.name, "")
	defer k.free()
	k.req.Flags, k.req.Value = b.flags, b.packKeys(indexes)
	if err := k.do(b.ctx, b.groupCore, o); err != nil {
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
