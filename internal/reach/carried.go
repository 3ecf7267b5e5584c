package reach

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	// MaxCarried is how many bytes Options.InjectContext may return.
	MaxCarried = 2048

	maxHeld      = 8           // groups that are named
	complainMost = time.Minute // between two lines in the log about one thing
)

// carriedFrom returns what a call of one who came with ctx carries.
func (w *Ways) carriedFrom(ctx context.Context) []byte {
	held := origin.Held(ctx)
	injected := w.injected(ctx)
	if held == nil && len(injected) == 0 {
		return nil
	}
	names := uint64(0)
	for h := held; h != nil && names < maxHeld; h = h.Next {
		names++
	}
	b := binary.AppendUvarint(nil, names)
	for ; names > 0; names-- {
		b = binary.AppendUvarint(b, uint64(len(held.Group)))
		b = append(b, held.Group...)
		held = held.Next
	}
	return append(b, injected...)
}

// arrived returns the context of one who came from a peer with what its call
// carries. The bytes are copied. What cannot be read is nothing.
func (w *Ways) arrived(ctx context.Context, carried []byte) context.Context {
	if len(carried) == 0 {
		return ctx
	}
	names, size := binary.Uvarint(carried)
	if size <= 0 || names > maxHeld {
		return ctx
	}
	carried = carried[size:]
	var held *origin.HeldTurns
	for range names {
		name, rest, ok := wire.CutBytes(carried)
		if !ok || len(name) > wire.MaxGroupLen {
			return ctx
		}
		held = &origin.HeldTurns{Group: string(name), Next: held}
		carried = rest
	}
	if held != nil {
		ctx = origin.WithHeld(ctx, held)
	}
	return w.extracted(ctx, carried)
}

// injected calls the user's function. One that fails costs what it would have carried.
func (w *Ways) injected(ctx context.Context) []byte {
	if w.Inject == nil {
		return nil
	}
	var b []byte
	err := func() (err error) {
		defer guard.Rescue(&err)
		b = w.Inject(ctx)
		return nil
	}()
	switch {
	case err != nil:
		w.complain("InjectContext failed: nothing of the caller's context is carried to the owner of the key", "err", guard.TextOf(err))
		return nil
	case len(b) > MaxCarried:
		w.complain("InjectContext returned too much: nothing is carried to the owner of the key", "bytes", len(b), "limit", MaxCarried)
		return nil
	}
	return b
}

// extracted calls the user's function.
func (w *Ways) extracted(ctx context.Context, carried []byte) context.Context {
	if len(carried) == 0 || w.Extract == nil {
		return ctx
	}
	var with context.Context
	err := func() (err error) {
		defer guard.Rescue(&err)
		with = w.Extract(ctx, bytes.Clone(carried))
		return nil
	}()
	if err != nil {
		w.complain("ExtractContext failed: a loader runs without the values of its caller's context", "err", guard.TextOf(err))
	}
	if err != nil || with == nil {
		return ctx
	}
	return with
}

// complain writes a line about a user's hook, once a minute at most.
func (w *Ways) complain(message string, args ...any) {
	now, last := w.Clock.Now(), w.complained.Load()
	if (last == 0 || now-last >= int64(complainMost)) && w.complained.CompareAndSwap(last, max(now, 1)) {
		w.Log.Error(message, args...)
	}
}

// Carry puts into a request what its caller's context carries.
func (w *Ways) Carry(ctx context.Context, k *wire.Call) {
	switch b := w.carriedFrom(ctx); {
	case b == nil:
	case k.Req.Op == wire.OpGet || k.Req.Op == wire.OpItem:
		k.Req.Value = b
	case k.Req.Op == wire.OpUpdate:
		wire.PutCarried(&k.Req, b)
	default:
		k.Req.Key = string(b)
	}
}

// ContextOf returns the context of a peer's request.
func (w *Ways) ContextOf(ctx context.Context, req *httppool.Request) context.Context {
	if req.Op == wire.OpGet || req.Op == wire.OpItem {
		return w.arrived(ctx, req.Value)
	}
	if req.Op == wire.OpUpdate {
		carried, _, _ := wire.CutCarried(req)
		return w.arrived(ctx, carried)
	}
	return w.arrived(ctx, []byte(req.Key))
}
