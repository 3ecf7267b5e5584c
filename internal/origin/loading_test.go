package origin_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A page is a value that knows its version.
type page struct{ Body, ETag string }

// A site is an origin that answers "not modified" to whoever has what it has.
type site struct {
	etag              atomic.Pointer[string]
	bodies, unchanged atomic.Int64
	ttl               atomic.Int64
	unnamed           bool // the loader of one key does not name it
}

func (o *site) load(ctx context.Context, key string) (page, error) {
	if ttl := o.ttl.Load(); ttl != 0 {
		cachemesh.KeepFor(ctx, o.name(key), time.Duration(ttl))
	}
	etag := *o.etag.Load()
	if old, ok := cachemesh.Former[page](ctx, o.name(key)); ok && old.ETag == etag {
		o.unchanged.Add(1)
		return old, nil
	}
	o.bodies.Add(1)
	return page{"body of " + key + " " + etag, etag}, nil
}

// name is what a loader calls its key.
func (o *site) name(key string) string {
	if o.unnamed {
		return ""
	}
	return key
}

func (o *site) loadMany(ctx context.Context, keys []string) (map[string]page, error) {
	pages := make(map[string]page)
	for _, key := range keys {
		pages[key], _ = o.load(ctx, key)
	}
	return pages, nil
}

func (o *site) set(etag string) { o.etag.Store(&etag) }

// TestFormer: a value is asked for again after its TTL, and ahead of it; what has not
// changed is not read again, and what was deleted is not there.
func TestFormer(t *testing.T) {
	for _, many := range []bool{false, true} {
		for _, ahead := range []bool{false, true} {
			t.Run(fmt.Sprint("LoadMany=", many, "/ahead=", ahead), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, origin := kit.New(t, 2), &site{unnamed: !many}
					origin.set("1")
					o := cachemesh.GroupOptions[page]{TTL: 10 * time.Second, StaleFor: time.Hour}
					if ahead {
						o.RefreshAfter = 5 * time.Second
					}
					load := origin.load
					if many {
						load, o.LoadMany = nil, origin.loadMany
					}
					groups := kit.GroupOn(m, "g", load, o)
					key := m.KeyOf("g", 0)
					get := func(etag string, bodies, unchanged int64) {
						t.Helper()
						kit.MustGet(t, groups[1], key, page{"body of " + key + " " + etag, etag})
						time.Sleep(2 * time.Second) // a refresh, and the leases
						if b, u := origin.bodies.Load(), origin.unchanged.Load(); b != bodies || u != unchanged {
							t.Errorf("%d bodies were read, %d unchanged; want %d and %d", b, u, bodies, unchanged)
						}
					}
					get("1", 1, 0)
					age := 30 * time.Second // past the TTL
					if ahead {
						age = 5 * time.Second
					}
					for i := range int64(3) {
						time.Sleep(age)
						get("1", 1, i+1)
					}
					origin.set("2")
					time.Sleep(age)
					if ahead {
						get("1", 2, 3) // it is refreshed
					} else {
						get("2", 2, 3)
					}
					kit.Must(t, groups[1].Delete(ctx, key))
					get("2", 3, 3)
				})
			})
		}
	}
}

// TestKeepFor: the loader decides for how long, TTLFunc does not, and what it says
// with another context counts for nothing.
func TestKeepFor(t *testing.T) {
	for _, unnamed := range []bool{false, true} {
		t.Run(fmt.Sprint("unnamed=", unnamed), func(t *testing.T) { keepFor(t, unnamed) })
	}
}

func keepFor(t *testing.T, unnamed bool) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, origin := kit.New(t, 2), &site{unnamed: unnamed}
		groups := kit.GroupOn(m, "g", origin.load, cachemesh.GroupOptions[page]{NoHotCopies: true, TTLFunc: func(string, page) time.Duration { return time.Minute }})
		cachemesh.KeepFor(ctx, "key", 1)
		if _, ok := cachemesh.Former[page](ctx, "key"); ok {
			t.Error("a former value for one who is no loader")
		}
		for i, test := range []struct{ ttl, lives time.Duration }{
			{0, time.Minute}, // it says nothing
			{10 * time.Second, 10 * time.Second},
			{-1, 0},
			{cachemesh.Forever, 2 * time.Minute},
		} {
			key := m.KeysOf("g", i%2, 4)[i]
			origin.ttl.Store(int64(test.ttl))
			origin.set("old")
			for _, g := range groups {
				kit.MustGet(t, g, key, page{"body of " + key + " old", "old"})
			}
			origin.set("new")
			if test.lives > 0 {
				time.Sleep(test.lives - time.Millisecond)
				kit.MustGet(t, groups[1], key, page{"body of " + key + " old", "old"})
				time.Sleep(2 * time.Millisecond)
			}
			if test.ttl != cachemesh.Forever {
				kit.MustGet(t, groups[1], key, page{"body of " + key + " new", "new"})
			}
		}
	})
}

// TestKeepForAll: LoadMany says once for how long all live that it loads, and may say more of some.
func TestKeepForAll(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		g := kit.GroupOn(kit.New(t, 1), "g", nil, cachemesh.GroupOptions[string]{LoadMany: func(ctx context.Context, keys []string) (map[string]string, error) {
			cachemesh.KeepFor(ctx, "", time.Minute)
			cachemesh.KeepFor(ctx, "b", time.Hour)
			if _, ok := cachemesh.Former[string](ctx, ""); ok {
				t.Error("several keys have one former value")
			}
			return map[string]string{"a": "a", "b": "b"}, nil
		}})[0]
		_, err := g.GetMany(ctx, []string{"a", "b"})
		kit.Must(t, err)
		for key, want := range map[string]time.Duration{"a": time.Minute, "b": time.Hour} {
			if m, err := g.Meta(ctx, key); err != nil || m.TTL != want {
				t.Errorf("%q lives for %v, %v, want %v", key, m.TTL, err, want)
			}
		}
	})
}

// TestRefreshPart: values that live for different times are refreshed at the same part
// of that.
func TestRefreshPart(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, origin := kit.New(t, 2), &site{}
		groups := kit.GroupOn(m, "g", origin.load, cachemesh.GroupOptions[page]{TTL: cachemesh.Forever, RefreshPart: 0.5, NoHotCopies: true})
		for i, ttl := range []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, cachemesh.Forever} {
			key := m.KeysOf("g", i%2, 4)[i]
			origin.ttl.Store(int64(ttl))
			origin.set("old")
			old := page{"body of " + key + " old", "old"}
			kit.MustGet(t, groups[0], key, old)
			origin.set("new")
			time.Sleep(min(ttl, 2*time.Minute)/2 - time.Millisecond)
			kit.MustGet(t, groups[0], key, old)
			time.Sleep(time.Millisecond / 2)
			kit.MustGet(t, groups[0], key, old)
			time.Sleep(time.Millisecond)
			kit.MustGet(t, groups[0], key, old) // and is refreshed
			time.Sleep(time.Millisecond)
			v, err := groups[0].Get(ctx, key)
			if want := ttl != cachemesh.Forever; err != nil || (v.ETag == "new") != want {
				t.Errorf("TTL %v: Get = %v, %v after half of it, refreshed: want %t", ttl, v, err, want)
			}
		}
	})
}

// TestFormerOfAnotherType, and in a loader that reads another group.
func TestFormerOfAnotherType(t *testing.T) {
	m := kit.New(t, 1)
	inner := kit.GroupOn(m, "inner", func(ctx context.Context, key string) (string, error) {
		if _, ok := cachemesh.Former[page](ctx, key); ok {
			return "", errors.New("it has what another group has")
		}
		cachemesh.KeepFor(ctx, "k", -1) // of the inner key alone
		return "inner", nil
	}, cachemesh.GroupOptions[string]{})[0]
	loads := 0
	g := kit.GroupOn(m, "g", func(ctx context.Context, key string) (page, error) {
		loads++
		v, err := inner.Get(ctx, key)
		return page{Body: v}, err
	}, cachemesh.GroupOptions[page]{})[0]
	for range 3 {
		kit.MustGet(t, g, "k", page{Body: "inner"})
	}
	kit.Must(t, g.Refresh(kit.Context(t), "k"))
	if loads != 2 {
		t.Errorf("%d loads, want 2", loads)
	}
}
