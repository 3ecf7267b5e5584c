package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A table is an origin of rows that come and go.
type table struct {
	loads atomic.Int64
	row   atomic.Pointer[string] // nil: none
	fails atomic.Bool
}

func (tb *table) load(context.Context, string) (string, error) {
	tb.loads.Add(1)
	if tb.fails.Load() {
		return "", errSentinel
	}
	if p := tb.row.Load(); p != nil {
		return *p, nil
	}
	return "", fmt.Errorf("no such row: %w", cachemesh.ErrNotFound)
}

func (tb *table) set(v string) { tb.row.Store(&v) }

func wantNotFound[V any](t *testing.T, g *cachemesh.Group[V], key string) {
	t.Helper()
	if v, err := g.Get(testContext(t), key); !errors.Is(err, cachemesh.ErrNotFound) {
		t.Fatalf("Get = %v, %v, want ErrNotFound", v, err)
	}
}

func TestNotFoundIsRemembered(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, tb := newMesh(t, 3), &table{}
		groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{NotFoundTTL: 5 * time.Second, TTL: time.Hour, HotReads: 1})
		key := m.keyOf("g", 0)
		for range 10 {
			for _, g := range groups {
				wantNotFound(t, g, key)
				if many, err := g.GetMany(ctx, []string{key}); err != nil || len(many) != 0 {
					t.Errorf("GetMany = %v, %v", many, err)
				}
			}
		}
		if n := tb.loads.Load(); n != 1 {
			t.Errorf("%d loads of a key that does not exist, want 1", n)
		}
		if s := groups[1].Stats(); s.HotHits == 0 {
			t.Error("no hot copy of the knowledge that there is no row")
		}
		time.Sleep(5*time.Second + 1)
		for _, g := range groups {
			wantNotFound(t, g, key)
		}
		if n := tb.loads.Load(); n != 2 {
			t.Errorf("%d loads after NotFoundTTL, want 2", n)
		}
	})
}

func TestNegativeHitsAreCounted(t *testing.T) {
	m, tb := newMesh(t, 2), &table{}
	groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, NoHotCopies: true})
	key := m.keyOf("g", 0)
	wantNotFound(t, groups[0], key) // a load
	for _, g := range groups {
		before := g.Stats().NegativeHits
		wantNotFound(t, g, key)
		if _, err := g.GetMany(testContext(t), []string{key}); err != nil {
			t.Error(err)
		}
		if n := g.Stats().NegativeHits - before; n != 2 {
			t.Errorf("%d negative hits, want 2", n)
		}
	}
}

func TestNotFoundIsForgottenWithoutNotFoundTTL(t *testing.T) {
	m, tb := newMesh(t, 2), &table{}
	groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{TTL: time.Hour})
	for i := range 4 {
		wantNotFound(t, groups[i%2], "k")
	}
	if n := tb.loads.Load(); n != 4 {
		t.Errorf("%d loads, want 4", n)
	}
}

// TestWriteEndsNotFound: every member has a hot copy of the knowledge that there
// is no row when the row is written.
func TestWriteEndsNotFound(t *testing.T) {
	for _, how := range []string{"Set", "Delete", "Delete of several", "Clear"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, tb := newMesh(t, 3), &table{}
				groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, HotReads: 1})
				for owner := range 3 {
					for w, writer := range groups {
						key := m.keysOf("g", owner, 3)[w]
						tb.row.Store(nil)
						for range 5 {
							for _, g := range groups {
								wantNotFound(t, g, key)
							}
						}
						tb.set("row")
						var err error
						switch how {
						case "Set":
							err = writer.Set(ctx, key, "row", 0)
						case "Delete":
							err = writer.Delete(ctx, key)
						case "Clear":
							err = writer.Clear(ctx)
						default:
							err = writer.Delete(ctx, append(m.keysOf("g", 1, 2), key)...)
						}
						must(t, err)
						for _, g := range groups {
							mustGet(t, g, key, "row")
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
			bubble(t, func(t *testing.T, ctx context.Context) {
				m, tb := newMesh(t, 2), &table{}
				groups := groupOn(m, "g", tb.load, cachemesh.GroupOptions[string]{TTL: time.Second, StaleFor: time.Hour, NotFoundTTL: remembered})
				key := m.keyOf("g", 0)
				tb.set("old")
				mustGet(t, groups[1], key, "old")
				time.Sleep(2 * time.Second)
				tb.row.Store(nil)
				wantNotFound(t, groups[1], key)
				tb.fails.Store(true)
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
