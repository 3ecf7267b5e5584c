package replica

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A full is a real store as what is held, which counts what it is asked.
type full struct {
	*store.Store
	looks int
}

func (f *full) Peek(hash uint64) *store.Entry {
	f.looks++
	return f.Store.PeekHash(hash, 1)
}

func (f *full) Set(hash uint64, e *store.Entry) bool    { return f.Store.Set(hash, e, 1) == nil }
func (f *full) Takes(*store.Entry) (Limit, bool)        { return Limit{}, true }
func (f *full) Delete(hash uint64)                      { f.Store.Delete(hash, f.Peek(hash).Key) }
func (f *full) Range(g func(uint64, *store.Entry) bool) { f.Store.Range(1, g) }
func (f *full) Walk(at store.Place, g func(uint64, *store.Entry)) (store.Place, bool) {
	return f.Store.Walk(at, 1, func(hash uint64, e *store.Entry) {
		f.looks++
		g(hash, e)
	})
}

// fullOf returns a member that has so many values, half of them its own, and a view that changes whose copies
// are where for half of these.
func fullOf(tb testing.TB, values int) (c *Core, f *full, next View) {
	s, err := store.New(store.Options{MaxBytes: int64(values)*400 + 1<<20})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	f = &full{Store: s}
	c = New(Config{Self: "a", Copies: 2, Held: f})
	first := fullView(1, "a", "b", "c")
	first.Kept = nil
	c.Adopt(first)
	c.Carry(1)
	for i := range values {
		hash := uint64(i+1) * 0x9e3779b97f4a7c15
		if err := s.Set(hash, &store.Entry{Key: fmt.Sprint(i), Version: store.Version{Clock: 7}, Care: store.Copied}, 1); err != nil {
			tb.Fatal(err)
		}
	}
	return c, f, fullView(2, "a", "c", "b")
}

// fullView is a view in which a owns half of the keys, and half of these have their copies at the second of
// the others.
func fullView(id uint64, order ...string) View {
	ids := make([]string, 0, 3)
	return View{ID: id, Members: slices.Sorted(slices.Values(order)), Kept: func(uint64) bool { return true },
		Owner: func(hash uint64) string { return []string{"a", "b"}[hash>>40&1] },
		Successors: func(hash uint64, n int) []string {
			ids = append(ids[:0], order...)
			if hash>>41&1 == 1 {
				ids[1], ids[2] = "b", "c"
			}
			return ids[:min(n, len(ids))]
		}}
}

// Who changes the view looks at no key, and whoever goes on with it at no more than it is told, or some hundred.
func TestCarryIsBounded(t *testing.T) {
	const values, step = 20_000, 512
	c, f, v := fullOf(t, values)
	f.looks = 0
	c.Adopt(v)
	if f.looks > 0 {
		t.Errorf("Adopt looked %d times", f.looks)
	}
	all := 0
	for more := true; more; all += f.looks {
		f.looks = 0
		if more = c.Carry(step); f.looks > 4*step {
			t.Fatalf("one step looked %d times", f.looks)
		}
	}
	if all < values || c.Stats().Noted == 0 {
		t.Errorf("it looked %d times at %d values, %d notes", all, values, c.Stats().Noted)
	}
}

// BenchmarkAdopt measures a change of view of a member that holds two million values, and what of it is done in one
// call: others wait for so long.
func BenchmarkAdopt(b *testing.B) {
	const values = 2_000_000
	for b.Loop() {
		b.StopTimer()
		c, _, v := fullOf(b, values)
		b.StartTimer()
		began := time.Now()
		c.Adopt(v)
		longest := time.Since(began)
		for more := true; more; {
			at := time.Now()
			more = c.Carry(512)
			longest = max(longest, time.Since(at))
		}
		b.ReportMetric(float64(longest.Microseconds())/1000, "ms-at-once")
	}
}
