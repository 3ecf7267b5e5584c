package route_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestSetMany: every member sees all that was set, and a key that cannot be set fails alone.
func TestSetMany(t *testing.T) {
	m := kit.New(t, 3)
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1, HotReads: 1})
	ctx, values := kit.Context(t), make(map[string]string)
	for i := range 1000 {
		values[fmt.Sprint("key", i)] = fmt.Sprint("value ", i)
	}
	for round, g := range groups {
		for key := range values {
			values[key] = fmt.Sprint("round ", round)
		}
		kit.Must(t, g.SetMany(ctx, values, 0))
		for i, other := range groups {
			got, err := other.GetMany(ctx, slices.Collect(maps.Keys(values)))
			if err != nil || !maps.Equal(got, values) {
				t.Fatalf("set on node%d, node%d has %d of %d values, %v", round, i, len(got), len(values), err)
			}
		}
		if sets := g.Stats().Sets; sets != 1000 {
			t.Errorf("node%d counts %d Sets", round, sets)
		}
	}
	long := strings.Repeat("k", cachemesh.MaxKeyLen+1)
	err := groups[0].SetMany(ctx, map[string]string{"": "a", long: "b", "big": strings.Repeat("v", 17<<20), "good": "c"}, time.Minute)
	failed, ok := errors.AsType[cachemesh.KeyErrors](err)
	if !ok || len(failed) != 3 || !errors.Is(failed[""], cachemesh.ErrInvalidKey) || !errors.Is(failed[long], cachemesh.ErrInvalidKey) ||
		!errors.Is(failed["big"], cachemesh.ErrTooLarge) {
		t.Errorf("keys that cannot be set: %v", err)
	}
	kit.MustGet(t, groups[1], "good", "c")
	if item, err := groups[1].Item(ctx, "good"); err != nil || item.TTL <= 50*time.Second || item.TTL > time.Minute {
		t.Errorf("its TTL is %v, %v", item.TTL, err)
	}
	kit.Must(t, groups[0].SetMany(ctx, nil, 0))
}

// TestErrorsOfSeveralKeys: what any key would hear is plain, the rest has its key, be it one or many.
func TestErrorsOfSeveralKeys(t *testing.T) {
	m := kit.New(t, 1)
	g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})[0]
	ctx := kit.Context(t)
	for n, err := range map[string]error{
		"Delete of one": g.Delete(ctx, ""), "Delete of two": g.Delete(ctx, "", "a"),
		"SetMany": g.SetMany(ctx, map[string]string{"": "v"}, 0),
	} {
		failed, ok := errors.AsType[cachemesh.KeyErrors](err)
		if !ok || len(failed) != 1 || !errors.Is(failed[""], cachemesh.ErrInvalidKey) || !errors.Is(err, cachemesh.ErrInvalidKey) {
			t.Errorf("%s: %v", n, err)
		}
	}
	if err := g.SetMany(ctx, map[string]string{"a": "v"}, -1); err == nil || !errors.Is(err, cachemesh.ErrInvalidTTL) {
		t.Errorf("a negative TTL: %v", err)
	}
	fresh, err := cachemesh.New(cachemesh.Options{})
	kit.Must(t, err)
	defer fresh.Close()
	idle, err := cachemesh.NewGroup[string](fresh, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	kit.Must(t, err)
	kit.Must(t, m.Nodes[0].Close())
	for g, want := range map[*cachemesh.Group[string]]error{g: cachemesh.ErrClosed, idle: cachemesh.ErrNotStarted} {
		for n, err := range map[string]error{"Delete of one": g.Delete(ctx, "a"), "Delete of two": g.Delete(ctx, "a", "b"),
			"SetMany": g.SetMany(ctx, map[string]string{"a": "v"}, 0)} {
			if err != want {
				t.Errorf("%s: %v, want %v", n, err, want)
			}
		}
	}
}
