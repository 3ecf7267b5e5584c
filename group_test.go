package cachemesh_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func TestColdKeyIsLoadedOnce(t *testing.T) {
	m := kit.NewReal(t, 5)
	var loads atomic.Int64
	groups := kit.GroupOn(m, "g", func(ctx context.Context, key string) (string, error) {
		loads.Add(1)
		select {
		case <-time.After(200 * time.Millisecond):
			return "v", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}, cachemesh.GroupOptions[string]{})
	const gets = 10_000
	var all sync.WaitGroup
	var failed atomic.Int64
	start := time.Now()
	for i := range gets {
		all.Go(func() {
			if v, err := groups[i%5].Get(context.Background(), "cold"); v != "v" || err != nil {
				if failed.Add(1) == 1 {
					t.Errorf("Get = %q, %v", v, err)
				}
			}
		})
	}
	all.Wait()
	if loads.Load() != 1 || failed.Load() != 0 {
		t.Errorf("%d loads, %d failed Gets, want 1 and 0", loads.Load(), failed.Load())
	}
	t.Logf("%d Gets over 5 members: %d load, %v", gets, loads.Load(), time.Since(start))
}

// TestColdKeyInMemory asks for a cold key on every member at once: one load. The
// owner crashes: one more.
func TestColdKeyInMemory(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 3), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 2)
		for round := range int64(2) {
			var waiting []<-chan kit.Outcome
			for range 20 {
				for _, g := range groups[:len(groups)-int(round)] {
					waiting = append(waiting, kit.GoGet(ctx, g, key))
				}
			}
			<-gate.Entered
			synctest.Wait()
			gate.Release <- "v"
			for _, c := range waiting {
				if out := <-c; out.V != "v" || out.Err != nil {
					t.Errorf("Get = %q, %v", out.V, out.Err)
				}
			}
			if n := gate.Loads.Load(); n != round+1 {
				t.Fatalf("%d loads, want %d", n, round+1)
			}
			if round == 0 {
				m.Kill(2)
				m.Settle(2)
			}
		}
	})
}

var oddKeys = []string{
	"a b", "a+b", "/lead", "a//b", "a/../b", "..", ".", "%2F", "a%2Fb", "a/b", "%", "?x=1#y", "\x00", "nul\x00inside", "\xff\xfe\x80",
	"ключ", "\r\n", " ", strings.Repeat("k", cachemesh.MaxKeyLen), strings.Repeat("\x00", cachemesh.MaxKeyLen),
}

func TestKeysAreAnyBytes(t *testing.T) {
	m := kit.New(t, 2)
	plain := kit.GroupOn[string](m, "a/b c", nil, cachemesh.GroupOptions[string]{})
	loaded := kit.GroupOn(m, "a", kit.Echo, cachemesh.GroupOptions[string]{})
	ctx := kit.Context(t)
	for w, writer := range plain {
		for _, key := range oddKeys {
			kit.Must(t, writer.Set(ctx, key, "v"+key, 0))
		}
		for r, reader := range plain {
			for _, key := range oddKeys {
				kit.MustGet(t, reader, key, "v"+key)
				kit.MustGet(t, loaded[r], key, "value of "+key)
			}
			many, err := reader.GetMany(ctx, oddKeys)
			if err != nil || len(many) != len(oddKeys) {
				t.Fatalf("GetMany: %d of %d values, %v", len(many), len(oddKeys), err)
			}
			for _, key := range oddKeys {
				if many[key] != "v"+key {
					t.Errorf("GetMany: %q has %q", key, many[key])
				}
			}
		}
		deleter := plain[1-w]
		for i, key := range oddKeys {
			if i%2 == 0 {
				kit.Must(t, deleter.Delete(ctx, key))
			}
		}
		kit.Must(t, deleter.Delete(ctx, oddKeys...))
		for _, reader := range plain {
			for _, key := range oddKeys {
				if v, err := reader.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("Get(%.20q) after Delete = %.20q, %v", key, v, err)
				}
			}
		}
	}
	for _, key := range oddKeys {
		for i, n := range m.Nodes {
			kit.Must(t, n.Set([]byte(key), []byte(key), 0))
			if v, err := m.Nodes[1-i].Get([]byte(key)); string(v) != key || err != nil {
				t.Errorf("Node.Get(%.20q) = %.20q, %v", key, v, err)
			}
			kit.Must(t, n.Delete([]byte(key)))
		}
	}
	t.Logf("%d odd keys", len(oddKeys))
}

func TestInvalidKeys(t *testing.T) {
	m := kit.New(t, 2)
	g := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})[0]
	ctx := kit.Context(t)
	for _, key := range []string{"", strings.Repeat("k", cachemesh.MaxKeyLen+1)} {
		_, getErr := g.Get(ctx, key)
		many, manyErr := g.GetMany(ctx, []string{"good", key})
		if len(many) != 1 || many["good"] != "value of good" {
			t.Errorf("GetMany beside an invalid key = %v", many)
		}
		_, nodeErr := m.Nodes[0].Get([]byte(key))
		for what, err := range map[string]error{
			"Get": getErr, "GetMany": manyErr, "Set": g.Set(ctx, key, "v", 0), "Delete": g.Delete(ctx, key),
			"Delete of several": g.Delete(ctx, "good", key), "Node.Get": nodeErr,
			"Node.Set": m.Nodes[0].Set([]byte(key), nil, 0), "Node.Delete": m.Nodes[0].Delete([]byte(key)),
		} {
			if !errors.Is(err, cachemesh.ErrInvalidKey) {
				t.Errorf("%s of a key of %d bytes: %v, want ErrInvalidKey", what, len(key), err)
			}
		}
	}
	if err := g.Delete(ctx); err != nil {
		t.Errorf("Delete of no key: %v", err)
	}
	if many, err := g.GetMany(ctx, nil); err != nil || len(many) != 0 {
		t.Errorf("GetMany of no key = %v, %v", many, err)
	}
}

func TestSetOfANegativeTTL(t *testing.T) {
	m := kit.New(t, 2)
	g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})[0]
	for i := range 2 {
		key := m.KeyOf("g", i)
		kit.Must(t, g.Set(kit.Context(t), key, "old", 0))
		if err := g.Set(kit.Context(t), key, "new", -1); !errors.Is(err, cachemesh.ErrInvalidTTL) {
			t.Errorf("Set with TTL -1: %v, want ErrInvalidTTL", err)
		}
		kit.MustGet(t, g, key, "old")
	}
}

// TestQuickStartSurvivesACrash is the quick start's two nodes: what one has Set the other finds,
// whichever of them crashes; and a mesh of one simply works.
func TestQuickStartSurvivesACrash(t *testing.T) {
	for crashed := range 2 {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 1)
			if err := m.Nodes[0].Set([]byte("alone"), []byte("works"), time.Minute); err != nil {
				t.Errorf("Set in a mesh of one: %v", err)
			}
			m.Nodes = append(m.Nodes, m.NewNode(1))
			kit.Must(t, m.Nodes[1].Start())
			m.Settle(2)
			keys := append(kit.Numbered("hello", 20), "alone")
			for _, key := range keys {
				kit.Must(t, m.Nodes[1].Set([]byte(key), []byte("works"), time.Minute))
			}
			m.Kill(crashed)
			m.Settle(1)
			for _, key := range keys {
				if v, err := m.Nodes[1-crashed].Get([]byte(key)); string(v) != "works" || err != nil {
					t.Errorf("%s: %q, %v", key, v, err)
				}
				kit.Must(t, m.Nodes[1-crashed].Set([]byte(key), []byte("anew"), 0))
			}
		})
	}
}

// TestAfterCommit: what fails is repeated though the request is over, what has succeeded is not, and
// what no repetition mends is returned at once.
func TestAfterCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over, cancel := context.WithCancel(context.WithValue(t.Context(), t, "v"))
		cancel()
		flaky, fine := 0, 0
		begin := time.Now()
		err := cachemesh.AfterCommit(over, 0, func(ctx context.Context) error {
			if flaky++; ctx.Err() != nil || ctx.Value(t) != "v" {
				t.Errorf("the context has %v and %v", ctx.Value(t), ctx.Err())
			}
			if flaky < 4 {
				return cachemesh.KeyErrors{"a": &cachemesh.PeerError{Err: cachemesh.ErrClosed}, "b": cachemesh.ErrInvalidKey}
			}
			return nil
		}, func(context.Context) error { fine++; return nil })
		if took := time.Since(begin); err != nil || flaky != 4 || fine != 1 || took != 350*time.Millisecond {
			t.Errorf("%v after %v, %d and %d calls", err, took, flaky, fine)
		}
		begin = time.Now()
		err = cachemesh.AfterCommit(over, time.Minute, func(ctx context.Context) error {
			if time.Since(begin) < 50*time.Second {
				return cachemesh.ErrMinority
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if took := time.Since(begin); !errors.Is(err, cachemesh.ErrMinority) || took != time.Minute {
			t.Errorf("a minority: %v after %v", err, took)
		}
		m := kit.New(t, 1)
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return "v", nil }, cachemesh.GroupOptions[string]{})[0]
		closed, failed := kit.GroupOn(m, "closed", nil, cachemesh.GroupOptions[string]{})[0], errors.New("boom")
		kit.Must(t, closed.Close(t.Context()))
		begin = time.Now()
		for what, f := range map[string]func(context.Context) error{
			"no key":         func(ctx context.Context) error { return g.Delete(ctx, "") },
			"no tags":        func(ctx context.Context) error { return g.DeleteTag(ctx, "a") },
			"a closed group": func(ctx context.Context) error { return closed.Delete(ctx, "a", "b") },
			"a panic":        func(context.Context) error { panic(failed) },
		} {
			if err := cachemesh.AfterCommit(over, 0, f); err == nil || time.Since(begin) > 0 {
				t.Errorf("%s: %v after %v", what, err, time.Since(begin))
			}
		}
		kit.Must(t, cachemesh.AfterCommit(over, 0, func(ctx context.Context) error { return g.Delete(ctx, "a") }))
		kit.Must(t, cachemesh.AfterCommit(over, 0))
	})
}
