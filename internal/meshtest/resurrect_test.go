package meshtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestNoResurrection deletes 500 keys while their owners change and change back,
// so that former owners had older values.
func TestNoResurrection(t *testing.T) {
	for _, change := range []struct {
		name        string
		there, back func(t *testing.T, s *Stage) error
		members     []int // between the two
	}{
		{"join and leave", func(t *testing.T, s *Stage) error { return s.Join(5) },
			func(t *testing.T, s *Stage) error { return s.Leave(t.Context(), 5) }, []int{0, 1, 2, 3, 4, 5}},
		{"leave and join", func(t *testing.T, s *Stage) error { return s.Leave(t.Context(), 4) },
			func(t *testing.T, s *Stage) error { return s.Join(4) }, []int{0, 1, 2, 3}},
		{"crash and restart", func(t *testing.T, s *Stage) error { s.Crash(4); return nil },
			func(t *testing.T, s *Stage) error { return s.Join(4) }, []int{0, 1, 2, 3}},
		{"join and crash", func(t *testing.T, s *Stage) error { return s.Join(5) },
			func(t *testing.T, s *Stage) error { s.Crash(5); return nil }, []int{0, 1, 2, 3, 4, 5}},
	} {
		t.Run(change.name, func(t *testing.T) {
			underFault(t, 2, func(t *testing.T, seed uint64) {
				s := stage(t, seed, 5)
				all := keys("k", 500)
				each(all, func(i int, key string) {
					s.Origin.Write(key, 1)
					_, err := s.Rows(i%5).Get(t.Context(), key)
					if err := errors.Join(err, s.Values(i%5).Set(t.Context(), key, 1, 0)); err != nil {
						t.Error(err)
					}
				})
				changed := make(chan error, 1)
				go func() { changed <- change.there(t, s) }()
				each(all, func(i int, key string) {
					time.Sleep(time.Duration(i) * time.Millisecond) // before, during and after
					s.Origin.Write(key, 2)
					if err := errors.Join(s.Rows(i%4).Delete(t.Context(), key), s.Values(i%4).Delete(t.Context(), key)); err != nil {
						t.Errorf("Delete %q: %v", key, err)
					}
				})
				if err := errors.Join(<-changed, s.Settle(t.Context(), change.members...), change.back(t, s)); err != nil {
					t.Error(err)
				}
				n := resurrected(t, s, all)
				if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
					t.Error(err)
				}
				t.Logf("500 Deletes: %d resurrections", n+resurrected(t, s, all))
			})
		})
	}
}

// each calls f for all keys side by side.
func each(keys []string, f func(i int, key string)) {
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() { f(i, key) })
	}
	wg.Wait()
}

// resurrected counts deleted keys that have a value, and fails the test if there
// are any.
func resurrected(t *testing.T, s *Stage, all []string) (n int) {
	t.Helper()
	var mu sync.Mutex // guards n
	each(all, func(i int, key string) {
		row, err := s.Rows(i%4).Get(t.Context(), key)
		value, noValue := s.Values(i%4).Get(t.Context(), key)
		if err == nil && row == 2 && noValue != nil { // the value's owner may have crashed a moment ago
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if n++; n < 10 {
			t.Errorf("after its Delete %q has the row %d, %v and the value %d, %v", key, row, err, value, noValue)
		}
	})
	return n
}

// TestMapsGrowTogether writes plain maps on both sides of a partition. What the
// majority wrote wins, else the newest Set, and no older value undoes a Delete.
func TestMapsGrowTogether(t *testing.T) {
	t.Run("after 15 s", func(t *testing.T) {
		underFault(t, 5, func(t *testing.T, seed uint64) { growTogether(t, seed, 0) })
	})
	// The majority has forgotten the others by then.
	t.Run("after 90 s", func(t *testing.T) {
		underFault(t, 2, func(t *testing.T, seed uint64) { growTogether(t, seed, 75*time.Second) })
	})
}

func growTogether(t *testing.T, seed uint64, cutBefore time.Duration) {
	s := stage(t, seed, 5)
	all := keys("k", 300)
	set := func(member, version int) func(int, string) {
		return func(_ int, key string) {
			if err := s.Values(member).Set(t.Context(), key, version, 0); err != nil && !(member >= 3 && errors.Is(err, cachemesh.ErrMinority)) {
				t.Errorf("Set %q at member %d: %v", key, member, err)
			}
		}
	}
	each(all, set(0, 1))
	s.Net.Partition([]string{"m0", "m1", "m2"}, []string{"m3", "m4"})
	settleSides(t, s)
	time.Sleep(cutBefore)
	first, second := 0, 3 // two sides; the second writes later
	if seed%2 == 0 {
		first, second = 3, 0
	}
	each(all[:100], set(first, 2))
	each(all[100:200], func(_ int, key string) {
		if err := s.Values(first).Delete(t.Context(), key); err != nil && !(first >= 3 && errors.Is(err, cachemesh.ErrMinority)) {
			t.Error(err)
		}
	})
	time.Sleep(10 * time.Second)
	each(all[:50], set(second, 3))
	s.Net.Heal()
	if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i, key := range all {
		want := [...]int{3, 2, 0, 0, 1, 1}[i/50]
		if second == 3 && want == 3 {
			want = 2 // the majority's, though the minority wrote later
		}
		for m := range 5 {
			v, err := s.Values(m).Get(t.Context(), key)
			if err != nil && !errors.Is(err, cachemesh.ErrNotFound) || v != want {
				t.Errorf("%q at member %d is %d, %v; want %d", key, m, v, err, want)
			}
		}
		if want > 0 {
			kept++
		}
	}
	t.Logf("of 200 values the newest was kept of %d, of 100 Deletes none was undone", kept)
}

// settleSides waits until both sides of the partition 3|2 have settled.
func settleSides(t *testing.T, s *Stage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := errors.Join(s.Settle(ctx, 0, 1, 2), s.Settle(ctx, 3, 4)); err != nil {
		t.Fatal(err)
	}
}
