package settle_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestMinorityLeavesTheOriginAlone: the majority's Writer may run for the same key.
func TestMinorityLeavesTheOriginAlone(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		w := &kit.Origin{Rows: map[string]string{}}
		g := kit.GroupOn(m, "g", w.Load, cachemesh.GroupOptions[string]{Writer: w})
		keys := m.KeysOf("g", 0, 2)
		kit.Must(t, g[0].Set(ctx, keys[0], "before", 0))
		m.Net.Partition([]string{kit.Host(0)})
		kit.AwaitMode(t, m.Nodes[0], "minority")
		for what, err := range map[string]error{"Set": g[0].Set(ctx, keys[0], "after", 0), "Delete": g[0].Delete(ctx, keys[0]),
			"Set of a new key": g[0].Set(ctx, keys[1], "new", 0)} {
			pe, ok := errors.AsType[*cachemesh.PeerError](err)
			if !errors.Is(err, cachemesh.ErrMinority) || ok && pe.MaybeApplied {
				t.Errorf("%s in a minority: %v, want ErrMinority, not applied", what, err)
			}
		}
		if w.Rows[keys[0]] != "before" || w.Rows[keys[1]] != "" || w.Deletes != 0 {
			t.Errorf("the origin was touched: %v, %d deletes", w.Rows, w.Deletes)
		}
		m.Net.Heal()
	})
}

// TestMinoritysValuesAge: what a minority loads lives MaxStale from when its load began.
func TestMinoritysValuesAge(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		const maxStale, takes = 10 * time.Second, 6 * time.Second
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.MaxStale = maxStale })
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			v := row.Load().(string)
			time.Sleep(takes)
			return v, nil
		}, cachemesh.GroupOptions[string]{})
		m.Net.Partition([]string{kit.Host(0)})
		kit.AwaitMode(t, m.Nodes[0], "minority")
		key := m.KeyOf("g", 0)
		began := time.Now()
		kit.MustGet(t, g[0], key, "old")
		row.Store("new")
		time.Sleep(time.Second)
		before := time.Now()
		kit.MustGet(t, g[0], key, "old")
		if time.Since(before) > 0 {
			t.Error("the value was not kept at all")
		}
		time.Sleep(maxStale - time.Since(began))
		kit.MustGet(t, g[0], key, "new")
		if err := g[0].Set(ctx, key, "set", 0); !errors.Is(err, cachemesh.ErrMinority) {
			t.Fatal(err)
		}
		kit.MustGet(t, g[0], key, "set")
		time.Sleep(maxStale)
		kit.MustGet(t, g[0], key, "new")
		m.Net.Heal()
	})
}

// TestLoadThroughACut: a load that began before its owner was cut off ends when it is
// back, having read a row that the majority has deleted meanwhile.
func TestLoadThroughACut(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		var row atomic.Value
		row.Store("old")
		read, release := make(chan struct{}), make(chan struct{})
		var hold atomic.Bool
		hold.Store(true)
		g := kit.GroupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
			return func(context.Context, string) (string, error) {
				v := row.Load().(string)
				if i == 0 && hold.CompareAndSwap(true, false) {
					close(read)
					<-release
				}
				return v, nil
			}
		}, cachemesh.GroupOptions[string]{LoadTimeout: time.Hour})
		key := m.KeyOf("g", 0)
		go g[0].Get(ctx, key)
		<-read
		m.Net.Partition([]string{kit.Host(0)})
		kit.AwaitMode(t, m.Nodes[0], "minority")
		row.Store("new")
		kit.Must(t, g[1].Delete(ctx, key))
		kit.MustGet(t, g[0], key, "new") // it does not join the load
		m.Net.Heal()
		for _, n := range m.Nodes {
			kit.AwaitMembers(t, ctx, n, 3)
		}
		m.Settle(3)
		kit.MustGet(t, g[0], key, "new")
		close(release)
		time.Sleep(time.Second)
		for i := range g {
			kit.MustGet(t, g[i], key, "new")
		}
	})
}
