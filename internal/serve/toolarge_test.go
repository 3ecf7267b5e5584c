package serve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// The row of blobs is a version of a value of any size.
type blobs struct {
	version, size, loads atomic.Int64
	missing              atomic.Bool
}

func (b *blobs) load(context.Context, string) ([]byte, error) {
	b.loads.Add(1)
	if b.missing.Load() {
		return nil, cachemesh.ErrNotFound
	}
	return append(fmt.Appendf(nil, "version %d ", b.version.Load()), make([]byte, b.size.Load())...), nil
}

// TestTooLargeForTheWire: a value that the owner has and cannot send is loaded by
// whoever wants it, is never old, and costs the owner one load.
func TestTooLargeForTheWire(t *testing.T) {
	const limit, tooLarge = 64 << 10, 3 << 20
	for name, tt := range map[string]struct {
		maxBytes int64 // of the group: whether the owner can keep the value
		limits   [3]int
	}{
		"kept by the owner":       {256 << 20, [3]int{limit, limit, limit}},
		"too large for the owner": {4 << 20, [3]int{limit, limit, limit}},
		"the callers accept less": {256 << 20, [3]int{limit, 16 << 20, limit}},
		"the callers accept more": {256 << 20, [3]int{16 << 20, limit, 16 << 20}},
	} {
		for what, get := range map[string]func(ctx context.Context, g *cachemesh.Group[[]byte], key string) ([]byte, error){
			"Get": func(ctx context.Context, g *cachemesh.Group[[]byte], key string) ([]byte, error) {
				return g.Get(ctx, key)
			},
			"GetMany": func(ctx context.Context, g *cachemesh.Group[[]byte], key string) ([]byte, error) {
				many, err := g.GetMany(ctx, []string{key, key + " too"})
				return many[key], err
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m := kit.New(t, 3, func(i int, o *cachemesh.Options) { o.MaxValueBytes = tt.limits[i] })
					var b blobs
					b.size.Store(tooLarge)
					groups := kit.GroupOn(m, "g", b.load, cachemesh.GroupOptions[[]byte]{MaxBytes: tt.maxBytes, HotReads: 1, NotFoundTTL: time.Minute})
					key := m.KeyOf("g", 1)
					for round := range int64(4) {
						b.version.Store(round)
						kit.Must(t, groups[2].Delete(ctx, key, key+" too"))
						want, before := fmt.Sprintf("version %d ", round), b.loads.Load()
						for i := range groups {
							v, err := get(ctx, groups[i], key)
							if err != nil || len(v) < tooLarge || string(v[:len(want)]) != want {
								t.Errorf("round %d: on node%d %d bytes that begin with %.12q, %v, want %q", round, i, len(v), v, err, want)
							}
						}
						keys, loads := int64(1), b.loads.Load()-before
						if what == "GetMany" {
							keys = 2
						}
						if loads > 4*keys { // the owner's two, and each caller's own
							t.Errorf("round %d: %d loads of %d keys", round, loads, keys)
						}
						t.Logf("%d loads of %d keys", loads, keys)
					}
				})
			})
		}
	}
}

// TestGrownTooLarge: a key that did not exist, or was small, is too large now.
func TestGrownTooLarge(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, func(i int, o *cachemesh.Options) { o.MaxValueBytes = 64 << 10 })
		var b blobs
		groups := kit.GroupOn(m, "g", b.load, cachemesh.GroupOptions[[]byte]{
			HotReads: 1, NotFoundTTL: time.Hour, RefreshAfter: time.Second, TTL: time.Minute, StaleFor: time.Hour})
		key := m.KeyOf("g", 1)
		wantAll := func(what string, version, size int) {
			t.Helper()
			want := fmt.Sprintf("version %d ", version)
			for i, g := range groups {
				v, err := g.Get(ctx, key)
				if err != nil || len(v) != size+len(want) || string(v[:len(want)]) != want {
					t.Errorf("%s: node%d got %d bytes that begin with %.12q, %v, want %q and %d", what, i, len(v), v, err, want, size)
				}
			}
		}
		b.missing.Store(true)
		for _, g := range groups {
			if _, err := g.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("a key that does not exist: %v", err)
			}
		}
		b.missing.Store(false)
		b.size.Store(3 << 20)
		kit.Must(t, groups[2].Delete(ctx, key))
		wantAll("not found before", 0, 3<<20)
		if _, err := groups[2].Peek(ctx, key); !errors.Is(err, cachemesh.ErrTooLarge) {
			t.Errorf("Peek of a value that cannot cross: %v, want ErrTooLarge", err)
		}
		b.size.Store(1)
		kit.Must(t, groups[2].Delete(ctx, key))
		wantAll("small again", 0, 1)
		b.version.Store(1)
		b.size.Store(3 << 20)
		time.Sleep(1100 * time.Millisecond)
		for _, g := range groups {
			g.Get(ctx, key) // the refresh begins
		}
		time.Sleep(time.Second)
		wantAll("refreshed", 1, 3<<20)
	})
}

// TestTooLargeInAMap: what one member holds and another does not accept is a typed
// error: nobody could load it.
func TestTooLargeInAMap(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) { o.MaxValueBytes = []int{1 << 10, 16 << 20}[i] })
		groups := kit.GroupOn[[]byte](m, "g", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1, MaxBytes: 256 << 20})
		keys := m.KeysOf("g", 1, 2)
		kit.Must(t, groups[1].Set(ctx, keys[0], make([]byte, 3<<20), 0))
		kit.Must(t, groups[1].Set(ctx, keys[1], []byte("small"), 0))
		start := time.Now()
		if _, err := groups[0].Get(ctx, keys[0]); !errors.Is(err, cachemesh.ErrTooLarge) {
			t.Errorf("Get: %v, want ErrTooLarge", err)
		}
		many, err := groups[0].GetMany(ctx, keys)
		if !errors.Is(err, cachemesh.ErrTooLarge) || string(many[keys[1]]) != "small" || len(many) != 1 {
			t.Errorf("GetMany: %d values, %v, want the small one and ErrTooLarge", len(many), err)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v to say so", took)
		}
	})
}

// TestTooLargeTakenForUnreachable: what would happen if it were.
func TestTooLargeTakenForUnreachable(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		broken := faultinject.Faults{TooLargeUnreachable: true, KeepStandIn: true}
		m := kit.New(t, 3, func(i int, o *cachemesh.Options) {
			o.MaxValueBytes = 64 << 10
			o.Network = kit.Faulty{Without: broken, Tapped: kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				return next.Call(ctx, req, resp)
			}}}
		})
		var b blobs
		b.size.Store(3 << 20)
		groups := kit.GroupOn(m, "g", b.load, cachemesh.GroupOptions[[]byte]{})
		key, old := m.KeyOf("g", 1), 0
		for round := range int64(4) {
			b.version.Store(round)
			kit.Must(t, groups[2].Delete(ctx, key))
			for _, g := range groups {
				if v, err := g.Get(ctx, key); err != nil || !bytes.HasPrefix(v, fmt.Appendf(nil, "version %d ", round)) {
					old++
				}
			}
		}
		if old == 0 {
			t.Error("nobody noticed")
		}
	})
}

// TestTooLargeToKeepIsSeen: a value that the wire takes and the store does not is
// loaded for each Get, and the log says so, once a minute, and what would do.
func TestTooLargeToKeepIsSeen(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		log := &kit.Log{}
		m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = log.Logger() })
		var b blobs
		b.size.Store(10 << 20)
		get := func(name string, o cachemesh.GroupOptions[[]byte]) cachemesh.Stats {
			g := kit.GroupOn(m, name, b.load, o)[0]
			for range 3 {
				if v, err := g.Get(ctx, "k"); len(v) < 10<<20 || err != nil {
					t.Fatalf("Get = %d bytes, %v", len(v), err)
				}
			}
			seam.Inside(m.Nodes[0]).FlushLog()
			return g.Stats()
		}
		if s := get("small", cachemesh.GroupOptions[[]byte]{}); s.TooLarge != 3 || log.Count("level=WARN", "too large", "group=small", "key=k") != 1 {
			t.Errorf("TooLarge = %d, %d lines:\n%s", s.TooLarge, log.Count("too large"), log)
		}
		enough := int64(0)
		for line := range strings.Lines(log.String()) {
			if _, at, found := strings.Cut(line, `max_bytes_needed=`); found {
				fmt.Sscanf(at, "%d", &enough)
			}
		}
		if s := get("large", cachemesh.GroupOptions[[]byte]{MaxBytes: enough}); s.TooLarge != 0 || s.Loads != 1 {
			t.Errorf("with MaxBytes %d: %d loads, %d too large", enough, s.Loads, s.TooLarge)
		}
		time.Sleep(time.Minute)
		get("small too", cachemesh.GroupOptions[[]byte]{MaxBytes: 4 << 20})
		if n := log.Count("too large"); n != 2 {
			t.Errorf("%d lines for two groups", n)
		}
	})
}
