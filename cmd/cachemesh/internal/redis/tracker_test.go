package redis

import (
	"slices"
	"testing"
	"time"
)

type aKeeper struct{ told []string }

func (k *aKeeper) push(key string) { k.told = append(k.told, key) }

// TestReadWithoutALease: a client reads a key while it is being written, and has the former value without a
// lease. Before its answer goes out another has read the new one, with a lease: that promises nothing for what
// the first has.
func TestReadWithoutALease(t *testing.T) {
	var tr tracker
	first, second := new(aKeeper), new(aKeeper)
	tr.changed("k")
	tr.begin(first, "k")
	tr.begin(second, "k")
	tr.lend(second, "k", time.Now().Add(time.Second))
	tr.lend(first, "k", time.Time{})
	if told := tr.settle(first, []string{"k"}); !slices.Equal(told, []string{"k"}) {
		t.Errorf("after its answer the first is told of %v: it keeps what was written over", told)
	}
	if told := tr.settle(second, []string{"k"}); len(told) != 0 {
		t.Errorf("the second is told of %v", told)
	}
}
