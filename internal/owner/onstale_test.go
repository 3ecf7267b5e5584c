package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

type tellsKey struct{}

// toldStale gathers what OnStale is told of, by the caller that its context names.
type toldStale struct {
	mu    sync.Mutex
	stale map[string][]string // keys, by caller; guarded by mu
}

func (h *toldStale) tell(t *testing.T) func(context.Context, string, *cachemesh.StaleError) {
	return func(ctx context.Context, key string, stale *cachemesh.StaleError) {
		if stale.Key != key || stale.Age <= 0 || !errors.Is(stale, kit.ErrOrigin) {
			t.Errorf("OnStale(%q) is told %v", key, stale)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		caller, _ := ctx.Value(tellsKey{}).(string)
		h.stale[caller] = append(h.stale[caller], key)
	}
}

// take returns what a caller's OnStale was told of, and forgets it.
func (h *toldStale) take(caller string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys := h.stale[caller]
	delete(h.stale, caller)
	return keys
}

// TestOnStale: with it `if err != nil { return err }` keeps the stale value, and whoever wants to
// know hears of each, with the caller's own context.
func TestOnStale(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		var tb kit.Table
		tb.Set("old")
		h := &toldStale{stale: make(map[string][]string)}
		groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Minute,
			Errors: []error{kit.ErrOrigin}, OnStale: h.tell(t), OnInvalidate: func(string) {}})
		key := m.KeyOf("g", 1)
		kit.MustGet(t, groups[0], key, "old")
		time.Sleep(2 * time.Second)
		tb.Fails.Store(true)
		for i, g := range groups {
			for what, get := range map[string]func(context.Context) (string, error){
				"Get": func(ctx context.Context) (string, error) { return g.Get(ctx, key) },
				"GetMany": func(ctx context.Context) (string, error) {
					many, err := g.GetMany(ctx, []string{key})
					return many[key], err
				},
				"GetOr": func(ctx context.Context) (string, error) { return g.GetOr(ctx, key, tb.Load) },
				"Item": func(ctx context.Context) (string, error) {
					item, err := g.Item(ctx, key)
					return item.Value, err
				},
				"Lend": func(ctx context.Context) (string, error) {
					v, until, err := cachemesh.Lend(ctx, g, key)
					if !until.IsZero() {
						t.Errorf("a stale value is lent until %v", until)
					}
					return v, err
				},
			} {
				caller := fmt.Sprint(what, " on ", i)
				v, err := get(context.WithValue(ctx, tellsKey{}, caller))
				if told := h.take(caller); v != "old" || err != nil || len(told) != 1 || told[0] != key {
					t.Errorf("%s: %q, %v; OnStale heard %q", caller, v, err, told)
				}
			}
			// What fails without a value fails as ever.
			if v, err := g.Get(ctx, "other"); v != "" || !errors.Is(err, kit.ErrOrigin) {
				t.Errorf("a key without a value: %q, %v", v, err)
			}
		}
		// Among others in one call, too.
		many, err := groups[2].GetMany(ctx, []string{key, "other"})
		failed, _ := errors.AsType[cachemesh.KeyErrors](err)
		if len(many) != 1 || many[key] != "old" || len(failed) != 1 || failed["other"] == nil {
			t.Errorf("GetMany = %v, %v", many, err)
		}
	})
}

// TestOnStalePanics: the caller has the value, and the log the panic.
func TestOnStalePanics(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var log kit.Log
		m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = log.Logger() })
		var tb kit.Table
		tb.Set("old")
		g := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Minute,
			OnStale: func(context.Context, string, *cachemesh.StaleError) { panic("of the user") }})[0]
		kit.MustGet(t, g, "k", "old")
		time.Sleep(2 * time.Second)
		tb.Fails.Store(true)
		if v, err := g.Get(ctx, "k"); v != "old" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
		m.Close()
		if log.Count("OnStale panicked", "of the user") != 1 {
			t.Errorf("the log says %s", &log)
		}
	})
}
