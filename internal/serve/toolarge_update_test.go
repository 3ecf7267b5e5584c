package serve_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestFormerValueThatDoesNotFit: nobody takes a value that cannot be sent, nor one that the
// answer has no room for beside what it says; and what is known of it can be told.
func TestFormerValueThatDoesNotFit(t *testing.T) {
	const most = 1<<10 + wire.BatchBytes // what a member accepts
	for name, size := range map[string]int{"does not fit": most + 1, "fits, and no verdict beside it": most - 8} {
		t.Run(name, func(t *testing.T) {
			m := kit.New(t, 2, func(_ int, o *cachemesh.Options) { o.MaxValueBytes = 1 << 10 })
			large := strings.Repeat("x", size)
			groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return large, nil }, cachemesh.GroupOptions[string]{})
			key := m.KeyOf("g", 1)
			kit.MustGet(t, groups[1], key, large)
			ctx := kit.Context(t)
			if meta, err := groups[0].Meta(ctx, key); err != nil || meta.Size < int64(size) {
				t.Errorf("Meta: %+v, %v", meta, err)
			}
			if _, err := groups[0].Item(ctx, key); !errors.Is(err, cachemesh.ErrTooLarge) {
				t.Errorf("Item: %v", err)
			}
			if _, err := groups[0].GetDelete(ctx, key); !errors.Is(err, cachemesh.ErrTooLarge) {
				t.Errorf("GetDelete: %v", err)
			}
			if v, err := groups[1].Peek(ctx, key); v != large || err != nil {
				t.Errorf("it was deleted: %v", err)
			}
		})
	}
}

// TestFormerValueThatItsAskerDoesNotAccept: the owner accepts more. The change is made, and
// its answer lost.
func TestFormerValueThatItsAskerDoesNotAccept(t *testing.T) {
	m := kit.New(t, 2, func(i int, o *cachemesh.Options) { o.MaxValueBytes = []int{1 << 10, 16 << 20}[i] })
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	key := m.KeyOf("g", 1)
	ctx := kit.Context(t)
	kit.Must(t, groups[1].Set(ctx, key, strings.Repeat("x", 2*wire.BatchBytes), 0))
	_, err := groups[0].GetDelete(ctx, key)
	pe, ok := errors.AsType[*cachemesh.PeerError](err)
	_, gone := groups[1].Peek(ctx, key)
	if err == nil || errors.Is(gone, cachemesh.ErrNotFound) && (!ok || !pe.MaybeApplied) {
		t.Errorf("GetDelete: %v; afterwards %v", err, gone)
	}
}
