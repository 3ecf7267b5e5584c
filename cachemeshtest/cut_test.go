package cachemeshtest_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// TestGetsAnswerAcrossACut: before anyone noticed a cut, a Get whose owner is on
// the other side turns to a stand-in; the caller set no deadline.
func TestGetsAnswerAcrossACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		l := newLoads()
		group := cachemeshtest.Group(c, "g", l.loader, cachemesh.GroupOptions[string]{})
		c.Partition([]int{0}, []int{1, 2})
		for k := range 10 {
			if _, err := group(0).Get(t.Context(), fmt.Sprint(k)); err != nil {
				t.Errorf("Get(%d): %v", k, err)
			}
		}
	})
}
