package owner

import (
	"fmt"
	"math"
	"runtime"
	"testing"
)

// TestLeaseCost measures what a hot key costs its owner beside the value: a book,
// and a line in it per holder.
func TestLeaseCost(t *testing.T) {
	const keyCount = 16 << 10
	ids := make([]string, 16)
	for i := range ids {
		ids[i] = fmt.Sprint("holder", i, "#1")
	}
	keys := make([]string, keyCount)
	for i := range keys {
		keys[i] = fmt.Sprint("key ", i)
	}
	cost := func(holders int) float64 {
		c := leasingCore(ids...)
		before := heapInUse()
		for i, key := range keys {
			s := c.shard(uint64(i))
			for _, id := range ids[:holders] {
				if !registerOn(s, c, key, id) {
					t.Fatalf("no lease for %q to %s", key, id)
				}
			}
		}
		bytes := heapInUse() - before
		runtime.KeepAlive(c)
		return float64(bytes) / keyCount
	}
	one, four, many := cost(1), cost(4), cost(16)
	t.Logf("bytes of an owner's books per hot key: %.0f with 1 holder, %.0f with 4, %.0f with 16: %.0f per further holder", one, four, many, (many-four)/12)
	if many > 1024 {
		t.Errorf("a hot key with 16 holders costs %.0f bytes, want at most 1024", many)
	}
}

func registerOn(s *shard, c *Part, key, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.registerLocked(s, key, id, 0, math.MaxInt64)
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
