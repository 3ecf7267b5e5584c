package owner_test

import (
	"errors"
	"fmt"
	"math"
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

// onThree runs f with a group without a loader on three members, in a bubble.
func onThree[V any](t *testing.T, load cachemesh.LoaderFunc[V], o cachemesh.GroupOptions[V], f func(t *testing.T, c *cachemeshtest.Cluster, g func(int) *cachemesh.Group[V])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		var each func(int) cachemesh.LoaderFunc[V]
		if load != nil {
			each = func(int) cachemesh.LoaderFunc[V] { return load }
		}
		f(t, c, cachemeshtest.Group(c, "g", each, o))
	})
}

// TestSetIf: a condition is looked at where the key is, whoever asks.
func TestSetIf(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[string]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		ctx := t.Context()
		for i, key := range kit.Numbered("key", 12) {
			g := g(i % 3)
			set := func(v string, c cachemesh.Condition) cachemesh.Written[string] {
				t.Helper()
				c.Former = true
				w, err := g.SetIf(ctx, key, v, 0, c)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			expect := func(w cachemesh.Written[string], done bool, former, now string) {
				t.Helper()
				if w.Done != done || w.Former != former || w.Had != (former != "") {
					t.Errorf("%s: %+v, want done %t, former %q", key, w, done, former)
				}
				item, err := g.Item(ctx, key)
				if now == "" && errors.Is(err, cachemesh.ErrNotFound) {
					return
				}
				if err != nil || item.Value != now || item.Version != w.Version || item.Version.IsZero() {
					t.Errorf("%s: %+v, %v, want %q of version %v", key, item, err, now, w.Version)
				}
			}
			expect(set("a", cachemesh.Condition{Present: true}), false, "", "")
			first := set("a", cachemesh.Condition{Absent: true})
			expect(first, true, "", "a")
			expect(set("b", cachemesh.Condition{Absent: true}), false, "a", "a")
			second := set("b", cachemesh.Condition{Version: first.Version})
			expect(second, true, "a", "b")
			expect(set("c", cachemesh.Condition{Version: first.Version}), false, "b", "b")
			expect(set("d", cachemesh.Condition{}), true, "b", "d")
			expect(set("e", cachemesh.Condition{Present: true}), true, "d", "e")
			if v, err := g.GetDelete(ctx, key); v != "e" || err != nil {
				t.Errorf("%s: GetDelete: %q, %v", key, v, err)
			}
			if _, err := g.GetDelete(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("%s: GetDelete: %v", key, err)
			}
			expect(set("f", cachemesh.Condition{Version: second.Version}), false, "", "")
		}
	})
}

// TestConditionThatSaysTwoThings is refused, and nothing is changed.
func TestConditionThatSaysTwoThings(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[string]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		ctx := t.Context()
		_, err := g(0).SetIf(ctx, "key", "v", 0, cachemesh.Condition{Absent: true, Present: true})
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "Condition" {
			t.Error(err)
		}
		for _, key := range []string{"", strings.Repeat("k", cachemesh.MaxKeyLen+1)} {
			_, set := g(0).SetIf(ctx, key, "v", 0, cachemesh.Condition{})
			_, touch := g(0).Touch(ctx, key, time.Second)
			_, del := g(0).GetDelete(ctx, key)
			_, item := g(0).Item(ctx, key)
			_, meta := g(0).Meta(ctx, key)
			_, inc := cachemesh.Increment(ctx, g(0), key, 1, 0)
			_, up := g(0).Update(ctx, key, 0, nil)
			for what, err := range map[string]error{"set": set, "touch": touch, "delete": del, "item": item, "meta": meta, "increment": inc, "update": up} {
				if !errors.Is(err, cachemesh.ErrInvalidKey) {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		if _, err := g(0).Touch(ctx, "key", 0); !errors.Is(err, cachemesh.ErrInvalidTTL) {
			t.Error(err)
		}
	})
}

// TestOneSucceeds: of many that set a key if it is absent, or take it, one does.
func TestOneSucceeds(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[int]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int]) {
		ctx := t.Context()
		for round, key := range kit.Numbered("key", 50) {
			var set, taken atomic.Int64
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					if done, err := g(i%3).SetIfAbsent(ctx, key, i, time.Minute); err != nil {
						t.Error(err)
					} else if done {
						set.Add(1)
					}
				})
			}
			all.Wait()
			if round%2 == 0 { // with copies that are to be recalled
				for i := range 60 {
					if _, err := g(i%3).Get(ctx, key); err != nil {
						t.Error(err)
					}
				}
			}
			for i := range 30 {
				all.Go(func() {
					if _, err := g(i%3).GetDelete(ctx, key); err == nil {
						taken.Add(1)
					} else if !errors.Is(err, cachemesh.ErrNotFound) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if set.Load() != 1 || taken.Load() != 1 {
				t.Errorf("%s: %d have set it, %d have taken it", key, set.Load(), taken.Load())
			}
		}
	})
}

// TestIncrement: each of many that count a key up counts once, also while members come and
// go in order, and while copies of the sum are out.
func TestIncrement(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[int64]{Replicas: 1}, func(t *testing.T, c *cachemeshtest.Cluster, g func(int) *cachemesh.Group[int64]) {
		const callers, each = 16, 100
		ctx := t.Context()
		var all sync.WaitGroup
		for i := range 3 * callers {
			all.Go(func() {
				for n := range each {
					if n%10 == 0 {
						g(i%3).Get(ctx, "key")
					}
					if _, err := cachemesh.Increment(ctx, g(i%3), "key", 1, 0); err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		added := c.Add()
		c.Settle()
		c.Shutdown(added)
		all.Wait()
		c.Settle()
		for i := range 3 {
			if v, err := g(i).Get(ctx, "key"); v != 3*callers*each || err != nil {
				t.Errorf("member %d: %d, %v, want %d", i, v, err, 3*callers*each)
			}
		}
	})
}

// TestIncrementOfWhatDoesNotCount changes nothing.
func TestIncrementOfWhatDoesNotCount(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[string]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		ctx := t.Context()
		for i, key := range kit.Numbered("key", 6) {
			g := g(i % 3)
			if v, err := cachemesh.Increment(ctx, g, key, 3, 0); v != "3" || err != nil {
				t.Errorf("%q, %v", v, err)
			}
			g.Set(ctx, key, fmt.Sprint(math.MaxInt64), 0)
			if _, err := cachemesh.Increment(ctx, g, key, 1, 0); !errors.Is(err, cachemesh.ErrOverflow) {
				t.Error(err)
			}
			g.Set(ctx, key, "1.5", 0)
			if _, err := cachemesh.Increment(ctx, g, key, 1, 0); !errors.Is(err, cachemesh.ErrNotInteger) {
				t.Error(err)
			}
			if v, _ := g.Get(ctx, key); v != "1.5" {
				t.Errorf("it has %q", v)
			}
		}
	})
}

// TestUpdate: what Update's function makes of a value is lost to nobody.
func TestUpdate(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[[]int]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[[]int]) {
		ctx := t.Context()
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				_, err := g(i%3).Update(ctx, "key", 0, func(old []int, found bool) ([]int, cachemesh.Action, error) {
					if found != (len(old) > 0) {
						t.Errorf("found is %t with %v", found, old)
					}
					return append(append([]int{}, old...), i), cachemesh.Replace, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		v, err := g(0).Update(ctx, "key", 0, func(old []int, found bool) ([]int, cachemesh.Action, error) {
			return nil, cachemesh.Keep, nil
		})
		if err != nil || len(v) != 30 {
			t.Errorf("%v, %v", v, err)
		}
		mine := errors.New("mine")
		if _, err := g(1).Update(ctx, "key", 0, func([]int, bool) ([]int, cachemesh.Action, error) { return nil, cachemesh.Replace, mine }); err != mine {
			t.Error(err)
		}
		if _, err := g(1).Update(ctx, "key", 0, func([]int, bool) ([]int, cachemesh.Action, error) { return nil, cachemesh.Remove, nil }); err != nil {
			t.Error(err)
		}
		if _, err := g(2).Get(ctx, "key"); !errors.Is(err, cachemesh.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestVersionText(t *testing.T) {
	onThree(t, nil, cachemesh.GroupOptions[string]{}, func(t *testing.T, _ *cachemeshtest.Cluster, g func(int) *cachemesh.Group[string]) {
		w, _ := g(0).SetIf(t.Context(), "key", "v", 0, cachemesh.Condition{})
		for _, v := range []cachemesh.Version{{}, w.Version} {
			if got, err := cachemesh.ParseVersion(v.String()); got != v || err != nil {
				t.Errorf("%q became %v, %v", v.String(), got, err)
			}
		}
		for _, s := range []string{"x", "00", strings.Repeat("0", 34)} {
			if _, err := cachemesh.ParseVersion(s); err == nil {
				t.Errorf("%q is a version", s)
			}
		}
	})
}

// TestNoConditionOnCopies: a SetIf that asks for nothing replaces a value of which there are
// copies, as a Set does.
func TestNoConditionOnCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		g := cachemeshtest.Group[string](c, "g", nil, cachemesh.GroupOptions[string]{Replicas: 2})
		time.Sleep(time.Second)
		for i := range 9 {
			want := fmt.Sprint(i)
			w, err := g(i%3).SetIf(t.Context(), "k", want, 0, cachemesh.Condition{})
			if err != nil || !w.Done {
				t.Errorf("%d: %+v, %v", i, w, err)
			}
			if item, err := g(0).Item(t.Context(), "k"); item.Value != want || item.Version != w.Version || err != nil {
				t.Errorf("%d: %+v, want version %v, %v", i, item, w.Version, err)
			}
		}
	})
}
