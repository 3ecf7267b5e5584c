package copies_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestCallerLeaves: its time ends while copies are on their way. It is told so at once, the
// write goes on, and the key is free afterwards.
func TestCallerLeaves(t *testing.T) {
	for _, copies := range []int{2, 3} {
		for owner := range 2 {
			t.Run(fmt.Sprintf("copies=%d/owner=node%d", copies, owner), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) { callerLeaves(t, ctx, copies, owner) })
			})
		}
	}
}

func callerLeaves(t *testing.T, ctx context.Context, copies, owner int) {
	m := kit.New(t, 3)
	groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{Replicas: copies, NoHotCopies: true})
	key := m.KeyOf("g", owner)
	time.Sleep(time.Second) // all have told the others that they have the group
	kit.Must(t, groups[0].Set(ctx, key, "v1", 0))
	m.Net.SetLatency(40*time.Millisecond, 40*time.Millisecond)
	start := time.Now()
	left := 40 * time.Millisecond * time.Duration(1+owner)
	short, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	err := groups[0].Set(short, key, "v2", 0)
	pe, ok := errors.AsType[*cachemesh.PeerError](err)
	if !ok || !pe.MaybeApplied || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Set = %v, want a PeerError with MaybeApplied and DeadlineExceeded", err)
	}
	if took := time.Since(start); took > left {
		t.Errorf("the caller was told after %v, want %v", took, left)
	}
	for _, g := range groups[owner:] {
		for ctx.Err() == nil {
			if v, err := g.Get(ctx, key); err != nil || v == "v2" {
				kit.Must(t, err)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("the value came after %v", took)
	}
	kit.Must(t, groups[2].Set(ctx, key, "v3", 0))
	for _, g := range groups {
		kit.MustGet(t, g, key, "v3")
	}
}

// TestNodeClosesMeanwhile: a write whose copies are on their way ends with the node.
func TestNodeClosesMeanwhile(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 3, NoHotCopies: true})
		key := m.KeyOf("g", 0)
		time.Sleep(time.Second)
		kit.Must(t, groups[0].Set(ctx, key, "v1", 0))
		m.Net.SetLatency(80*time.Millisecond, 80*time.Millisecond)
		set := make(chan error, 1)
		go func() { set <- groups[0].Set(ctx, key, "v2", 0) }()
		time.Sleep(20 * time.Millisecond)
		start := time.Now()
		m.Kill(0)
		if err := <-set; !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Set = %v, want ErrClosed", err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("the caller was told after %v", took)
		}
	})
}
