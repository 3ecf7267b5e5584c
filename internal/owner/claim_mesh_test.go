package owner_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

var cacheOptions = cachemesh.GroupOptions[string]{Cache: true}

// TestClaimantDies: when the process that has the claim dies, the next that waits runs its own
// closure as soon as its connection breaks.
func TestClaimantDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 5)
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		key := keyOwnedBy(t, c, g, 0)
		claim, err := g(1).Claim(t.Context(), key, cachemesh.ClaimOptions{})
		if err != nil || claim.State != cachemesh.Won {
			t.Fatalf("%+v, %v", claim, err)
		}
		var ran atomic.Int64
		var all sync.WaitGroup
		var killed atomic.Int64
		for i := range 40 {
			all.Go(func() {
				v, err := g(2+i%3).GetOr(t.Context(), key, func(context.Context, string) (string, error) {
					if late := time.Now().UnixNano() - killed.Load(); ran.Add(1) > 1 || late > int64(200*time.Millisecond) {
						t.Errorf("a closure runs %v after the kill", time.Duration(late))
					}
					time.Sleep(50 * time.Millisecond)
					return "row", nil
				})
				if v != "row" || err != nil {
					t.Errorf("%q, %v", v, err)
				}
			})
		}
		time.Sleep(5500 * time.Millisecond) // asked every second, it says that it has it
		killed.Store(time.Now().UnixNano())
		c.Kill(1)
		all.Wait()
		if ran.Load() != 1 {
			t.Errorf("%d closures ran", ran.Load())
		}
	})
}

// keyOwnedBy returns a key that a member owns.
func keyOwnedBy[V any](t *testing.T, c *cachemeshtest.Cluster, g func(int) *cachemesh.Group[V], member int) string {
	t.Helper()
	var zero V
	for _, key := range kit.Numbered("key", 1000) {
		kit.Must(t, g(member).Set(t.Context(), key, zero, 0))
		item, err := g(member).Item(t.Context(), key)
		kit.Must(t, err)
		kit.Must(t, g(member).Delete(t.Context(), key))
		if item.Owner == c.Node(member).Name() {
			return key
		}
	}
	t.Fatal("no key")
	return ""
}

// TestDeleteDuringAClaim: a thousand times a row changes and the key is deleted while its
// claimant loads: what that has read is never stored.
func TestDeleteDuringAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		stale, void := 0, 0
		for round := range 1000 {
			key := fmt.Sprint("key", round%50)
			claim, err := g(round%3).Claim(t.Context(), key, cachemesh.ClaimOptions{})
			if err != nil || claim.State != cachemesh.Won {
				t.Fatalf("round %d: %+v, %v", round, claim, err)
			}
			kit.Must(t, g((round+1)%3).Delete(t.Context(), key))
			if err := claim.Fill(t.Context(), "old", 0); errors.Is(err, cachemesh.ErrClaimVoid) {
				void++
			}
			if v, err := g((round+2)%3).Get(t.Context(), key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("round %d: %q, %v", round, v, err)
				stale++
			}
		}
		if stale != 0 || void != 1000 {
			t.Errorf("%d stale values, %d void claims", stale, void)
		}
	})
}

// TestClaimMethods: each ends a claim once, and says what became of it.
func TestClaimMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := cachemeshtest.New(t, 3)
		o := cacheOptions
		o.NotFoundTTL, o.StaleFor = time.Minute, time.Minute
		g := cachemeshtest.Group(c, "g", nil, o)
		claim := func(member int, key string, wait time.Duration) cachemesh.Claim[string] {
			t.Helper()
			c, err := g(member).Claim(ctx, key, cachemesh.ClaimOptions{Wait: wait})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		for _, key := range kit.Numbered("key", 9) {
			won := claim(0, key, 0)
			if busy := claim(1, key, 10*time.Millisecond); busy.State != cachemesh.Busy || !errors.Is(busy.Fill(ctx, "x", 0), cachemesh.ErrNotWon) {
				t.Errorf("%s: %v", key, busy.State)
			}
			kit.Must(t, won.Extend(ctx, 20*time.Second))
			kit.Must(t, won.NotFound(ctx))
			if c := claim(1, key, 0); c.State != cachemesh.NotFound {
				t.Errorf("%s: %v after NotFound", key, c.State)
			}
			if err := won.Fill(ctx, "x", 0); !errors.Is(err, cachemesh.ErrClaimOver) {
				t.Errorf("%s: Fill after NotFound: %v", key, err)
			}
			kit.Must(t, g(2).Delete(ctx, key))
			won = claim(2, key, 0)
			go func() {
				time.Sleep(10 * time.Millisecond)
				kit.Must(t, won.Fail(ctx, context.DeadlineExceeded))
			}()
			if _, err := g(0).Claim(ctx, key, cachemesh.ClaimOptions{Wait: time.Second}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: after Fail: %v", key, err)
			}
			won = claim(1, key, 0)
			kit.Must(t, won.Fill(ctx, "v", time.Second))
			if c := claim(2, key, 0); c.State != cachemesh.Hit || c.Value != "v" {
				t.Errorf("%s: %v %q after Fill", key, c.State, c.Value)
			}
			time.Sleep(2 * time.Second)
			won = claim(1, key, 0)
			if stale := claim(2, key, 0); won.State != cachemesh.Won || !won.Old || won.Value != "v" || won.Age != time.Second || stale.State != cachemesh.Stale || stale.Value != "v" {
				t.Errorf("%s: %+v, and then %+v", key, won, stale)
			}
			v, err := g(0).GetOr(ctx, key, func(context.Context, string) (string, error) { t.Error("called"); return "", nil })
			if _, ok := errors.AsType[*cachemesh.StaleError](err); !ok || v != "v" {
				t.Errorf("%s: GetOr: %q, %v", key, v, err)
			}
			kit.Must(t, won.Fill(ctx, "w", 0))
			if v, err := g(0).Get(ctx, key); v != "w" || err != nil {
				t.Errorf("%s: %q, %v", key, v, err)
			}
		}
	})
}

// TestClaimsOfWhatIsNoCache are refused, wherever the key is, and options that make no sense.
func TestClaimsOfWhatIsNoCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		load := func(context.Context, string) (string, error) { return "v", nil }
		m := cachemeshtest.Group(c, "map", nil, cachemesh.GroupOptions[string]{})
		if _, err := m(0).GetOr(t.Context(), "key", load); !errors.Is(err, cachemesh.ErrNotCache) {
			t.Errorf("GetOr of a map: %v", err)
		}
		if _, err := m(0).Claim(t.Context(), "key", cachemesh.ClaimOptions{}); !errors.Is(err, cachemesh.ErrNotCache) {
			t.Errorf("Claim of a map: %v", err)
		}
		var mixed []*cachemesh.Group[string]
		for i, n := range c.Nodes() {
			g, err := cachemesh.NewGroup(n, "mixed", nil, cachemesh.GroupOptions[string]{Cache: i != 0})
			kit.Must(t, err)
			mixed = append(mixed, g)
		}
		refused := 0
		for _, key := range kit.Numbered("key", 30) {
			if _, err := mixed[1].GetOr(t.Context(), key, load); errors.Is(err, cachemesh.ErrNotCache) {
				refused++
			} else {
				kit.Must(t, err)
			}
		}
		if refused < 3 || refused > 20 {
			t.Errorf("%d of 30 keys are refused where one of three members has a map", refused)
		}
		for name, o := range map[string]cachemesh.GroupOptions[string]{
			"Cache": {Cache: true}, "RefreshAfter": {Cache: true, RefreshAfter: 1}, "RefreshPart": {Cache: true, RefreshPart: 0.5},
		} {
			loader := cachemesh.LoaderFunc[string](load)
			if name != "Cache" {
				loader = nil
			}
			if _, err := cachemesh.NewGroup(c.Node(0), name, loader, o); !isOption(err, name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		for name, o := range map[string]cachemesh.ClaimOptions{"Wait": {Wait: -1}, "Hold": {Hold: time.Hour}} {
			if _, err := g(0).Claim(t.Context(), "key", o); !isOption(err, name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := g(0).GetOr(t.Context(), "key", nil); !isOption(err, "load") {
			t.Errorf("nil: %v", err)
		}
		if err := g(0).Refresh(t.Context(), "key"); !isOption(err, "load") {
			t.Errorf("Refresh: %v", err)
		}
	})
}

func isOption(err error, name string) bool {
	oe, ok := errors.AsType[*cachemesh.OptionError](err)
	return ok && oe.Option == name
}

// TestReleasedClaim: who waits for a claim that is given up has it at once, and does not fail.
func TestReleasedClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		g := cachemeshtest.Group(c, "g", nil, cacheOptions)
		key := keyOwnedBy(t, c, g, 0)
		for member := range 3 {
			won, err := g(member).Claim(t.Context(), key, cachemesh.ClaimOptions{})
			kit.Must(t, err)
			go func() {
				time.Sleep(300 * time.Millisecond)
				won.Release(t.Context())
				won.Release(t.Context())
			}()
			begin := time.Now()
			next, err := g(1).Claim(t.Context(), key, cachemesh.ClaimOptions{Wait: time.Minute})
			if took := time.Since(begin); err != nil || next.State != cachemesh.Won || took > 310*time.Millisecond {
				t.Errorf("member %d: %v, %v after %v", member, next.State, err, took)
			}
			if err := won.Fill(t.Context(), "late", 0); !errors.Is(err, cachemesh.ErrClaimOver) {
				t.Errorf("member %d: Fill after Release: %v", member, err)
			}
			next.Release(t.Context())
			(cachemesh.Claim[string]{}).Release(t.Context())
		}
	})
}

// TestGetDeleteDuringAClaim: that forgets what is being loaded, and a value past its time, as a
// Delete does, though there is nothing to return.
func TestGetDeleteDuringAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		o := cacheOptions
		o.StaleFor, o.NotFoundTTL = time.Hour, time.Hour
		g := cachemeshtest.Group(c, "g", nil, o)
		gone := func(member int, key string) {
			t.Helper()
			if v, err := g(member).GetDelete(t.Context(), key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: GetDelete: %q, %v", key, v, err)
			}
		}
		for i, key := range kit.Numbered("key", 30) {
			won, err := g(i%3).Claim(t.Context(), key, cachemesh.ClaimOptions{})
			kit.Must(t, err)
			gone(i/3%3, key)
			if err := won.Fill(t.Context(), "old", 0); !errors.Is(err, cachemesh.ErrClaimVoid) {
				t.Errorf("%s: Fill after a GetDelete: %v", key, err)
			}
			kit.Must(t, g(0).Set(t.Context(), key, "old", time.Second))
			time.Sleep(2 * time.Second)
			gone(i/3%3, key)
			if again, err := g(2).Claim(t.Context(), key, cachemesh.ClaimOptions{}); err != nil || again.State != cachemesh.Won || again.Old {
				t.Errorf("%s: after a GetDelete of a stale value: %+v, %v", key, again, err)
			}
			kit.Must(t, g(0).Set(t.Context(), key, "v", 0))
			if v, err := g(1).GetDelete(t.Context(), key); v != "v" || err != nil {
				t.Errorf("%s: %q, %v", key, v, err)
			}
		}
	})
}
