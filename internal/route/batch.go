package route

import (
	"context"
	"encoding/binary"
	"iter"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// blockBytes is what a value that came with others may keep of them in memory, if
// somebody keeps what it decodes to: copying each small one would make GetMany slower
// by half.
const blockBytes = 4 << 10

// BatchCalls are the calls that one GetMany or Delete makes at once, but for one more.
const BatchCalls = 32

// A Batch is one GetMany under way. Each key's outcome is written by whoever has
// its index. Batches are used again: see Free.
type Batch struct {
	*Router
	ctx      context.Context
	flags    uint8
	Keys     []string
	Outcomes []Outcome

	owners []int32   // by key; -1: has its outcome
	counts []int32   // by owner
	sorted []int32   // indexes of keys, by owner
	lists  []byte    // of keys, as they are sent
	due    owner.Due // of what this member holds
	view   *view.View
}

var batchPool = sync.Pool{New: func() any { return new(Batch) }}

// GetMany gets keys with one call per owner, side by side. Outcomes are in the
// order of keys. The batch must be freed.
func (c *Router) GetMany(ctx context.Context, keys []string, flags uint8) (*Batch, error) {
	if err := c.Open(); err != nil {
		return nil, err
	}
	v, err := c.State.Current(ctx)
	if err != nil {
		return nil, err
	}
	b := batchPool.Get().(*Batch)
	b.Router, b.ctx, b.Keys, b.flags, b.view = c, ctx, keys, flags, v
	b.Outcomes = resized(b.Outcomes, len(keys))
	b.findHere(v)
	b.askOwners(v)
	return b, nil
}

// Free gives up the batch, once nothing refers to its outcomes any more.
func (b *Batch) Free() {
	if cap(b.Outcomes) > wire.BatchKeys || cap(b.lists) > wire.BatchBytes {
		return // a rare one: it need not stay in memory
	}
	clear(b.Outcomes)
	*b = Batch{Outcomes: b.Outcomes, owners: b.owners, counts: b.counts, sorted: b.sorted, lists: b.lists[:0]}
	batchPool.Put(b)
}

// findHere answers what this member holds, and counts the rest by owner.
func (b *Batch) findHere(v *view.View) {
	b.owners = resized(b.owners, len(b.Keys))
	b.counts = resized(b.counts, len(v.Owners))
	clear(b.counts)
	now := b.Clock.Now()
	slow := uint64(0)
	for i, key := range b.Keys {
		b.owners[i] = -1
		if err := wire.CheckKey(key); err != nil {
			b.Outcomes[i].Err = err
			continue
		}
		hash := ring.Hash(b.Seed, key)
		o := v.Ring.Owner(hash)
		if e := b.hitAt(v, o, hash, key, now, &b.due); e != nil {
			if e.Negative {
				b.Stats.NegativeHits.Add(1)
			}
			b.Outcomes[i] = OutcomeOf(e, nil)
			continue
		}
		slow++
		if o < 0 {
			b.Outcomes[i].Err = errs.ErrClosed
			continue
		}
		b.owners[i] = int32(o)
		b.counts[o]++
	}
	if len(b.due) > 0 {
		b.RefreshAll(&b.due)
	}
	if b.flags&wire.FlagNoValue == 0 {
		b.Stats.Of(0).Slow.Add(slow)
	}
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// loadHere loads keys that this node owns, together if the group has LoadMany.
func (b *Batch) loadHere(indexes []int32) {
	if b.Origin.LoadMany == nil {
		b.getEach(indexes)
		return
	}
	first := make(map[string]int32, len(indexes)) // the same key may be there twice
	keys := make([]string, 0, len(indexes))
	for _, i := range indexes {
		if _, dup := first[b.Keys[i]]; !dup {
			first[b.Keys[i]] = i
			keys = append(keys, b.Keys[i])
		}
	}
	rest := b.Part.LoadMany(b.ctx, keys, func(key string, e *store.Entry, err error) { b.Outcomes[first[key]] = OutcomeOf(e, err) })
	again := make([]int32, 0, len(rest))
	for _, key := range rest {
		again = append(again, first[key])
	}
	b.getEach(again)
	for _, i := range indexes {
		b.Outcomes[i] = b.Outcomes[first[b.Keys[i]]]
	}
}

// getEach gets keys one by one, a bounded number at once.
func (b *Batch) getEach(indexes []int32) {
	if len(indexes) == 0 {
		return
	}
	var g errgroup.Group
	g.SetLimit(owner.BatchLoaders)
	for _, i := range indexes {
		g.Go(func() error {
			key := b.Keys[i]
			b.Outcomes[i] = b.GetSlow(b.ctx, ring.Hash(b.Seed, key), key, b.Clock.Now())
			return nil
		})
	}
	g.Wait()
}

// packKeys appends the list of the keys with these indexes.
func (b *Batch) packKeys(list []byte, indexes []int32) []byte {
	size := 0
	for _, i := range indexes {
		size += binary.MaxVarintLen16 + len(b.Keys[i])
	}
	list = slices.Grow(list, size)
	for _, i := range indexes {
		list = binary.AppendUvarint(list, uint64(len(b.Keys[i])))
		list = append(list, b.Keys[i]...)
	}
	return list
}

// runs cuts indexes of keys into runs that fit one call.
func (b *Batch) runs(indexes []int32) iter.Seq[[]int32] {
	return wire.Cut(indexes, func(i int32) int { return len(b.Keys[i]) })
}
