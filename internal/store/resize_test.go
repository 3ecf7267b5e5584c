package store

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// heapNow is the memory that live objects take, after a full collection. The
// second one frees what pools kept over the first.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestResize fills stores, and makes them smaller and larger again while they are used.
func TestResize(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			const from = 16 << 20
			keys, hashes := testKeys(40_000)
			before := heapNow()
			s := newEngine(t, engine, Options{MaxBytes: from})
			set := func(i int) { mustSet(t, s, hashes[i], &Entry{Key: keys[i], Data: make([]byte, 700)}, 0) }
			for i := range keys[:30_000] {
				set(i)
			}
			full := s.Len()
			for _, budget := range []int64{8 << 20, 1 << 20, 4 << 20, s.Least(), 6 << 20} {
				var sets sync.WaitGroup
				sets.Go(func() {
					for i := 30_000; i < 40_000; i++ {
						set(i)
						s.Get(hashes[i-1000], keys[i-1000], 0)
						s.Delete(hashes[i-2], keys[i-2])
					}
				})
				if err := s.Resize(budget); err != nil {
					t.Fatal(err)
				}
				if got := s.Bytes(); got > budget {
					t.Errorf("%d bytes after Resize to %d", got, budget)
				}
				sets.Wait()
				checkStore(t, s)
				took := heapNow() - before
				t.Logf("%d KiB: %d entries of %d, %d bytes, heap %d", budget>>10, s.Len(), full, s.Bytes(), took)
				if took > budget*5/4+256<<10 {
					t.Errorf("the heap takes %d bytes after Resize to %d", took, budget)
				}
				if e := s.Get(hashes[39_999], keys[39_999], 0); e == nil {
					t.Errorf("the last key is gone")
				}
			}
			var be *BudgetError
			if err := s.Resize(s.Least() - 1); !errors.As(err, &be) || be.Min != s.Least() || s.Bytes() > 6<<20 {
				t.Errorf("Resize below Least: %v", err)
			}
			if got := s.MaxEntry(); got != 6<<20/8 {
				t.Errorf("MaxEntry is %d", got)
			}
			runtime.KeepAlive(s)
			runtime.KeepAlive(keys)
			runtime.KeepAlive(hashes)
		})
	}
}

// TestResizeLosesNothing that has room: neither what the window has nor what the keeper
// had.
func TestResizeLosesNothing(t *testing.T) {
	for _, n := range []int{100, 1000, 3000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newEngine(t, "keeper", Options{MaxBytes: 8 << 20})
			keys, hashes := testKeys(n)
			for i := range keys {
				mustSet(t, s, hashes[i], &Entry{Key: keys[i], Data: make([]byte, 1000)}, 0)
			}
			for _, budget := range []int64{32 << 20, 5 << 20, 64 << 20} {
				before := s.Len()
				if err := s.Resize(budget); err != nil {
					t.Fatal(err)
				}
				if got := s.Len(); got != before || got < n*9/10 {
					t.Errorf("%d of %d entries are left after Resize to %d MiB", got, before, budget>>20)
				}
				checkStore(t, s)
			}
		})
	}
}
