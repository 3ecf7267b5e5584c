package proc

import (
	"context"
	"fmt"

	"github.com/praveenduddu/cachemesh/bench/systems"
	"github.com/praveenduddu/cachemesh/bench/work"
)

const (
	fillCallers = 16 // goroutines that fill a cache
	maxTries    = 40 // candidates per wanted item, for systems that spread keys badly
	readTries   = 3  // attempts to fill the cache with one item
)

// itemsFor returns the items of a job, in the cache and where the job wants
// them. Every item is read once on the way, which loads it.
func (p *process) itemsFor(ctx context.Context, j Job) ([]*work.Item, error) {
	key := itemsKey{j.Size, j.Keys, j.Place}
	if items := p.items[key]; items != nil {
		return items, nil
	}
	var items []*work.Item
	for next := 0; len(items) < j.Keys; next += j.Keys {
		if next >= maxTries*j.Keys {
			return nil, fmt.Errorf("only %d of %d keys are held %s", len(items), j.Keys, j.Place)
		}
		found, err := p.place(ctx, j, next)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	items = work.Shuffled(items[:j.Keys], 7)
	p.items[key] = items
	return items, nil
}

// place reads the candidates from next on and returns those in the right place.
func (p *process) place(ctx context.Context, j Job, next int) ([]*work.Item, error) {
	candidates := make([]*work.Item, j.Keys)
	fits := make([]bool, j.Keys)
	for i := range candidates {
		candidates[i] = work.NewItem(j.Size, next+i)
	}
	err := work.Each(candidates, fillCallers, func(it *work.Item) error {
		here, err := p.here(ctx, it)
		fits[it.ID-next] = j.Place == Anywhere || here == (j.Place == Here)
		return err
	})
	found := candidates[:0]
	for i, it := range candidates {
		if fits[i] {
			found = append(found, it)
		}
	}
	return found, err
}

// read reads an item, if need be several times.
func (p *process) read(ctx context.Context, it *work.Item) (h work.Header, err error) {
	for range readTries {
		if h, err = p.system.Get(ctx, it); err == nil {
			break
		}
	}
	return h, err
}

// here reads an item and reports whether this process holds it. For most systems
// the first answer tells; it is remembered, for a Set changes what later ones say.
func (p *process) here(ctx context.Context, it *work.Item) (bool, error) {
	h, err := p.read(ctx, it)
	if err != nil {
		return false, err
	}
	if placer, ok := p.system.(systems.Placer); ok {
		return placer.Here(it), nil
	}
	here, _ := p.placed.LoadOrStore(it.Key, h.From == p.spec.Index)
	return here.(bool), nil
}
