package cachemeshtest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
)

// TestDeleteDuringACutStays: what was deleted while a former owner was cut off
// does not come back with it.
func TestDeleteDuringACutStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cachemeshtest.New(t, 3)
		group := cachemeshtest.Group[string](c, "g", nil, cachemesh.GroupOptions[string]{})
		const keys = 60
		for k := range keys {
			if err := group(0).Set(t.Context(), fmt.Sprint("key ", k), "old", 0); err != nil {
				t.Fatal(err)
			}
		}
		c.Partition([]int{0, 1}, []int{2})
		c.Settle()
		for k := range keys {
			if err := group(0).Delete(t.Context(), fmt.Sprint("key ", k)); err != nil {
				t.Fatal(err)
			}
		}
		for k := range keys { // reuses the connections' buffers
			group(0).Get(t.Context(), fmt.Sprint("another ", k))
			group(1).Get(t.Context(), fmt.Sprint("another ", k))
		}
		c.Heal()
		c.Settle()
		for k := range keys {
			if got, err := group(0).Get(t.Context(), fmt.Sprint("key ", k)); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("key %d was deleted and is %q, %v", k, got, err)
			}
		}
	})
}
