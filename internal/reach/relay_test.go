package reach_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// cutWays are the ways in which the link between a caller and an owner may fail,
// while everybody still sees everybody.
var cutWays = map[string]func(m *kit.Mesh, caller, owner int){
	"refused": nil, // the caller's calls fail at once; see unreachable
	"calls":   func(m *kit.Mesh, caller, owner int) { m.Net.Cut(kit.Host(caller), kit.Host(owner)) },
	"answers": func(m *kit.Mesh, caller, owner int) { m.Net.Cut(kit.Host(owner), kit.Host(caller)) },
	"both": func(m *kit.Mesh, caller, owner int) {
		m.Net.Cut(kit.Host(caller), kit.Host(owner))
		m.Net.Cut(kit.Host(owner), kit.Host(caller))
	},
}

const (
	cutCaller, cutOwner, cutThird = 0, 1, 2
	cutSpan                       = 4 * time.Second // within MaxStale
)

// TestCutLink cuts the one link between a caller and an owner. A row changes and
// is deleted through a third member: whatever the caller reads with afterwards
// sees it, and no operation fails.
func TestCutLink(t *testing.T) {
	for way, cut := range cutWays {
		for _, hot := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, hot reads %d", way, hot), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					refuse, tb := new(unreachable), newCounted()
					m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
						if i == cutCaller {
							refuse.edit(i, o)
						}
					})
					groups := kit.GroupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{HotReads: hot})
					keys := m.KeysOf("g", cutOwner, 3)
					for _, key := range keys {
						tb.Store(ctx, key, "first")
						for _, g := range groups {
							kit.MustGet(t, g, key, "first")
						}
					}
					views := viewsOf(m)
					if cut == nil {
						refuse.set(m, cutOwner)
					} else {
						cut(m, cutCaller, cutOwner)
					}
					old, reads, failed := 0, 0, 0
					check := func(what, got, want string, err error) {
						reads++
						if err != nil {
							failed++
							t.Logf("%s: %v", what, err)
						} else if got != want {
							old++
						}
					}
					g := groups[cutCaller]
					for start := time.Now(); time.Since(start) < cutSpan; {
						want := fmt.Sprint("row ", reads)
						for _, key := range keys {
							tb.Store(ctx, key, want)
						}
						kit.Must(t, groups[cutThird].Delete(ctx, keys...))
						got, err := g.Get(ctx, keys[0])
						check("Get", got, want, err)
						got, err = g.Peek(ctx, keys[0]) // in the owner's memory now
						check("Peek", got, want, err)
						many, err := g.GetMany(ctx, keys)
						for _, key := range keys {
							check("GetMany", many[key], want, err)
						}
						time.Sleep(10 * time.Millisecond)
					}
					writeThroughCut(t, ctx, groups, keys, check)
					if now := viewsOf(m); now != views {
						t.Fatalf("the views changed from %s to %s", views, now)
					}
					if old > 0 || failed > 0 {
						t.Errorf("%d of %d reads were old, %d failed", old, reads, failed)
					}
					if n := m.Nodes[cutCaller].Stats().Relayed; n == 0 {
						t.Error("no call was passed on")
					}
				})
			})
		}
	}
}

// writeThroughCut writes by every operation at the caller, and reads at all members.
func writeThroughCut(t *testing.T, ctx context.Context, groups []*cachemesh.Group[string], keys []string, check func(what, got, want string, err error)) {
	t.Helper()
	g := groups[cutCaller]
	for i := range 20 {
		value := fmt.Sprint("set ", i)
		kit.Must(t, g.Set(ctx, keys[0], value, 0))
		for _, other := range groups {
			got, err := other.Get(ctx, keys[0])
			check("Get after Set", got, value, err)
		}
		for what, remove := range map[string]func() error{
			"Delete":      func() error { return g.Delete(ctx, keys[0]) },
			"Delete many": func() error { return g.Delete(ctx, keys...) },
			"Clear":       func() error { return g.Clear(ctx) },
		} {
			kit.Must(t, groups[cutThird].Set(ctx, keys[0], "removed", 0))
			kit.Must(t, remove())
			for _, other := range groups {
				got, err := other.Get(ctx, keys[0])
				if got == "removed" {
					check(what, got, "the row", err)
				}
			}
		}
	}
}

// viewsOf names the members that each node sees.
func viewsOf(m *kit.Mesh) string {
	text := ""
	for _, n := range m.Nodes {
		text += fmt.Sprint(n.Members(), seam.Inside(n).ViewID())
	}
	return text
}

// TestCutLinkToAHolder cuts the link between an owner and a member with a hot copy:
// the write is answered once the holder has let go, through another member, and
// does not wait for the lease.
func TestCutLinkToAHolder(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Lease = 5 * time.Second }), newCounted()
		groups := kit.GroupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{HotReads: 1})
		key := m.KeyOf("g", cutOwner)
		for round := range 5 {
			want := fmt.Sprint("row ", round)
			tb.Store(ctx, key, want)
			kit.Must(t, groups[cutOwner].Delete(ctx, key))
			kit.MustGet(t, groups[cutCaller], key, want)
			if s := groups[cutCaller].Stats(); round == 0 {
				kit.MustGet(t, groups[cutCaller], key, want)
				if after := groups[cutCaller].Stats(); after.HotHits == s.HotHits {
					t.Fatal("the caller holds no hot copy")
				}
			}
			m.Net.Cut(kit.Host(cutOwner), kit.Host(cutCaller))
			tb.Store(ctx, key, want+"!")
			start := time.Now()
			kit.Must(t, groups[cutOwner].Delete(ctx, key))
			if took := time.Since(start); took > time.Second {
				t.Errorf("round %d: Delete took %v: it waited for the lease", round, took)
			}
			kit.MustGet(t, groups[cutCaller], key, want+"!")
			m.Net.Heal()
			time.Sleep(3 * time.Second)
		}
	})
}
