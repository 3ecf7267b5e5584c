package origin_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// A join is an origin that returns all its rows, whatever it is asked for, when it is
// let go.
type join struct {
	keys    []string
	version atomic.Int64
	calls   atomic.Int64
	gate    chan struct{} // nil: at once
}

func (o *join) loadMany(_ context.Context, keys []string) (map[string]int64, error) {
	values := make(map[string]int64)
	v := o.version.Load()
	for _, key := range append(keys, o.keys...) {
		values[key] = v
	}
	o.calls.Add(1)
	if o.gate != nil && o.calls.Load() == 1 {
		<-o.gate
	}
	return values, nil
}

// TestRowsThatNobodyAskedForAreKept by the owner of their keys, and nobody else.
func TestRowsThatNobodyAskedForAreKept(t *testing.T) {
	for _, many := range []bool{false, true} {
		t.Run(fmt.Sprint("GetMany=", many), func(t *testing.T) {
			m := kit.New(t, 2)
			mine, theirs := m.KeysOf("g", 0, 101), m.KeysOf("g", 1, 100)
			o := &join{keys: append(append([]string{"", "\x00"}, mine...), theirs...)}
			groups := kit.GroupOn[int64](m, "g", nil, cachemesh.GroupOptions[int64]{LoadMany: o.loadMany})
			if many {
				asked := mine[:3]
				if values, err := groups[1].GetMany(kit.Context(t), asked); err != nil || len(values) != 3 {
					t.Fatalf("GetMany = %v, %v", values, err)
				}
			} else {
				kit.MustGet(t, groups[1], mine[0], 0)
			}
			for _, key := range mine {
				kit.MustGet(t, groups[1], key, 0)
			}
			if n := o.calls.Load(); n != 1 {
				t.Errorf("%d calls of LoadMany, want 1", n)
			}
			seam.Inside(m.Nodes[0]).Stored("g", func(key string, owned bool) {
				if !owned {
					t.Errorf("%q is kept by one who does not own it", key)
				}
			})
		})
	}
}

// TestNoStaleSpares: what a LoadMany has read before something happened to a key that
// it was not asked for is not kept.
func TestNoStaleSpares(t *testing.T) {
	for _, how := range []string{"Set", "Delete", "Delete of several", "Clear", "another load", "another load, not kept", "a lease", "a Refresh"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 2)
				keys := m.KeysOf("g", 0, 2)
				o := &join{keys: keys, gate: make(chan struct{})}
				groups := kit.GroupOn[int64](m, "g", nil, cachemesh.GroupOptions[int64]{LoadMany: o.loadMany, HotReads: 1,
					TTLFunc: func(_ string, v int64) time.Duration {
						if how == "another load, not kept" && v == 1 {
							return -1
						}
						return time.Hour
					}})
				go groups[0].Get(ctx, keys[0])
				synctest.Wait() // it has read both rows
				o.version.Store(1)
				switch how {
				case "Set":
					kit.Must(t, groups[1].Set(ctx, keys[1], 1, time.Millisecond))
					time.Sleep(time.Second) // it has expired
				case "Delete":
					kit.Must(t, groups[1].Delete(ctx, keys[1]))
				case "Delete of several":
					kit.Must(t, groups[1].Delete(ctx, keys...))
				case "Clear":
					kit.Must(t, groups[1].Clear(ctx))
				case "a Refresh":
					kit.Must(t, groups[1].Refresh(ctx, keys[1]))
				default:
					kit.MustGet(t, groups[1], keys[1], 1)
					if how == "a lease" {
						kit.MustGet(t, groups[1], keys[1], 1)
					}
				}
				close(o.gate)
				synctest.Wait()
				for _, g := range groups {
					kit.MustGet(t, g, keys[1], 1)
				}
			})
		})
	}
}
