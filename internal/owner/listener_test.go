package owner_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// heard are the removals of which groups were told.
type heard struct {
	mu   sync.Mutex
	list map[string]int // by key and cause
}

func (h *heard) hear(key string, cause cachemesh.RemovalCause) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.list == nil {
		h.list = make(map[string]int)
	}
	h.list[key+" "+cause.String()]++
	h.list[cause.String()]++
}

func (h *heard) take() map[string]int {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.list
	h.list = nil
	return list
}

// everyCause has a value go in every way there is, and checks that each is told once.
func everyCause(t *testing.T, ctx context.Context, g *cachemesh.Group[string], key string, h *heard) {
	t.Helper()
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return g.Set(ctx, key, "v#a", 0) }, ""},
		{func() error { return g.Set(ctx, key, "w#a", 0) }, "replaced"},
		{func() error { _, err := g.Get(ctx, key); return err }, ""},
		{func() error { return g.Delete(ctx, key) }, "deleted"},
		{func() error { return g.Set(ctx, key, "v#a", 0) }, ""},
		{func() error { return g.DeleteTag(ctx, "a") }, "tagged"},
		{func() error { return g.Set(ctx, key, "v#a", 0) }, ""},
		{func() error { return g.DeletePrefix(ctx, key) }, "tagged"},
		{func() error { return g.Set(ctx, key, "v#a", time.Second) }, ""},
		{func() error { time.Sleep(2 * time.Second); _, _ = g.Get(ctx, key); return nil }, "expired"},
		{func() error { return g.Set(ctx, key, "v#a", 0) }, ""},
		{func() error { return g.Clear(ctx) }, "cleared"},
	} {
		kit.Must(t, step.do())
		got := h.take()
		if step.want == "" && len(got) > 0 || step.want != "" && (len(got) != 2 || got[key+" "+step.want] != 1) {
			t.Errorf("%s: told %v, want %s", key, got, step.want)
		}
	}
}

// TestOnRemove is told why each value goes, on its owner.
func TestOnRemove(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, h := kit.New(t, 2), new(heard)
		opts := tagsInValues()
		opts.OnRemove = h.hear
		groups := kit.GroupOn[string](m, "g", nil, opts)
		g := groups[0]
		for owner := range 2 {
			key := m.KeyOf("g", owner)
			everyCause(t, ctx, g, key, h)
		}
		for i := range 20 {
			kit.Must(t, g.Set(ctx, fmt.Sprint("key", i), "v", 0))
		}
		own := groups[1].Stats().Entries
		kit.Must(t, m.Nodes[1].Shutdown(ctx))
		if got := h.take(); int64(got["moved"]) != own || own == 0 {
			t.Errorf("%d values moved, told %v", own, got)
		}
		m.Nodes = m.Nodes[:1]
	})
}

// TestOnRemoveInTheWay: a function that hangs, panics or ends its goroutine is in nobody's way.
func TestOnRemoveInTheWay(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, calls, proceed := kit.New(t, 1), 0, make(chan struct{})
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{OnRemove: func(key string, _ cachemesh.RemovalCause) {
			<-proceed
			switch calls++; {
			case strings.HasSuffix(key, "1"):
				panic(key)
			case strings.HasSuffix(key, "2"):
				runtime.Goexit()
			}
		}})[0]
		keys := kit.Numbered("key", 10_000)
		for _, key := range keys {
			kit.Must(t, g.Set(ctx, key, "v", 0))
			kit.Must(t, g.Delete(ctx, key))
		}
		close(proceed)
		synctest.Wait()
		s := g.Stats()
		if calls+int(s.RemovalsDropped) != len(keys) || calls < 4096 || s.RemovalPanics < 2 {
			t.Errorf("%d calls, %d left out, %d panics", calls, s.RemovalsDropped, s.RemovalPanics)
		}
	})
}

// TestOnRemoveEvicted hears of what gives way.
func TestOnRemoveEvicted(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, h := kit.New(t, 1), new(heard)
		g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, MaxBytes: 64 << 10, OnRemove: h.hear})[0]
		for _, key := range kit.Numbered("key", 1000) {
			kit.Must(t, g.Set(ctx, key, strings.Repeat("x", 100), 0))
			_, err := g.Get(ctx, key) // it is decoded, which is no removal
			kit.Must(t, err)
		}
		if s, got := g.Stats(), h.take(); got["evicted"] != int(s.Evictions) || s.Evictions == 0 || got["replaced"] != 0 {
			t.Errorf("%d evictions, told of %d; %d replaced", s.Evictions, got["evicted"], got["replaced"])
		}
	})
}
