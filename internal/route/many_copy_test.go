package route_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestGetManyKeepsCopies: what GetMany got of others' keys is here, values and what does not exist, until it
// changes or ends.
func TestGetManyKeepsCopies(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		rows, missing := make(map[string]string), make(map[string]bool)
		var keys []string
		for i := range 300 {
			key := fmt.Sprint("key", i)
			keys = append(keys, key)
			if missing[key] = i%10 == 0; !missing[key] {
				rows[key] = "value of " + key
			}
		}
		load := func(_ context.Context, key string) (string, error) {
			if v, ok := rows[key]; ok {
				return v, nil
			}
			return "", cachemesh.ErrNotFound
		}
		groups := kit.GroupOn(m, "g", load, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, TTL: time.Minute})
		reader := groups[0]
		get := func() (calls uint64) {
			t.Helper()
			before := reader.Stats().PeerCalls
			got, err := reader.GetMany(ctx, keys)
			if err != nil && !errors.Is(err, cachemesh.ErrNotFound) || !maps.Equal(got, rows) {
				t.Fatalf("%d of %d values, %v", len(got), len(rows), err)
			}
			return reader.Stats().PeerCalls - before
		}
		if calls := get(); calls < 2 {
			t.Errorf("%d calls for the first", calls)
		}
		for range 3 { // the owners load for the first, and answer the second from memory
			if calls := get(); calls != 0 {
				t.Errorf("%d calls for what is here", calls)
			}
		}
		changed := slices.Sorted(maps.Keys(rows))[:50]
		for _, key := range changed {
			rows[key] = "new"
			kit.Must(t, groups[1].Delete(ctx, key))
		}
		rows[keys[0]] = "exists"
		kit.Must(t, groups[2].Delete(ctx, keys[0]))
		if calls := get(); calls == 0 {
			t.Error("what has changed is answered from here")
		}
		get() // what nobody had read needs two reads
		if calls := get(); calls != 0 {
			t.Errorf("%d calls for what is here again", calls)
		}
		time.Sleep(2 * time.Minute)
		if calls := get(); calls < 2 {
			t.Errorf("%d calls for values that have ended", calls)
		}
	})
}
