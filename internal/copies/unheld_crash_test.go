package copies_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestCrashWhileItIsRestored: one of two others cannot hold a value that the other has already, so what the key had is
// written again. Meanwhile the owner crashes, or who has it, or the caller: what the caller is told is so, and all agree.
func TestCrashWhileItIsRestored(t *testing.T) {
	told := make(map[string]int)
	for victim := range 3 {
		for after := time.Millisecond; after < 60*time.Millisecond; after += 9 * time.Millisecond {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) { told[crashWhileRestored(t, ctx, victim, after)]++ })
		}
	}
	if t.Log(told); told["refused"] == 0 || told["maybe"] == 0 {
		t.Error("nothing was refused, or nobody crashed meanwhile")
	}
}

// crashWhileRestored returns what the caller was told.
func crashWhileRestored(t *testing.T, ctx context.Context, victim int, after time.Duration) (told string) {
	l := limits[0]
	m, groups := unequal(t, l, 4, cachemesh.GroupOptions[string]{Replicas: 3, FewerReplicas: false, NoHotCopies: true}, 2, 3)
	key, large := m.KeyOf("g", 0), strings.Repeat("x", l.value)
	kit.Must(t, groups[0].Set(ctx, key, "small", 0))
	m.Net.SetLatency(5*time.Millisecond, 5*time.Millisecond)
	caller := 1
	if victim == caller {
		caller = 0
	}
	time.AfterFunc(after, func() { m.Net.Kill(kit.Host(victim)) })
	err := groups[caller].Set(ctx, key, large, 0)
	pe, _ := errors.AsType[*cachemesh.PeerError](err)
	switch {
	case err == nil:
		t.Fatalf("after %v of node%d: a Set that too few can hold is done", after, victim)
	case pe != nil && pe.MaybeApplied:
		told = "maybe"
	default:
		told = "refused"
	}
	m.Kill(victim)
	m.Settle(3)
	var left []*cachemesh.Group[string]
	for i, g := range groups {
		if i != victim {
			left = append(left, g)
		}
	}
	if told == "refused" {
		awaitQuiet(t, ctx, left)
	}
	time.Sleep(10 * time.Second) // else the large value may have as many copies as it can, and lack others
	isSmall := m.Owner("g", key) >= 2
	for _, g := range left {
		v, err2 := g.Get(ctx, key)
		if lost := errors.Is(err2, cachemesh.ErrNotFound) && isSmall; told == "maybe" && (lost || v == large) {
			continue
		}
		if err2 != nil || v != "small" {
			t.Errorf("%v after the crash of node%d: Get = %.10q, %v; Set = %v", after, victim, v, err2, err)
		}
	}
	kit.Must(t, left[0].Set(ctx, key, "anew", 0))
	for _, g := range left {
		kit.MustGet(t, g, key, "anew")
	}
	return told
}
