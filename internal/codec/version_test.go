package codec_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// Two versions of a service: one writes prices as numbers, the other as strings.
type (
	priced struct{ Price int }
	quoted struct{ Price string }
)

// rollout is a mesh in which node 0 runs the old version of a group and the others
// the new one.
type rollout struct {
	*kit.Mesh
	old   *cachemesh.Group[priced]
	new   []*cachemesh.Group[quoted] // of node 1 on
	price atomic.Int64               // what the origin has
	loads atomic.Int64
	log   kit.Log
}

func newRollout(t *testing.T, loaded bool, o cachemesh.GroupOptions[priced], p cachemesh.GroupOptions[quoted]) *rollout {
	r := &rollout{}
	r.Mesh = kit.New(t, 3, func(i int, o *cachemesh.Options) { o.Logger = r.log.Logger() })
	var loadOld cachemesh.LoaderFunc[priced]
	var loadNew cachemesh.LoaderFunc[quoted]
	if loaded {
		loadOld = func(context.Context, string) (priced, error) {
			r.loads.Add(1)
			return priced{int(r.price.Load())}, nil
		}
		loadNew = func(context.Context, string) (quoted, error) {
			r.loads.Add(1)
			return quoted{fmt.Sprint(r.price.Load())}, nil
		}
	}
	var err error
	r.old, err = cachemesh.NewGroup(r.Nodes[0], "prices", loadOld, o)
	kit.Must(t, err)
	for _, n := range r.Nodes[1:] {
		g, err := cachemesh.NewGroup(n, "prices", loadNew, p)
		kit.Must(t, err)
		r.new = append(r.new, g)
	}
	return r
}

// want reads keys on all members, singly and together, and wants one price.
func (r *rollout) want(t *testing.T, ctx context.Context, keys []string, price int64) {
	t.Helper()
	for _, key := range keys {
		if v, err := r.old.Get(ctx, key); err != nil || v != (priced{int(price)}) {
			t.Fatalf("Get(%q) of the old version = %v, %v, want %d", key, v, err, price)
		}
		for _, g := range r.new {
			if v, err := g.Get(ctx, key); err != nil || v != (quoted{fmt.Sprint(price)}) {
				t.Fatalf("Get(%q) of the new version = %v, %v, want %d", key, v, err, price)
			}
		}
	}
	olds, err := r.old.GetMany(ctx, keys)
	if err != nil || len(olds) != len(keys) {
		t.Fatalf("GetMany of the old version: %d of %d, %v", len(olds), len(keys), err)
	}
	news, err := r.new[0].GetMany(ctx, keys)
	if err != nil || len(news) != len(keys) {
		t.Fatalf("GetMany of the new version: %d of %d, %v", len(news), len(keys), err)
	}
	for _, key := range keys {
		if olds[key] != (priced{int(price)}) || news[key] != (quoted{fmt.Sprint(price)}) {
			t.Fatalf("GetMany: %v and %v, want %d", olds[key], news[key], price)
		}
	}
}

// rolloutKeys are keys that every member owns some of.
func (r *rollout) rolloutKeys() (keys []string) {
	for i := range r.Nodes {
		keys = append(keys, r.KeysOf("prices", i, 8)...)
	}
	return keys
}

// TestRollingDeployment changes a type under one name: what one version cannot read of
// the other's is loaded, on either side, and no write is lost on anyone.
func TestRollingDeployment(t *testing.T) {
	for _, versions := range [][2]string{{"", ""}, {"", "2"}, {"1", "2"}} {
		t.Run(fmt.Sprintf("Version %q and %q", versions[0], versions[1]), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				r := newRollout(t, true, cachemesh.GroupOptions[priced]{Version: versions[0]}, cachemesh.GroupOptions[quoted]{Version: versions[1]})
				keys := r.rolloutKeys()
				for round := range int64(4) {
					r.price.Store(round)
					for i, key := range keys {
						var err error
						switch (i + int(round)) % 4 {
						case 0:
							err = r.old.Set(ctx, key, priced{int(round)}, 0)
						case 1:
							err = r.new[0].Set(ctx, key, quoted{fmt.Sprint(round)}, 0)
						case 2:
							err = r.old.Delete(ctx, key)
						case 3:
							err = r.new[1].Delete(ctx, key)
						}
						kit.Must(t, err)
					}
					for range 4 { // often enough for hot copies
						r.want(t, ctx, keys, round)
					}
				}
				var unread uint64
				for _, s := range []cachemesh.Stats{r.old.Stats(), r.new[0].Stats(), r.new[1].Stats()} {
					unread += s.Unreadable
				}
				if unread == 0 {
					t.Error("Stats.Unreadable is 0 everywhere")
				}
				for _, n := range r.Nodes {
					seam.Inside(n).FlushLog()
				}
				// All of this took less than a minute.
				if n := r.log.Count("cannot be read"); n < 1 || n > 3 {
					t.Errorf("%d lines about it, want one a member at most:\n%s", n, r.log.String())
				}
			})
		})
	}
}

// TestVersionKeepsFieldsApart: without Version a new field comes back empty from what
// the old version wrote. With it nothing does.
func TestVersionKeepsFieldsApart(t *testing.T) {
	type wide struct {
		Price    int
		Currency string
	}
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		var loads atomic.Int64
		old, err := cachemesh.NewGroup(m.Nodes[0], "g", func(context.Context, string) (priced, error) {
			loads.Add(1)
			return priced{7}, nil
		}, cachemesh.GroupOptions[priced]{})
		kit.Must(t, err)
		g, err := cachemesh.NewGroup(m.Nodes[1], "g", func(context.Context, string) (wide, error) {
			loads.Add(1)
			return wide{7, "EUR"}, nil
		}, cachemesh.GroupOptions[wide]{Version: "with currency"})
		kit.Must(t, err)
		for owner := range 2 {
			key := m.KeyOf("g", owner)
			loads.Store(0)
			for range 5 {
				kit.MustGet(t, old, key, priced{7})
				kit.MustGet(t, g, key, wide{7, "EUR"})
			}
			// One is kept; the other version loads each time, once, and not through the owner.
			if n := loads.Load(); n != 6 {
				t.Errorf("owner %d: %d loads, want 6", owner, n)
			}
			loads.Store(0)
			for range 5 {
				many, err := g.GetMany(ctx, []string{key})
				if err != nil || many[key] != (wide{7, "EUR"}) {
					t.Fatalf("GetMany = %v, %v", many, err)
				}
			}
			if n := loads.Load(); n != int64(5-5*owner) {
				t.Errorf("owner %d: GetMany made %d loads", owner, n)
			}
			if v, err := old.Peek(ctx, key); owner == 1 && !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("Peek of the other version = %v, %v", v, err)
			}
			if has, err := g.Contains(ctx, key); has != (owner == 1) || err != nil {
				t.Errorf("owner %d: Contains = %t, %v", owner, has, err)
			}
		}
		key := m.KeyOf("g", 1)
		kit.Must(t, old.Set(ctx, key, priced{7}, 0))
		kit.MustGet(t, g, key, wide{7, "EUR"})
		for _, v := range g.All() {
			if v.Currency != "EUR" {
				t.Errorf("All: %v", v)
			}
		}
	})
}

// TestVersionsInAMap: a map's values that one version Set are not found by the other,
// stay what they are, and move to new owners with their version.
func TestVersionsInAMap(t *testing.T) {
	for _, versions := range [][2]string{{"", ""}, {"1", "2"}} {
		t.Run(fmt.Sprintf("Version %q and %q", versions[0], versions[1]), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				o, p := cachemesh.GroupOptions[priced]{Version: versions[0]}, cachemesh.GroupOptions[quoted]{Version: versions[1]}
				r := newRollout(t, false, o, p)
				keys := r.rolloutKeys()
				for _, key := range keys {
					kit.Must(t, r.new[0].Set(ctx, key, quoted{"1"}, 0))
				}
				check := func() {
					t.Helper()
					for _, key := range keys {
						for range 4 {
							if v, err := r.old.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
								t.Fatalf("the old version has %v, %v, want ErrNotFound", v, err)
							}
							kit.MustGet(t, r.new[1], key, quoted{"1"})
						}
					}
					many, err := r.old.GetMany(ctx, keys)
					if len(many) != 0 || err != nil {
						t.Fatalf("GetMany of the old version = %v, %v", many, err)
					}
				}
				check()
				// Node 2 leaves: what it held goes to members of both versions.
				kit.Must(t, r.Nodes[2].Shutdown(ctx))
				r.Nodes[2] = nil
				r.Settle(2)
				r.new[1] = r.new[0]
				check()
				for _, key := range keys {
					kit.Must(t, r.old.Set(ctx, key, priced{2}, 0))
					kit.MustGet(t, r.old, key, priced{2})
				}
			})
		})
	}
}

type priceWriter[V any] struct {
	stored atomic.Int64
}

func (w *priceWriter[V]) Store(context.Context, string, V) error { w.stored.Add(1); return nil }
func (w *priceWriter[V]) Delete(context.Context, string) error   { return nil }

// TestWriterOfAnotherVersion: the owner's Writer must not be given what it would read
// wrongly: such a Set fails, and nothing was written.
func TestWriterOfAnotherVersion(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		olds, news := new(priceWriter[priced]), new(priceWriter[quoted])
		r := newRollout(t, true, cachemesh.GroupOptions[priced]{Version: "1", Writer: olds}, cachemesh.GroupOptions[quoted]{Version: "2", Writer: news})
		r.price.Store(7)
		for owner := range 3 {
			key := r.KeyOf("prices", owner)
			olds.stored.Store(0)
			news.stored.Store(0)
			errOld := r.old.Set(ctx, key, priced{1}, 0)
			errNew := r.new[0].Set(ctx, key, quoted{"1"}, 0)
			good, bad, written := errOld, errNew, &olds.stored
			if owner > 0 {
				good, bad, written = errNew, errOld, &news.stored
			}
			pe, ok := errors.AsType[*cachemesh.PeerError](bad)
			if !ok || pe.MaybeApplied || !errors.Is(bad, cachemesh.ErrOtherVersion) {
				t.Errorf("owner %d: a Set of the other version: %v, want ErrOtherVersion, not applied", owner, bad)
			}
			if good != nil || written.Load() != 1 || olds.stored.Load()+news.stored.Load() != 1 {
				t.Errorf("owner %d: %v; %d and %d writes, want one", owner, good, olds.stored.Load(), news.stored.Load())
			}
			kit.Must(t, r.old.Delete(ctx, key))
			kit.Must(t, r.new[0].Delete(ctx, key))
		}
	})
}
