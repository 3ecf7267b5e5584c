package owner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// TestFailuresAreRemembered: the origin is down and nothing old is there. Four keys
// are asked for on every member for half a minute.
func TestFailuresAreRemembered(t *testing.T) {
	for _, remembered := range []time.Duration{0, 100 * time.Millisecond} {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprint("FailureTTL=", remembered, "/GetMany=", many), func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					m, tb := kit.New(t, 2), &kit.Table{}
					o := cachemesh.GroupOptions[string]{TTL: time.Hour, FailureTTL: remembered, Errors: []error{kit.ErrOrigin}}
					if many {
						o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
							_, err := tb.Load(ctx, keys[0])
							return nil, cachemesh.KeyErrors{keys[0]: err}
						}
					}
					groups := kit.GroupOn(m, "g", tb.Load, o)
					keys := append(m.KeysOf("g", 0, 2), m.KeysOf("g", 1, 2)...)
					tb.Fails.Store(true)
					gets := 0
					for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
						for _, key := range keys {
							for _, g := range groups {
								var err error
								if many {
									_, err = g.GetMany(ctx, []string{key})
								} else {
									_, err = g.Get(ctx, key)
								}
								gets++
								if !errors.Is(err, kit.ErrOrigin) {
									t.Fatalf("Get: %v", err)
								}
							}
						}
					}
					n := tb.Loads.Load()
					t.Logf("30 s of outage: %d Gets of %d keys, %d loads (%.1f a key)", gets, len(keys), n, float64(n)/float64(len(keys)))
					if remembered == 0 && n != int64(gets) || remembered > 0 && n > int64(11*len(keys)) {
						t.Errorf("%d loads for %d Gets", n, gets)
					}
				})
			})
		}
	}
}

// TestFailuresAreForgotten by a write, a Clear, and a load that succeeds.
func TestFailuresAreForgotten(t *testing.T) {
	for _, how := range []string{"Set", "Delete", "Clear", "time"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, tb := kit.New(t, 2), &kit.Table{}
				groups := kit.GroupOn(m, "g", tb.Load, cachemesh.GroupOptions[string]{FailureTTL: 5 * time.Second})
				key := m.KeyOf("g", 0)
				tb.Fails.Store(true)
				for _, g := range groups {
					if _, err := g.Get(ctx, key); err == nil {
						t.Fatal("no error")
					}
				}
				tb.Fails.Store(false)
				tb.Set("row")
				switch how {
				case "Set":
					kit.Must(t, groups[1].Set(ctx, key, "row", 0))
				case "Delete":
					kit.Must(t, groups[1].Delete(ctx, key))
				case "Clear":
					kit.Must(t, groups[1].Clear(ctx))
				default:
					time.Sleep(5 * time.Second)
				}
				for _, g := range groups {
					kit.MustGet(t, g, key, "row")
				}
				if n := tb.Loads.Load(); n > 2 {
					t.Errorf("%d loads", n)
				}
			})
		})
	}
}

// TestRememberedFailuresAreBounded: very many keys fail, with long texts.
func TestRememberedFailuresAreBounded(t *testing.T) {
	m := kit.New(t, 1)
	var loads atomic.Int64
	g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
		loads.Add(1)
		panic(strings.Repeat("x", 4000))
	}, cachemesh.GroupOptions[string]{FailureTTL: time.Hour, MaxBytes: 1 << 20})[0]
	for i := range 2000 {
		g.Get(kit.Context(t), fmt.Sprint("key", i))
	}
	keys, bytes := seam.Inside(m.Nodes[0]).Failures("g")
	t.Logf("2000 keys failed: %d remembered, %d bytes", keys, bytes)
	if keys == 0 || bytes > 1<<20/32 {
		t.Errorf("%d failures take %d bytes, MaxBytes is 1 MiB", keys, bytes)
	}
	before := loads.Load()
	_, err := g.Get(kit.Context(t), "key1999")
	if le, ok := errors.AsType[*cachemesh.LoadError](err); !ok || !le.Panic || le.Key != "key1999" || loads.Load() != before {
		t.Errorf("Get = %.200v, %d loads more", err, loads.Load()-before)
	}
}

// TestFailedRefreshIsSeen in the log, once in a while, and in Stats.
func TestFailedRefreshIsSeen(t *testing.T) {
	for _, how := range []string{"error", "panic"} {
		t.Run(how, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				log, fails := &kit.Log{}, false
				m := kit.New(t, 1, func(_ int, o *cachemesh.Options) { o.Logger = log.Logger() })
				g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
					switch {
					case fails && how == "panic":
						panic(kit.ErrOrigin)
					case fails:
						return "", kit.ErrOrigin
					}
					return "v", nil
				}, cachemesh.GroupOptions[string]{TTL: time.Hour, RefreshAfter: time.Second})[0]
				for i := range 50 {
					kit.MustGet(t, g, fmt.Sprint("key", i), "v")
				}
				if s := g.Stats(); s.RefreshErrors != 0 || s.RefreshError != nil {
					t.Errorf("Stats = %d, %v before anything failed", s.RefreshErrors, s.RefreshError)
				}
				fails = true
				for range 90 {
					time.Sleep(time.Second)
					for i := range 50 {
						kit.MustGet(t, g, fmt.Sprint("key", i), "v")
					}
				}
				seam.Inside(m.Nodes[0]).FlushLog()
				lines := log.Count("level=WARN", "refresh", "group=g", kit.ErrOrigin.Error())
				s := g.Stats()
				le, ok := errors.AsType[*cachemesh.LoadError](s.RefreshError)
				t.Logf("%d refreshes failed, %d lines in the log", s.RefreshErrors, lines)
				if lines < 1 || lines > 2 || s.RefreshErrors < 100 || !ok || !errors.Is(le, kit.ErrOrigin) || le.Panic != (how == "panic") {
					t.Errorf("%d lines, RefreshErrors = %d, %.200v", lines, s.RefreshErrors, s.RefreshError)
				}
			})
		})
	}
}
