package groups_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// An outside keeps values outside the mesh, as Lend allows it.
type outside struct {
	group *cachemesh.Group[string]

	mu   sync.Mutex // guards what follows
	kept map[string]lent
	told map[string]int
	all  int
}

type lent struct {
	value string
	until time.Time
}

// invalidate is its OnInvalidate.
func (o *outside) invalidate(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if key == "" {
		o.all++
		clear(o.kept)
		return
	}
	o.told[key]++
	delete(o.kept, key)
}

// has returns what it has of a key, "" for nothing.
func (o *outside) has(key string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.kept[key]; time.Now().Before(l.until) {
		return l.value
	}
	return ""
}

// heard returns how often it was told of a key, and of all.
func (o *outside) heard() (keys, all int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.told), o.all
}

// fetch fetches a key, and keeps it if it may.
func (o *outside) fetch(ctx context.Context, key string) error {
	o.mu.Lock()
	told, all := o.told[key], o.all
	o.mu.Unlock()
	v, until, err := cachemesh.Lend(ctx, o.group, key)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil && told == o.told[key] && all == o.all {
		o.kept[key] = lent{v, until}
	}
	return err
}

// outsides returns a cluster, with an outside of each member.
func outsides(t *testing.T, members int, change func(*cachemesh.GroupOptions[string])) (*cachemeshtest.Cluster, []*outside) {
	c := cachemeshtest.New(t, members)
	var all []*outside
	for i := range members {
		o := &outside{kept: make(map[string]lent), told: make(map[string]int)}
		opts := cachemesh.GroupOptions[string]{OnInvalidate: o.invalidate}
		if change != nil {
			change(&opts)
		}
		var err error
		o.group, err = cachemesh.NewGroup(c.Node(i), "g", nil, opts)
		kit.Must(t, err)
		all = append(all, o)
	}
	return c, all
}

// TestLeasedIsNeverStale: while others write and delete keys by all means, what is kept outside of
// a key is never older than a write that has returned.
func TestLeasedIsNeverStale(t *testing.T) {
	for name, change := range map[string]func(*cachemesh.GroupOptions[string]){
		"map": nil, "cache": func(o *cachemesh.GroupOptions[string]) { o.Cache = true },
		"replicas":      func(o *cachemesh.GroupOptions[string]) { o.Replicas = 2 },
		"no hot copies": func(o *cachemesh.GroupOptions[string]) { o.NoHotCopies = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, all := outsides(t, 3, change)
				ctx, cancel := context.WithCancel(t.Context())
				keys := kit.Numbered("key", 9)
				var readers sync.WaitGroup
				defer readers.Wait()
				defer cancel()
				time.Sleep(3 * time.Second) // until all members know the group
				for _, o := range all {
					for range 3 {
						readers.Go(func() {
							for ctx.Err() == nil {
								err := o.fetch(ctx, keys[rand.IntN(len(keys))])
								if err != nil && !errors.Is(err, cachemesh.ErrNotFound) && ctx.Err() == nil {
									t.Error(err)
								}
								time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
							}
						})
					}
				}
				seen := 0
				for round := range 3000 {
					key, want, by := keys[rand.IntN(len(keys))], fmt.Sprint(round), all[rand.IntN(3)].group
					for _, o := range all {
						if o.has(key) != "" {
							seen++
						}
					}
					switch rand.IntN(8) {
					case 0:
						want = ""
						kit.Must(t, by.Delete(ctx, key))
					case 1:
						want = ""
						kit.Must(t, by.DeletePrefix(ctx, key))
					case 2:
						_, err := by.SetIf(ctx, key, want, 0, cachemesh.Condition{})
						kit.Must(t, err)
					case 3:
						if round%10 == 0 {
							want = ""
							kit.Must(t, by.Clear(ctx))
							break
						}
						fallthrough
					default:
						kit.Must(t, by.Set(ctx, key, want, 0))
					}
					for i, o := range all {
						if got := o.has(key); got != "" && got != want {
							t.Fatalf("round %d: member %d has %q outside, want %q", round, i, got, want)
						}
					}
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				}
				if least := 500; seen < least {
					t.Errorf("only %d times anything was kept outside, want %d at least", seen, least)
				}
			})
		})
	}
}

// TestLeasesGoOn: who asks again before the time is over has a later one, for the member's own
// keys and for others', and is told nothing while nothing changes.
func TestLeasesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, all := outsides(t, 3, nil)
		keys := kit.Numbered("key", 30)
		for _, key := range keys {
			kit.Must(t, all[0].group.Set(t.Context(), key, "v", 0))
		}
		for range 20 {
			for _, key := range keys {
				_, until, err := cachemesh.Lend(t.Context(), all[1].group, key)
				if left := time.Until(until); err != nil || left < 400*time.Millisecond || left > time.Second {
					t.Fatalf("%s: %v, %v", key, left, err)
				}
			}
			time.Sleep(300 * time.Millisecond)
		}
		if keys, every := all[1].heard(); keys > 0 || every > 0 {
			t.Errorf("told of %d keys, %d times of all", keys, every)
		}
		if _, until, err := cachemesh.Lend(t.Context(), all[1].group, "none"); !errors.Is(err, cachemesh.ErrNotFound) || !until.IsZero() {
			t.Errorf("of nothing: %v, %v", until, err)
		}
		kit.Must(t, all[0].group.Set(t.Context(), "short", "v", 100*time.Millisecond))
		if _, until, err := cachemesh.Lend(t.Context(), all[1].group, "short"); err != nil || time.Until(until) > 100*time.Millisecond {
			t.Errorf("of a value that ends: %v, %v", time.Until(until), err)
		}
	})
}

// TestLeasesEndWithTheOwner: when the members change, nothing is kept outside of a key that has
// another owner; and a member that is cut off keeps nothing longer than its right.
func TestLeasesEndWithTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, all := outsides(t, 3, nil)
		keys := kit.Numbered("key", 60)
		for _, key := range keys {
			kit.Must(t, all[0].group.Set(t.Context(), key, "old", 0))
		}
		fetchAll := func() {
			t.Helper()
			for _, key := range keys {
				kit.Must(t, all[0].fetch(t.Context(), key))
			}
		}
		fetchAll()
		c.Shutdown(2)
		if _, every := all[0].heard(); every == 0 {
			t.Error("the members changed, and it was told nothing")
		}
		fetchAll()
		for _, key := range keys {
			kit.Must(t, all[1].group.Set(t.Context(), key, "new", 0))
			if got := all[0].has(key); got == "old" {
				t.Fatalf("%s is old outside", key)
			}
		}
	})
}

// TestSlowOutsides: a function that does not return holds up a write until the lease is over, and
// one that panics does not.
func TestSlowOutsides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 2)
		release := make(chan struct{})
		var groups []*cachemesh.Group[string]
		for i := range 2 {
			g, err := cachemesh.NewGroup(c.Node(i), "g", nil, cachemesh.GroupOptions[string]{OnInvalidate: func(key string) {
				switch key {
				case "slow":
					<-release
				case "bad":
					panic("no")
				}
			}})
			kit.Must(t, err)
			groups = append(groups, g)
		}
		for _, key := range []string{"slow", "bad"} {
			for _, g := range groups {
				kit.Must(t, groups[0].Set(t.Context(), key, "v", 0))
				_, until, err := cachemesh.Lend(t.Context(), g, key)
				kit.Must(t, err)
				begin := time.Now()
				kit.Must(t, groups[1].Set(t.Context(), key, "w", 0))
				if took := time.Since(begin); key == "bad" && took > 100*time.Millisecond || time.Now().After(until.Add(100*time.Millisecond)) {
					t.Errorf("%s: the write took %v", key, took)
				}
			}
		}
		close(release)
		var wrong *cachemesh.OptionError
		g, err := cachemesh.NewGroup[string](c.Node(0), "other", nil, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		if _, _, err := cachemesh.Lend(t.Context(), g, "k"); !errors.As(err, &wrong) || wrong.Option != "OnInvalidate" {
			t.Errorf("without OnInvalidate: %v", err)
		}
	})
}
