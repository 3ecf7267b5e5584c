package meshtest

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh"
)

// conditional does one operation that depends on what the key has.
func (c Clients) conditional(ctx context.Context, dice, id int, key string, value int, h *History, g *cachemesh.Group[int]) error {
	switch dice % 5 {
	case 0:
		end := h.Begin(id, Input{Kind: Add, Key: key})
		sum, err := cachemesh.Increment(ctx, g, key, Step, 0)
		return concluded(end, Output{Value: sum}, err)
	case 1:
		end := h.Begin(id, Input{Kind: Take, Key: key})
		v, err := g.GetDelete(ctx, key)
		if errors.Is(err, cachemesh.ErrNotFound) {
			err = nil
		}
		return concluded(end, Output{Value: v}, err)
	case 2:
		end := h.Begin(id, Input{Kind: SetNew, Key: key, Value: value})
		done, err := g.SetIfAbsent(ctx, key, value, 0)
		return concluded(end, Output{Done: done}, err)
	case 3:
		end := h.Begin(id, Input{Kind: Swap, Key: key, Value: value})
		w, err := g.SetIf(ctx, key, value, 0, cachemesh.Condition{Former: true})
		return concluded(end, Output{Value: w.Former}, err)
	default:
		var former int
		end := h.Begin(id, Input{Kind: Swap, Key: key, Value: value})
		_, err := g.Update(ctx, key, 0, func(old int, _ bool) (int, cachemesh.Action, error) {
			former = old
			return value, cachemesh.Replace, nil
		})
		return concluded(end, Output{Value: former}, err)
	}
}

// concluded is ended, of a write that tells something.
func concluded(end func(Output), out Output, err error) error {
	if err == nil {
		end(out)
		return nil
	}
	return ended(end, err)
}

// remove deletes the tag of a value, which forgets each key that has such a value, or the keys
// that begin with a key.
func (c Clients) remove(ctx context.Context, byTag bool, id int, key string, value int, h *History, g *cachemesh.Group[int]) error {
	if !byTag {
		end := h.Begin(id, Input{Kind: Clear, Key: key})
		return ended(end, g.DeletePrefix(ctx, key))
	}
	tags := []string{TagOf(value + 1)}
	if c.Origin != nil { // a row changes, and the mesh is told by all tags that it may have had
		end := h.Begin(id, Input{Kind: Write, Key: key, Value: value})
		c.Origin.Write(key, value)
		end(Output{})
		tags = append(tags, TagOf(value))
	}
	var ends []func(Output)
	for i := range tags {
		for _, key := range c.Keys {
			ends = append(ends, h.Begin(id, Input{Kind: Remove, Key: key, Value: value + 1 - i}))
		}
	}
	err := g.DeleteTag(ctx, tags...)
	for _, end := range ends {
		_ = ended(end, err)
	}
	return err
}
