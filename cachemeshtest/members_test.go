package cachemeshtest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

func TestAddedMemberTakesPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 2)
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{})
		i := c.Add()
		c.Settle()
		wantMembers(t, c, 0, 3)
		getAll(t, group, 100, 0, i)
		if l.members[i] == 0 {
			t.Errorf("the added member loaded nothing: %v", l.members)
		}
	})
}

// TestPartitionAndHeal changes rows, and Deletes their keys, on one side while the
// network is cut. The other side, and everybody after it heals, sees what was there
// before for MaxStale at most.
func TestPartitionAndHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const maxStale = time.Second
		c := cachemeshtest.New(t, 5, func(_ int, o *cachemesh.Options) { o.MaxStale = maxStale })
		group := cachemeshtest.Group[string](c, "g", nil, cachemesh.GroupOptions[string]{})
		var row atomic.Int64
		loaded := cachemeshtest.Group(c, "loaded", func(int) cachemesh.LoaderFunc[int64] {
			return func(context.Context, string) (int64, error) { return row.Load(), nil }
		}, cachemesh.GroupOptions[int64]{HotReads: 1})
		keys := make([]string, 50)
		for i := range keys {
			keys[i] = fmt.Sprint("key ", i)
		}
		see := func(when string, want int64, members ...int) {
			t.Helper()
			for _, i := range members {
				for _, key := range keys {
					if got, err := loaded(i).Get(t.Context(), key); got != want || err != nil {
						t.Fatalf("%s, member %d gets %d, %v, want %d", when, i, got, err, want)
					}
				}
			}
		}
		write := func(i int) {
			t.Helper()
			row.Add(1)
			if err := loaded(i).Delete(t.Context(), keys...); err != nil && !(i == 4 && errors.Is(err, cachemesh.ErrMinority)) {
				t.Fatal(err)
			}
		}
		see("at first", 0, 0, 1, 2, 3, 4)

		c.Partition([]int{0, 1, 2}, []int{3, 4})
		c.Settle()
		for i, want := range []int{3, 3, 3, 2, 2} {
			wantMembers(t, c, i, want)
		}
		see("in the cut", 0, 0, 1, 2, 3, 4)
		write(0)
		see("after a Delete on their side", 1, 0, 1, 2)
		time.Sleep(maxStale)
		see("MaxStale after a Delete on the other side", 1, 3, 4)
		for _, i := range []int{0, 3} {
			err := group(i).Set(t.Context(), "k", fmt.Sprint("from ", i), 0)
			if minority := i == 3; minority != errors.Is(err, cachemesh.ErrMinority) || !minority && err != nil {
				t.Errorf("Set on member %d during the partition: %v", i, err)
			}
		}

		write(4)
		see("after a Delete on their side", 2, 3, 4)
		time.Sleep(maxStale / 2)
		c.Heal()
		c.Settle()
		for i := range 5 {
			wantMembers(t, c, i, 5)
		}
		time.Sleep(maxStale / 2)
		see("MaxStale after a Delete in the cut", 2, 0, 1, 2, 3, 4)
		write(2)
		see("after a Delete when all meet", 3, 0, 1, 2, 3, 4)
		if err := group(1).Set(t.Context(), "k", "healed", 0); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if got, err := group(i).Get(t.Context(), "k"); got != "healed" || err != nil {
				t.Errorf("after Heal member %d gets %q, %v", i, got, err)
			}
		}
	})
}

func TestPausedMemberIsReplacedAndReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		group := cachemeshtest.Group[string](c, "g", nil, cachemesh.GroupOptions[string]{})
		for k := range 20 {
			if err := group(0).Set(t.Context(), fmt.Sprint(k), "old", 0); err != nil {
				t.Fatal(err)
			}
		}
		c.Pause(2)
		c.Settle()
		wantMembers(t, c, 0, 2)
		for k := range 20 {
			if err := group(1).Set(t.Context(), fmt.Sprint(k), "new", 0); err != nil {
				t.Fatal(err)
			}
		}
		c.Resume(2)
		c.Settle()
		for i := range 3 {
			wantMembers(t, c, i, 3)
			for k := range 20 {
				if got, err := group(i).Get(t.Context(), fmt.Sprint(k)); got == "old" || err != nil && !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("after the pause member %d gets %q, %v", i, got, err)
				}
			}
		}
	})
}

func TestClusterWithLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		c.SetLatency(time.Millisecond, 3*time.Millisecond)
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{})
		getAll(t, group, 50, 0, 1, 2)
		if got, _ := l.total(); got != 50 {
			t.Errorf("%d loads, want 50", got)
		}
	})
}
