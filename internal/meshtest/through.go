package meshtest

import (
	"context"
	"errors"

	"github.com/praveenduddu/cachemesh"
)

// ErrRefused is what a Through says when it fails.
var ErrRefused = errors.New("the origin refused the write")

// A Through is the Writer of a group in front of an origin.
type Through struct {
	*Origin

	// Fails says of each write whether it fails, and whether it changes the origin
	// all the same. Nil: none fails.
	Fails func() (fails, changes bool)
}

// Store changes a row.
func (th Through) Store(ctx context.Context, key string, v int) error {
	if th.Delay != nil {
		if err := sleep(ctx, th.Delay()); err != nil {
			return err
		}
	}
	var fails, changes bool
	if th.Fails != nil {
		fails, changes = th.Fails()
	}
	if !fails || changes {
		th.Write(key, v)
	}
	if th.Delay != nil { // the answer of the origin takes its time
		if err := sleep(ctx, th.Delay()); err != nil {
			return err
		}
	}
	if fails {
		return ErrRefused
	}
	return nil
}

// Delete removes a row.
func (th Through) Delete(ctx context.Context, key string) error { return th.Store(ctx, key, 0) }

// clearAll clears the group: for each key, a Delete that leaves the origin alone.
func (c Clients) clearAll(ctx context.Context, id int, h *History, g *cachemesh.Group[int]) error {
	ends := make([]func(Output), len(c.Keys))
	for i, key := range c.Keys {
		ends[i] = h.Begin(id, Input{Kind: Clear, Key: key})
	}
	err := g.Clear(ctx)
	for _, end := range ends {
		end(Output{Maybe: err != nil})
	}
	return err
}

// writeThrough does one write of a group with a Writer.
func (c Clients) writeThrough(ctx context.Context, isSet bool, id int, key string, value int, h *History, g *cachemesh.Group[int]) error {
	var end func(Output)
	var err error
	if isSet {
		end = h.Begin(id, Input{Kind: Store, Key: key, Value: value})
		err = g.Set(ctx, key, value, 0)
	} else {
		end = h.Begin(id, Input{Kind: Store, Key: key})
		err = g.Delete(ctx, key)
	}
	if _, ok := errors.AsType[*cachemesh.WriteError](err); ok && errors.Is(err, ErrRefused) {
		end(Output{Refused: true})
		return nil
	}
	return ended(end, err)
}
