package groups_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestManyGroups registers ten thousand: each takes little before it is used, Stats say
// how much, and the last costs as little time as the first.
func TestManyGroups(t *testing.T) {
	m := kit.New(t, 1)
	// took is ten times the least that a tenth of them took: a busy machine stops for longer.
	register := func(from, to int) (groups []*cachemesh.Group[string], took time.Duration) {
		groups, took = make([]*cachemesh.Group[string], 0, to-from), time.Hour
		start := time.Now()
		for i := from; i < to; i++ {
			g, err := cachemesh.NewGroup(m.Nodes[0], fmt.Sprint("group", i), kit.Echo, cachemesh.GroupOptions[string]{})
			kit.Must(t, err)
			groups = append(groups, g)
			if len(groups)%((to-from)/10) == 0 {
				took = min(took, 10*time.Since(start))
				start = time.Now()
			}
		}
		return groups, took
	}
	const count = 10_000
	before := kit.HeapBytes()
	first, quick := register(0, count/10)
	most, _ := register(count/10, count*9/10)
	last, slow := register(count*9/10, count)
	each := (kit.HeapBytes() - before) / count
	said := first[0].Stats().Bytes
	t.Logf("%d bytes a group, Stats say %d; %v a group for the first thousand, %v for the last", each, said, quick/(count/10), slow/(count/10))
	if each > 6400 {
		t.Errorf("an empty group takes %d bytes", each)
	}
	if said < each*8/10 || said > each*12/10 {
		t.Errorf("Stats.Bytes is %d, an empty group takes %d", said, each)
	}
	if !kit.Race && slow > 5*quick+100*time.Millisecond {
		t.Errorf("the first thousand took %v, the last %v", quick, slow)
	}
	const inUse = 30 // so that what else lives in this process does not count
	for _, g := range append(most[:inUse-1:inUse-1], first[0]) {
		kit.MustGet(t, g, "k", "value of k")
		kit.Must(t, g.Clear(context.Background()))
		kit.MustGet(t, g, "k", "value of k")
	}
	used := before + count*each
	if grown := kit.HeapBytes() - used; first[0].Stats().Bytes < said+grown/inUse*7/10 {
		t.Errorf("%d groups in use grew by %d, Stats.Bytes from %d to %d", inUse, grown, said, first[0].Stats().Bytes)
	}
	runtime.KeepAlive([][]*cachemesh.Group[string]{first, most, last})
}
