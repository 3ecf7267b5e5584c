package hotcache

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A stressKey is the owner's side of a key that many goroutines read.
type stressKey struct {
	mu      sync.Mutex // guards version and writing
	version uint64
	writing bool // no lease is granted

	completed atomic.Uint64 // the version of the last write that was answered
	reading   atomic.Int64  // Gets so far
}

// answer returns the entry of the version installed, and whether it comes with a lease.
func (k *stressKey) answer(name string) (*store.Entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &store.Entry{Key: name, Data: binary.BigEndian.AppendUint64(nil, k.version)}, !k.writing
}

// write installs a version, and answers once invalidate returned.
func (k *stressKey) write(invalidate func()) {
	k.mu.Lock()
	k.version++
	k.writing = true
	version := k.version
	k.mu.Unlock()
	invalidate()
	k.completed.Store(version)
	k.mu.Lock()
	k.writing = false
	k.mu.Unlock()
}

// Leases in this test never lapse: only the marks keep old values out.
func TestStressNoGetReturnsWhatAWriteReplaced(t *testing.T) {
	const keys, readers, writes = 2, 4, 20_000
	c := newCache(t, Options{MaxBytes: 64 << 10})
	var ks [keys]stressKey
	var hits atomic.Uint64
	var done atomic.Bool
	var wg, writers sync.WaitGroup
	for r := range readers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(r)))
			for !done.Load() && !t.Failed() {
				stressRead(t, c, &ks, rng, &hits)
			}
		})
	}
	for i := range ks {
		writers.Go(func() {
			rng := rand.New(rand.NewPCG(2, uint64(i)))
			for range writes {
				// Let somebody read between two writes, or no copy would ever be kept.
				for seen := ks[i].reading.Load(); ks[i].reading.Load() < seen+2 && !t.Failed(); {
					runtime.Gosched()
				}
				ks[i].write(func() { stressInvalidate(c, i, rng) })
			}
		})
	}
	writers.Wait()
	done.Store(true)
	wg.Wait()
	s := c.Stats()
	t.Logf("%d hits, %+v", hits.Load(), s)
	if hits.Load() < 100 || s.Kept < 100 || s.Marked < 100 || s.Invalidated < 100 {
		t.Errorf("%d hits, %+v: the test exercises too little", hits.Load(), s)
	}
}

// stressRead is one Get: from the copy, else from the owner with a lease if it grants one.
func stressRead(t *testing.T, c *Cache, ks *[2]stressKey, rng *rand.Rand, hits *atomic.Uint64) {
	i := rng.IntN(len(ks))
	k, hash, name := &ks[i], hashOf(i), keyName(i)
	defer k.reading.Add(1)
	floor := k.completed.Load()
	e := c.Get(hash, name, second)
	if e != nil {
		hits.Add(1)
		if v := binary.BigEndian.Uint64(e.Data); v < floor {
			t.Errorf("key %d: a Get returned version %d after the write of %d was answered", i, v, floor)
		}
		if rng.IntN(8) != 0 {
			return
		}
	}
	f := c.Begin(hash, name)
	e, lease := k.answer(name)
	for range rng.IntN(4) { // on its way back
		runtime.Gosched()
	}
	if lease {
		keepUntil(f, e, forever, second)
	} else {
		f.Drop()
	}
}

// stressInvalidate tells the cache of a write in one of the ways there are.
func stressInvalidate(c *Cache, i int, rng *rand.Rand) {
	switch rng.IntN(8) {
	case 0:
		c.InvalidateAll()
	case 1:
		c.Retain(func(hash uint64, _ string) bool { return hash != hashOf(i) })
	default:
		c.Invalidate(hashOf(i), 0)
	}
}

// Everything at once, Close included, over more bytes than there is room for: the books must balance at the end.
func TestStressBooksBalance(t *testing.T) {
	const keys, workers, rounds = 400, 4, 4000
	c := newCache(t, Options{MaxBytes: 32 << 10})
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(worker)))
			for round := range rounds {
				i := rng.IntN(keys)
				now := int64(round) * ms
				switch op := rng.IntN(100); {
				case op < 60:
					c.Touch(hashOf(i), now)
					keep(c, i, now+int64(rng.IntN(500))*ms, now)
				case op < 90:
					c.Get(hashOf(i), keyName(i), now)
				case op < 96:
					c.Invalidate(hashOf(i), 0)
				case op < 98:
					c.Sweep(now)
				case op < 99:
					c.Retain(func(hash uint64, _ string) bool { return hash&1 == 0 })
				default:
					c.InvalidateAll()
				}
				if s := c.Stats(); s.Bytes > 32<<10 {
					t.Errorf("%d bytes, the budget is %d", s.Bytes, 32<<10)
				}
				if worker == 0 && round == rounds-100 {
					checkCloseIsFinal(t, c)
				}
			}
		})
	}
	wg.Wait()
}

func checkCloseIsFinal(t *testing.T, c *Cache) {
	f := c.Begin(hashOf(1), keyName(1))
	c.Close()
	if keepUntil(f, entryOf(1), forever, 0) {
		t.Error("a fetch that began before Close kept a copy")
	}
	if _, ok := keep(c, 2, forever, 0); ok {
		t.Error("a fetch that began after Close kept a copy")
	}
	if c.Get(hashOf(1), keyName(1), 0) != nil {
		t.Error("a Get after Close returned a copy")
	}
}
