package owner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestOneClosureRuns: of a thousand that call GetOr for a cold key on five members, each with
// a closure of its own, one runs its own, and all have what that returned.
func TestOneClosureRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 5)
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		for _, key := range kit.Numbered("key", 3) {
			var ran atomic.Int64
			var first atomic.Pointer[string]
			var all sync.WaitGroup
			start := time.Now()
			for i := range 1000 {
				all.Go(func() {
					v, err := g(i%5).GetOr(t.Context(), key, func(ctx context.Context, _ string) (string, error) {
						ran.Add(1)
						mine := fmt.Sprint("value of ", i)
						first.Store(&mine)
						time.Sleep(50 * time.Millisecond)
						return mine, nil
					})
					if err != nil || v != *first.Load() {
						t.Errorf("%s: caller %d: %q, %v, want %q", key, i, v, err, *first.Load())
					}
				})
			}
			all.Wait()
			if n := ran.Load(); n != 1 || time.Since(start) > 100*time.Millisecond {
				t.Errorf("%s: %d closures ran, in %v", key, n, time.Since(start))
			}
			if v, err := g(1).Get(t.Context(), key); err != nil || v != *first.Load() {
				t.Errorf("%s: Get: %q, %v", key, v, err)
			}
		}
	})
}

// a closure that fails answers all who wait, as a loader does.
func TestAClosureFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		for what, load := range map[string]cachemesh.LoaderFunc[string]{
			"error": func(context.Context, string) (string, error) {
				time.Sleep(10 * time.Millisecond)
				return "", context.DeadlineExceeded
			},
			"panic": func(context.Context, string) (string, error) {
				time.Sleep(10 * time.Millisecond)
				panic(fmt.Errorf("it: %w", context.DeadlineExceeded))
			},
		} {
			var all sync.WaitGroup
			var ran atomic.Int64
			for i := range 30 {
				all.Go(func() {
					_, err := g(i%3).GetOr(t.Context(), what, func(ctx context.Context, key string) (string, error) { ran.Add(1); return load(ctx, key) })
					le, ok := errors.AsType[*cachemesh.LoadError](err)
					if !ok || !errors.Is(err, context.DeadlineExceeded) || le.Panic != (what == "panic") || le.Key != what {
						t.Errorf("%s: caller %d: %v", what, i, err)
					}
				})
			}
			all.Wait()
			if ran.Load() != 1 {
				t.Errorf("%s: %d closures ran", what, ran.Load())
			}
		}
	})
}

// TestGetOrBesideADelete: who came after a Delete has what is read after it, who waited before
// has what the claimant read, on whatever member.
func TestGetOrBesideADelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		for round, key := range kit.Numbered("key", 30) {
			var row atomic.Pointer[string]
			row.Store(new("old"))
			var all sync.WaitGroup
			get := func(member int, want string) {
				all.Go(func() {
					v, err := g(member).GetOr(t.Context(), key, func(context.Context, string) (string, error) {
						v := *row.Load()
						time.Sleep(50 * time.Millisecond)
						return v, nil
					})
					if v != want || err != nil {
						t.Errorf("%s at %d: %q, %v, want %q", key, member, v, err, want)
					}
				})
			}
			for i := range 3 {
				get((round+i)%3, "old")
				time.Sleep(5 * time.Millisecond)
			}
			row.Store(new("new"))
			kit.Must(t, g(round%2).Delete(t.Context(), key))
			for i := range 3 {
				get((round+i)%3, "new")
			}
			all.Wait()
			if v, err := g(0).Get(t.Context(), key); v != "new" || err != nil {
				t.Errorf("%s: Get: %q, %v", key, v, err)
			}
		}
	})
}

// TestGetOrWithoutItsOwner: while the owner of a key is paused, a GetOr loads for those at its
// own member, and nothing of that is kept; nor of what is too large to be sent.
func TestGetOrWithoutItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3, func(_ int, o *cachemesh.Options) { o.MaxValueBytes = 1 << 10 })
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		key := keyOwnedBy(t, c, g, 0)
		read := func(v string, most int64) {
			t.Helper()
			var ran atomic.Int64
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					got, err := g(1+i%2).GetOr(t.Context(), key, func(context.Context, string) (string, error) {
						ran.Add(1)
						time.Sleep(20 * time.Millisecond)
						return v, nil
					})
					if got != v || err != nil {
						t.Errorf("%.9q, %v", got, err)
					}
				})
			}
			all.Wait()
			if n := ran.Load(); n > most {
				t.Errorf("%d closures ran, want at most %d", n, most)
			}
			if v, err := g(1).Peek(t.Context(), key); err == nil {
				t.Errorf("%.9q is kept", v)
			}
		}
		c.Pause(0)
		read("alone", 4)
		c.Resume(0)
		c.Settle()
		read(strings.Repeat("x", 2<<20), 5)
	})
}

// TestCallerLeaves: the loader of a caller that has no time left ends with it, and the next
// that waits runs its own at once; with FinishLoads it goes on.
func TestCallerLeaves(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := cacheOptions
			o.FinishLoads = goesOn
			g := cachemeshtest.Group(cachemeshtest.New(t, 3), "g", nil, o)
			for i, key := range kit.Numbered("key", 9) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				load := func(took time.Duration, v string) cachemesh.LoaderFunc[string] {
					return func(ctx context.Context, _ string) (string, error) { return v, kit.Pause(ctx, took) }
				}
				start := time.Now()
				second := make(chan string, 1)
				go func() {
					time.Sleep(time.Millisecond)
					v, err := g((i+1)%3).GetOr(t.Context(), key, load(5*time.Millisecond, "second"))
					second <- fmt.Sprint(v, err)
				}()
				if _, err := g(i%3).GetOr(ctx, key, load(50*time.Millisecond, "first")); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: the first: %v", key, err)
				}
				want, within := "second<nil>", 20*time.Millisecond
				if goesOn {
					want, within = "first<nil>", 60*time.Millisecond
				}
				if got := <-second; got != want || time.Since(start) > within {
					t.Errorf("goes on %t: %s: the second has %q after %v, want %q", goesOn, key, got, time.Since(start), want)
				}
				cancel()
			}
		})
	}
}
