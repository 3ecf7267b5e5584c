package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

func TestGetManyPartialErrors(t *testing.T) {
	m := kit.New(t, 3)
	var loads atomic.Int64
	groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
		loads.Add(1)
		switch key[0] {
		case 'b':
			return "", fmt.Errorf("no row %s: %w", key, kit.ErrOrigin)
		case 'm':
			return "", cachemesh.ErrNotFound
		}
		return "value of " + key, nil
	}, cachemesh.GroupOptions[string]{Errors: []error{kit.ErrOrigin}})
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprint("good", i), fmt.Sprint("bad", i), fmt.Sprint("missing", i), fmt.Sprint("good", i))
	}
	long := strings.Repeat("k", cachemesh.MaxKeyLen+1)
	for i, g := range groups {
		many, err := g.GetMany(kit.Context(t), append(keys, "", long))
		failed, ok := errors.AsType[cachemesh.KeyErrors](err)
		if !ok || len(many) != 300 || len(failed) != 302 {
			t.Fatalf("node%d: %d values, %d failed, %T; want 300, 302, KeyErrors", i, len(many), len(failed), err)
		}
		for key, v := range many {
			if v != "value of "+key {
				t.Errorf("%q has %q", key, v)
			}
		}
		for key, err := range failed {
			switch {
			case key == "" || key == long:
				if !errors.Is(err, cachemesh.ErrInvalidKey) {
					t.Errorf("%.10q: %v", key, err)
				}
			case !strings.HasPrefix(key, "bad") || !errors.Is(err, kit.ErrOrigin):
				t.Errorf("%q: %v", key, err)
			default:
				if le, ok := errors.AsType[*cachemesh.LoadError](err); !ok || le.Key != key {
					t.Errorf("%q: %v", key, err)
				}
			}
		}
		if !errors.Is(err, kit.ErrOrigin) || !errors.Is(err, cachemesh.ErrInvalidKey) || errors.Is(err, cachemesh.ErrNotFound) {
			t.Errorf("errors.Is does not see the keys' errors: %v", err)
		}
		if i == 0 && loads.Load() != 900 {
			t.Errorf("%d loads for 900 keys", loads.Load())
		}
	}
}

func TestGetManyMakesOneCallPerOwner(t *testing.T) {
	var calls atomic.Int64
	m := kit.New(t, 4, func(_ int, o *cachemesh.Options) {
		o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
			if req.Group == "g" {
				calls.Add(1)
			}
			return next.Call(ctx, req, resp)
		}}
	})
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{NoHotCopies: true})
	var keys []string
	for i := range 1000 {
		keys = append(keys, fmt.Sprint("key", i))
	}
	for range 2 {
		calls.Store(0)
		many, err := groups[0].GetMany(kit.Context(t), keys)
		if err != nil || len(many) != len(keys) || calls.Load() != 3 {
			t.Errorf("%d of %d values with %d calls, %v; want all with 3", len(many), len(keys), calls.Load(), err)
		}
	}
	calls.Store(0)
	if err := groups[0].Delete(kit.Context(t), keys...); err != nil || calls.Load() != 3 {
		t.Errorf("Delete: %d calls, %v; want 3", calls.Load(), err)
	}
}

// TestGetManyOfLargeValues needs more than one answer can carry.
func TestGetManyOfLargeValues(t *testing.T) {
	m := kit.New(t, 2)
	groups := kit.GroupOn(m, "g", func(_ context.Context, key string) ([]byte, error) {
		return []byte(strings.Repeat(key+"!", 300<<10/(len(key)+1))), nil
	}, cachemesh.GroupOptions[[]byte]{})
	keys := m.KeysOf("g", 1, 20)
	for range 2 {
		many, err := groups[0].GetMany(kit.Context(t), keys)
		if err != nil || len(many) != len(keys) {
			t.Fatalf("%d of %d values, %v", len(many), len(keys), err)
		}
		for key, v := range many {
			if !strings.HasPrefix(string(v), key+"!") || len(v) < 299<<10 {
				t.Errorf("%q has %d bytes: %.20q", key, len(v), v)
			}
		}
	}
}

// TestManyLongKeys needs more than one request can carry.
func TestManyLongKeys(t *testing.T) {
	m := kit.New(t, 2)
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
	var keys []string
	for i := range 1500 {
		keys = append(keys, fmt.Sprintf("%04d%s", i, strings.Repeat("x", cachemesh.MaxKeyLen-4)))
	}
	many, err := groups[0].GetMany(kit.Context(t), keys)
	if err != nil || len(many) != len(keys) {
		t.Fatalf("%d of %d values, %v", len(many), len(keys), err)
	}
	kit.Must(t, groups[1].Delete(kit.Context(t), keys...))
	if a, b := groups[0].Stats(), groups[1].Stats(); a.Entries+b.Entries != 0 {
		t.Errorf("%d entries left after Delete", a.Entries+b.Entries)
	}
}

func TestDeleteOfManyKeys(t *testing.T) {
	m := kit.New(t, 3)
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	ctx := kit.Context(t)
	var keys []string
	for i := range 3000 {
		keys = append(keys, fmt.Sprint("key", i))
		kit.Must(t, groups[i%3].Set(ctx, keys[i], "v", 0))
	}
	for _, g := range groups { // some become hot copies
		for range 5 {
			for _, key := range keys[:50] {
				kit.MustGet(t, g, key, "v")
			}
		}
	}
	kit.Must(t, groups[1].Delete(ctx, keys[:2000]...))
	for i, g := range groups {
		many, err := g.GetMany(ctx, keys)
		if err != nil || len(many) != 1000 {
			t.Errorf("node%d sees %d keys, %v, want 1000", i, len(many), err)
		}
		for _, key := range keys[:2000] {
			if v, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Fatalf("node%d: Get(%q) = %q, %v", i, key, v, err)
			}
		}
	}
}

func TestClearOnAllMembers(t *testing.T) {
	m := kit.New(t, 3)
	groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	other := kit.GroupOn[string](m, "other", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	ctx := kit.Context(t)
	for i := range 500 {
		key := fmt.Sprint("key", i)
		kit.Must(t, groups[i%3].Set(ctx, key, "v", 0))
		kit.Must(t, other[i%3].Set(ctx, key, "v", 0))
	}
	for _, g := range groups {
		for range 5 {
			for i := range 50 {
				kit.MustGet(t, g, fmt.Sprint("key", i), "v")
			}
		}
	}
	if groups[0].Stats().HotHits == 0 {
		t.Error("no hot copies: the test tests less than it should")
	}
	kit.Must(t, groups[2].Clear(ctx))
	for n, g := range groups {
		for i := range 500 {
			if v, err := g.Get(ctx, fmt.Sprint("key", i)); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Fatalf("node%d: Get after Clear = %q, %v", n, v, err)
			}
			kit.MustGet(t, other[n], fmt.Sprint("key", i), "v")
		}
		if s := g.Stats(); s.Entries != 0 {
			t.Errorf("node%d holds %d entries after Clear", n, s.Entries)
		}
	}
	kit.Must(t, groups[0].Set(ctx, "key1", "again", 0))
	kit.MustGet(t, groups[1], "key1", "again")
}

// TestClearVoidsLoads: what was being loaded when Clear was called is not kept.
func TestClearVoidsLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		for owner := range 2 {
			key := m.KeyOf("g", owner)
			old := kit.GoGet(ctx, groups[0], key)
			<-gate.Entered
			kit.Must(t, groups[0].Clear(ctx))
			again := kit.GoGet(ctx, groups[0], key)
			<-gate.Entered // a load of its own
			gate.Release <- "v"
			gate.Release <- "v"
			<-old
			if out := <-again; out.V != "v" || out.Err != nil {
				t.Errorf("Get after Clear = %v", out)
			}
		}
	})
}

// An owner that is silent costs its own keys alone, whether there is a connection to it or not.
func TestGetManyBesideASilentOwner(t *testing.T) {
	for _, connected := range []bool{true, false} {
		t.Run(fmt.Sprint("connected=", connected), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3)
				groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{NoHotCopies: true})
				silent, well := m.KeyOf("g", 1), m.KeyOf("g", 2)
				kit.MustGet(t, groups[0], well, "value of "+well)
				if connected {
					kit.MustGet(t, groups[0], silent, "value of "+silent)
				}
				m.Net.Pause(kit.Host(1))
				defer m.Net.Resume(kit.Host(1))
				short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
				start := time.Now()
				values, err := groups[0].GetMany(short, []string{silent, well})
				failed, ok := errors.AsType[cachemesh.KeyErrors](err)
				if values[well] != "value of "+well || !ok || len(failed) != 1 || !errors.Is(failed[silent], context.DeadlineExceeded) {
					t.Errorf("GetMany: %v, %v; want the well owner's value and the silent one's deadline", values, err)
				}
				if took := time.Since(start); took > 400*time.Millisecond {
					t.Errorf("it took %v with 300ms", took)
				}
			})
		})
	}
}
