package origin_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestNestedLoads: as many loaders as may run, and more, each Get another key of the
// group, one that others load too; the keys are owned here and elsewhere.
func TestNestedLoads(t *testing.T) {
	for _, how := range []string{"Get", "GetMany", "LoadMany", "through another group"} {
		for members := 1; members <= 3; members += 2 {
			t.Run(fmt.Sprint(how, "/members=", members), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) { nestedLoads(t, ctx, how, members) })
			})
		}
	}
}

func nestedLoads(t *testing.T, ctx context.Context, how string, members int) {
	m := kit.New(t, members)
	var groups, others []*cachemesh.Group[string]
	var flat kit.Crowd // loads that nobody's loader asks for
	load := func(node int) cachemesh.LoaderFunc[string] {
		return func(ctx context.Context, key string) (string, error) {
			row, nested := strings.CutPrefix(key, "outer")
			if !nested {
				time.Sleep(10 * time.Millisecond)
				return "value of " + key, nil
			}
			flat.Enter()
			defer flat.Leave()
			row = "inner" + row[:1] // ten of them
			switch how {
			case "GetMany", "LoadMany":
				values, err := groups[node].GetMany(ctx, []string{row, row + "'"})
				return values[row], err
			case "through another group":
				return others[node].Get(ctx, row)
			}
			return groups[node].Get(ctx, row)
		}
	}
	o := cachemesh.GroupOptions[string]{MaxLoads: 16}
	if how == "LoadMany" {
		o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
			values := make(map[string]string)
			var err error
			for _, key := range keys {
				if values[key], err = load(0)(ctx, key); err != nil {
					return nil, err
				}
			}
			return values, nil
		}
	}
	if how == "LoadMany" {
		groups = kit.GroupOn(m, "g", nil, o)
	} else {
		groups = kit.GroupOnEach(m, "g", load, o)
	}
	others = kit.GroupOnEach(m, "other", func(node int) cachemesh.LoaderFunc[string] {
		return func(ctx context.Context, key string) (string, error) { return groups[node].Get(ctx, key) }
	}, cachemesh.GroupOptions[string]{})
	start := time.Now()
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			key := fmt.Sprintf("outer%d-%d", i%10, i)
			if v, err := groups[i%members].Get(ctx, key); err != nil || v != fmt.Sprint("value of inner", i%10) {
				t.Errorf("Get(%q) = %q, %v", key, v, err)
			}
		})
		all.Go(func() {
			if _, err := groups[i%members].Get(ctx, fmt.Sprint("inner", i%10)); err != nil {
				t.Errorf("Get of an inner key: %v", err)
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	t.Logf("64 loads that wait for others: %v, at most %d at once", took, flat.Most.Load())
	if took > time.Second || how != "LoadMany" && flat.Most.Load() > int64(16*members) {
		t.Errorf("it took %v, %d ran at once on %d members, want at most 16 each", took, flat.Most.Load(), members)
	}
}
