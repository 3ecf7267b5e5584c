package owner_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func TestNotFoundIsRemembered(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := kit.New(t, 3), &kit.Table{}
		groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{NotFoundTTL: 5 * time.Second, TTL: time.Hour, HotReads: 1})
		key := m.KeyOf("g", 0)
		for range 10 {
			for _, g := range groups {
				kit.WantNotFound(t, g, key)
				if many, err := g.GetMany(ctx, []string{key}); err != nil || len(many) != 0 {
					t.Errorf("GetMany = %v, %v", many, err)
				}
			}
		}
		if n := tb.Loads.Load(); n != 1 {
			t.Errorf("%d loads of a key that does not exist, want 1", n)
		}
		if s := groups[1].Stats(); s.HotHits == 0 {
			t.Error("no hot copy of the knowledge that there is no row")
		}
		time.Sleep(5*time.Second + 1)
		for _, g := range groups {
			kit.WantNotFound(t, g, key)
		}
		if n := tb.Loads.Load(); n != 2 {
			t.Errorf("%d loads after NotFoundTTL, want 2", n)
		}
	})
}

func TestNegativeHitsAreCounted(t *testing.T) {
	m, tb := kit.New(t, 2), &kit.Table{}
	groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, NoHotCopies: true})
	key := m.KeyOf("g", 0)
	kit.WantNotFound(t, groups[0], key) // a load
	for _, g := range groups {
		before := g.Stats().NegativeHits
		kit.WantNotFound(t, g, key)
		if _, err := g.GetMany(kit.Context(t), []string{key}); err != nil {
			t.Error(err)
		}
		if n := g.Stats().NegativeHits - before; n != 2 {
			t.Errorf("%d negative hits, want 2", n)
		}
	}
}

func TestNotFoundIsForgottenWithoutNotFoundTTL(t *testing.T) {
	m, tb := kit.New(t, 2), &kit.Table{}
	groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{TTL: time.Hour})
	for i := range 4 {
		kit.WantNotFound(t, groups[i%2], "k")
	}
	if n := tb.Loads.Load(); n != 4 {
		t.Errorf("%d loads, want 4", n)
	}
}

// TestWriteEndsNotFound: every member has a hot copy of the knowledge that there
// is no row when the row is written.
func TestWriteEndsNotFound(t *testing.T) {
	for _, how := range []string{"Set", "Delete", "Delete of several", "Clear"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, tb := kit.New(t, 3), &kit.Table{}
				groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, HotReads: 1})
				for owner := range 3 {
					for w, writer := range groups {
						key := m.KeysOf("g", owner, 3)[w]
						tb.Row.Store(nil)
						for range 5 {
							for _, g := range groups {
								kit.WantNotFound(t, g, key)
							}
						}
						tb.Set("row")
						var err error
						switch how {
						case "Set":
							err = writer.Set(ctx, key, "row", 0)
						case "Delete":
							err = writer.Delete(ctx, key)
						case "Clear":
							err = writer.Clear(ctx)
						default:
							err = writer.Delete(ctx, append(m.KeysOf("g", 1, 2), key)...)
						}
						kit.Must(t, err)
						for _, g := range groups {
							kit.MustGet(t, g, key, "row")
						}
					}
				}
				if groups[0].Stats().HotHits == 0 {
					t.Error("no hot copies: the test tests less than it should")
				}
			})
		})
	}
}

// TestNotFoundEndsStaleValues: once the origin has said that there is no such
// row, the former value is not served any more, whatever fails later.
func TestNotFoundEndsStaleValues(t *testing.T) {
	for _, remembered := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint("NotFoundTTL=", remembered), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, tb := kit.New(t, 2), &kit.Table{}
				groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Hour, NotFoundTTL: remembered})
				key := m.KeyOf("g", 0)
				tb.Set("old")
				kit.MustGet(t, groups[1], key, "old")
				time.Sleep(2 * time.Second)
				tb.Row.Store(nil)
				kit.WantNotFound(t, groups[1], key)
				tb.Fails.Store(true)
				time.Sleep(2 * time.Second)
				for _, g := range groups {
					if v, err := g.Get(ctx, key); v != "" || err == nil {
						t.Errorf("Get = %q, %v: a row that was gone came back", v, err)
					}
				}
			})
		})
	}
}
