package owner_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestDeleteTagRounds deletes tags again and again while rows change, are loaded, Set and copied.
// A Get that begins after a DeleteTag sees no row from before it.
func TestDeleteTagRounds(t *testing.T) {
	const members, rounds = 3, 1000
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, members)
		m.Net.SetLatency(0, 200*time.Microsecond)
		var row atomic.Int64
		load := func(_ context.Context, key string) (string, error) {
			v := row.Load()
			time.Sleep(time.Duration(v%5) * 100 * time.Microsecond)
			return fmt.Sprint(v, "#t", len(key)%2), nil
		}
		groups := kit.GroupOn(m, "g", load, tagsInValues())
		var keys []string
		for i := range members {
			keys = append(keys, m.KeysOf("g", i, 2)...)
		}
		stop := make(chan struct{})
		var all sync.WaitGroup
		var served, wrong atomic.Int64
		var floor atomic.Int64 // rows before this were deleted
		for i := range 2 * members {
			all.Go(func() {
				for n := i; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					least := floor.Load()
					v, err := groups[i%members].Get(ctx, keys[n%len(keys)])
					kit.Must(t, err)
					var got int64
					fmt.Sscanf(v, "%d#", &got)
					served.Add(1)
					if got < least {
						wrong.Add(1)
					}
					time.Sleep(50 * time.Microsecond)
				}
			})
		}
		for round := range rounds {
			v := row.Add(1)
			g := groups[round%members]
			if round%3 == 0 {
				kit.Must(t, g.Set(ctx, keys[round%len(keys)], fmt.Sprint(v, "#t0#t1"), 0))
			}
			if round%10 == 9 {
				kit.Must(t, g.DeletePrefix(ctx, keys[0][:1]))
			} else {
				kit.Must(t, g.DeleteTag(ctx, "t0", "t1"))
			}
			floor.Store(v)
			time.Sleep(time.Duration(round%4) * 300 * time.Microsecond)
		}
		close(stop)
		all.Wait()
		hot := uint64(0)
		for _, g := range groups {
			hot += g.Stats().HotHits
		}
		t.Logf("%d Gets beside %d removals, %d of hot copies", served.Load(), rounds, hot)
		if n := wrong.Load(); n > 0 || hot == 0 {
			t.Errorf("%d of %d Gets saw what had been removed; %d hot copies", n, served.Load(), hot)
		}
	})
}

// TestDeleteTagWhileMembersComeAndGo: values without a loader are handed over to new owners, with
// their tags, and what is deleted meanwhile must not be missed.
func TestDeleteTagWhileMembersComeAndGo(t *testing.T) {
	for round := range 10 {
		for _, remove := range []string{"tag", "prefix"} {
			t.Run(fmt.Sprint(remove, "/round=", round), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 3)
					m.Net.SetLatency(0, time.Millisecond)
					groups := kit.GroupOn[string](m, "g", nil, tagsInValues())
					keys := append(kit.Numbered("a", 100), kit.Numbered("b", 100)...)
					for i, key := range keys {
						kit.Must(t, groups[i%3].Set(ctx, key, "v#"+key[:1], 0))
					}
					var moves sync.WaitGroup
					if round%2 == 0 {
						leaver := m.Nodes[2]
						m.Nodes = m.Nodes[:2]
						moves.Go(func() { kit.Must(t, leaver.Shutdown(ctx)) })
					} else {
						n := m.NewNode(3)
						m.Nodes = append(m.Nodes, n)
						_, err := cachemesh.NewGroup[string](n, "g", nil, tagsInValues())
						kit.Must(t, err)
						moves.Go(func() { kit.Must(t, n.Start()) })
					}
					time.Sleep(time.Duration(round) * 300 * time.Microsecond)
					if remove == "tag" {
						kit.Must(t, groups[round%2].DeleteTag(ctx, "a"))
					} else {
						kit.Must(t, groups[round%2].DeletePrefix(ctx, "a"))
					}
					moves.Wait()
					time.Sleep(10 * time.Second)
					many, err := groups[round%2].GetMany(ctx, keys)
					kit.Must(t, err)
					for _, key := range keys {
						if _, found := many[key]; found != (key[0] == 'b') {
							t.Errorf("%s is there: %t", key, found)
						}
					}
					kit.Must(t, groups[0].DeleteTag(ctx, "b"))
					if many, err := groups[1].GetMany(ctx, keys); err != nil || len(many) > 0 {
						t.Errorf("%d values that were handed over bear their tag no more, %v", len(many), err)
					}
				})
			})
		}
	}
}
