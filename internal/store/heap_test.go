//go:build !race

// What the process takes says nothing under the race detector, which makes it slow, too.

package store

import (
	"fmt"
	"runtime"
	"testing"
)

// TestHeap fills stores with entries of many sizes, several times over, and
// compares what the process takes with the budget.
func TestHeap(t *testing.T) {
	for _, engine := range engines {
		for _, maxBytes := range []int64{5 << 20, 8 << 20} {
			for _, data := range []int64{0, 128, 700, 3000, 40_000} {
				before := heapNow()
				s := newEngine(t, engine, Options{MaxBytes: maxBytes})
				for i := range 5 * maxBytes / (300 + data) {
					key := fmt.Sprintf("key-%012d", i)
					mustSet(t, s, hashOf(key), &Entry{Key: key, Data: make([]byte, data)}, 0)
				}
				took, says, n := heapNow()-before, s.Bytes(), int64(s.Len())
				t.Logf("%s, %d MiB of %d B: %d entries, heap %d %% of MaxBytes, Bytes %d %%, %d B beside key and data",
					engine, maxBytes>>20, data, n, took*100/maxBytes, says*100/maxBytes, took/n-16-data)
				if took > maxBytes {
					t.Errorf("%s, %d MiB of %d B: the heap grew by %d bytes, the budget is %d", engine, maxBytes>>20, data, took, maxBytes)
				}
				if says > maxBytes {
					t.Errorf("Bytes() = %d, the budget is %d", says, maxBytes)
				}
				checkStore(t, s)
				s.Close()
			}
		}
	}
}

// TestIdleHeap bounds what a store costs before it is used.
func TestIdleHeap(t *testing.T) {
	goroutines, before := runtime.NumGoroutine(), heapNow()
	s := newStore(t, Options{MaxBytes: 1 << 30})
	if took := heapNow() - before; took > 64<<10 {
		t.Errorf("an empty store of 1 GiB takes %d bytes", took)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("an empty store runs %d goroutines", n-goroutines)
	}
	runtime.KeepAlive(s)
}

// TestKeeperBytes checks what ristretto takes before it holds anything.
func TestKeeperBytes(t *testing.T) {
	for _, budget := range []int64{4 << 20, 64 << 20} {
		before := heapNow()
		k, base, err := newKeeper(budget, 1000)
		if err != nil {
			t.Fatal(err)
		}
		took := heapNow() - before
		t.Logf("budget %d: takes %d, counted %d", budget, took, base)
		if took > base {
			t.Errorf("budget %d: an empty keeper takes %d bytes, counted %d", budget, took, base)
		}
		k.close()
	}
}
