package owner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// scanned returns how often each key is in the pages of a scan.
func scanned[V any](t *testing.T, ctx context.Context, g *cachemesh.Group[V], q cachemesh.ScanQuery) map[string]int {
	t.Helper()
	seen := make(map[string]int)
	for item, err := range cachemesh.ScanAll(ctx, g, q) {
		kit.Must(t, err)
		seen[item.Key]++
	}
	return seen
}

// TestScan goes through what three members hold, in pages, with a prefix and with values.
func TestScan(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
		keys := append(kit.Numbered("a", 700), kit.Numbered("b", 300)...)
		for i, key := range keys {
			kit.Must(t, groups[i%3].Set(ctx, key, "value of "+key, time.Duration(1+i%2)*time.Hour))
		}
		kit.Must(t, groups[0].Set(ctx, "a large", strings.Repeat("x", 2<<20), 0))
		kit.Must(t, groups[0].Set(ctx, "short", "v", time.Second))
		time.Sleep(2 * time.Second)
		pages, largest := 0, 0
		seen := make(map[string]bool)
		for q := (cachemesh.ScanQuery{Values: true, Count: 50}); ; pages++ {
			page, err := groups[pages%3].Scan(ctx, q) // on any member
			kit.Must(t, err)
			for _, item := range page.Items {
				if seen[item.Key] {
					t.Errorf("%s is there twice", item.Key)
				}
				seen[item.Key] = true
				if large := item.Key == "a large"; large != (len(item.Value) == 2<<20) || large != (item.TTL == cachemesh.Forever) {
					t.Errorf("%s: %d bytes, %v", item.Key, len(item.Value), item.TTL)
				} else if !large && (item.Value != "value of "+item.Key || item.TTL <= 0 || item.TTL > 2*time.Hour) {
					t.Errorf("%s: %q, %v", item.Key, item.Value, item.TTL)
				}
			}
			largest = max(largest, len(page.Items))
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if len(seen) != len(keys)+1 || pages < 20 || largest > 100 {
			t.Errorf("%d keys in %d pages of up to %d", len(seen), pages, largest)
		}
		if got := scanned(t, ctx, groups[1], cachemesh.ScanQuery{Prefix: "b"}); len(got) != 300 {
			t.Errorf("%d keys begin with b", len(got))
		}
		kit.Must(t, groups[2].Clear(ctx))
		if got := scanned(t, ctx, groups[1], cachemesh.ScanQuery{Values: true}); len(got) != 0 {
			t.Errorf("%d keys after Clear", len(got))
		}
		for _, bad := range []cachemesh.ScanQuery{{Cursor: "x"}, {Cursor: "-1"}} {
			if _, err := groups[0].Scan(ctx, bad); !errors.Is(err, cachemesh.ErrInvalidCursor) {
				t.Errorf("%v: %v", bad, err)
			}
		}
		if _, err := groups[0].Scan(ctx, cachemesh.ScanQuery{Count: 1001}); err == nil {
			t.Error("a page of 1001 keys")
		}
	})
}

// TestScanSeesWhatIsAdded: pages use what an earlier page has gathered, and miss nothing that came
// since.
func TestScanSeesWhatIsAdded(t *testing.T) {
	m, ctx := kit.NewReal(t, 1), kit.Context(t)
	g := kit.GroupOn[int](m, "g", nil, cachemesh.GroupOptions[int]{Replicas: 1, MaxBytes: 128 << 20})[0]
	all := kit.Numbered("key", 50_000)
	set := func(keys []string) {
		for i, key := range keys {
			kit.Must(t, g.Set(ctx, key, i, 0))
		}
	}
	set(all[:40_000])
	first, err := g.Scan(ctx, cachemesh.ScanQuery{})
	kit.Must(t, err)
	for from := 40_000; from < 50_000; from += 2000 { // more than a window takes, in the end
		set(all[from : from+2000])
		start := time.Now()
		got := scanned(t, ctx, g, cachemesh.ScanQuery{Count: 1000})
		t.Logf("%d keys in %v", len(got), time.Since(start))
		if len(got) != from+2000 {
			t.Fatalf("%d of %d keys", len(got), from+2000)
		}
	}
	if got := scanned(t, ctx, g, cachemesh.ScanQuery{Cursor: first.Next}); len(got) != 50_000-len(first.Items) && len(got) < 49_000 {
		t.Errorf("%d keys follow the first %d", len(got), len(first.Items))
	}
}

// TestScanWhileMembersComeAndGo: a key that is there throughout is seen.
func TestScanWhileMembersComeAndGo(t *testing.T) {
	for round := range 6 {
		t.Run(fmt.Sprint("round=", round), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3)
				m.Net.SetLatency(0, time.Millisecond)
				groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
				keys := kit.Numbered("key", 600)
				for _, key := range keys {
					kit.Must(t, groups[0].Set(ctx, key, "v", 0))
				}
				var moves sync.WaitGroup
				moves.Go(func() {
					n := m.NewNode(3)
					m.Nodes = append(m.Nodes, n)
					_, err := cachemesh.NewGroup[string](n, "g", nil, cachemesh.GroupOptions[string]{Replicas: 1})
					kit.Must(t, err)
					kit.Must(t, n.Start())
					leaver := m.Nodes[2]
					m.Nodes = slices.Delete(m.Nodes, 2, 3)
					kit.Must(t, leaver.Shutdown(ctx))
				})
				time.Sleep(time.Duration(round) * time.Millisecond)
				pages, q, seen := 0, cachemesh.ScanQuery{Count: 10}, make(map[string]bool)
				for {
					page, err := groups[pages%2].Scan(ctx, q)
					kit.Must(t, err)
					for _, item := range page.Items {
						seen[item.Key] = true
					}
					pages++
					if q.Cursor = page.Next; q.Cursor == "" {
						break
					}
					time.Sleep(time.Duration(1+round) * 5 * time.Millisecond)
					kit.Must(t, groups[1].Set(ctx, fmt.Sprint("new", pages), "v", 0))
				}
				moves.Wait()
				for _, key := range keys {
					if !seen[key] {
						t.Errorf("%s was there throughout, and is in none of %d pages", key, pages)
					}
				}
			})
		})
	}
}
