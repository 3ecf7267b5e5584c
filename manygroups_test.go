package cachemesh_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestManyGroups registers ten thousand: each takes little before it is used, Stats say
// how much, and the last costs as little time as the first.
func TestManyGroups(t *testing.T) {
	m := newMesh(t, 1)
	register := func(from, to int) (groups []*cachemesh.Group[string], took time.Duration) {
		groups = make([]*cachemesh.Group[string], 0, to-from)
		start := time.Now()
		for i := from; i < to; i++ {
			g, err := cachemesh.NewGroup(m.nodes[0], fmt.Sprint("group", i), echoLoader, cachemesh.GroupOptions[string]{})
			must(t, err)
			groups = append(groups, g)
		}
		return groups, time.Since(start)
	}
	const count = 10_000
	before := heapBytes()
	first, quick := register(0, count/10)
	most, _ := register(count/10, count*9/10)
	last, slow := register(count*9/10, count)
	each := (heapBytes() - before) / count
	said := first[0].Stats().Bytes
	t.Logf("%d bytes a group, Stats say %d; %v a group for the first thousand, %v for the last", each, said, quick/(count/10), slow/(count/10))
	if each > 6<<10 {
		t.Errorf("an empty group takes %d bytes", each)
	}
	if said < each*8/10 || said > each*12/10 {
		t.Errorf("Stats.Bytes is %d, an empty group takes %d", said, each)
	}
	if !raceEnabled && slow > 5*quick+100*time.Millisecond {
		t.Errorf("the first thousand took %v, the last %v", quick, slow)
	}
	for _, g := range []*cachemesh.Group[string]{first[0], most[4000], last[len(last)-1]} {
		mustGet(t, g, "k", "value of k")
		must(t, g.Clear(context.Background()))
		mustGet(t, g, "k", "value of k")
	}
	used := before + count*each
	if grown := heapBytes() - used; first[0].Stats().Bytes < said+grown/3*7/10 {
		t.Errorf("three groups in use grew by %d, Stats.Bytes from %d to %d", grown, said, first[0].Stats().Bytes)
	}
	runtime.KeepAlive([][]*cachemesh.Group[string]{first, most, last})
}

func heapBytes() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
