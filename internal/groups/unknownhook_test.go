package groups_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cachemeshtest"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestUnknownGroup: a group that one member makes is made on the others when they are first asked
// for it, by whatever means, also on one that joins later and is handed values of it over; and
// what makes none, or panics, leaves it unknown.
func TestUnknownGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		nodes := make([]atomic.Pointer[cachemesh.Node], 4)
		option := func(i int, o *cachemesh.Options) {
			o.UnknownGroup = func(name string) {
				asked.Add(1)
				switch name {
				case "none":
					return
				case "panics":
					panic("no such group")
				}
				for nodes[i].Load() == nil {
					time.Sleep(time.Millisecond)
				}
				cachemesh.NewGroup[string](nodes[i].Load(), name, nil, cachemesh.GroupOptions[string]{})
			}
		}
		c := cachemeshtest.New(t, 3, option)
		for i := range 3 {
			nodes[i].Store(c.Node(i))
		}
		time.Sleep(3 * time.Second) // a member that has just started is waited for
		group := func(name string) *cachemesh.Group[string] {
			g, err := cachemesh.NewGroup[string](c.Node(0), name, nil, cachemesh.GroupOptions[string]{})
			kit.Must(t, err)
			return g
		}
		keys := kit.Numbered("key", 100)
		g := group("new")
		for _, key := range keys {
			kit.Must(t, g.Set(t.Context(), key, "value of "+key, 0))
		}
		read := group("read")
		if v, err := read.GetMany(t.Context(), keys); err != nil || len(v) != 0 {
			t.Errorf("%v, %v", v, err)
		}
		i := c.Add()
		nodes[i].Store(c.Node(i))
		c.Settle()
		for _, key := range keys {
			kit.MustGet(t, g, key, "value of "+key)
		}
		owned := make(map[string]bool)
		for _, any := range c.Node(i).Groups() {
			owned[any.Name()] = any.Name() == "new" && any.Stats().Entries > 0
		}
		if !owned["new"] {
			t.Errorf("the member that joined has %v", owned)
		}
		for _, name := range []string{"none", "panics"} {
			g, before, failed := group(name), asked.Load(), 0
			for _, key := range keys {
				if err := g.Set(t.Context(), key, "v", 0); errors.Is(err, cachemesh.ErrUnknownGroup) {
					failed++
				} else if err != nil {
					t.Error(name, err)
				}
			}
			if failed == 0 || failed == len(keys) || asked.Load() == before {
				t.Errorf("%s: %d of %d Sets failed, asked %d times", name, failed, len(keys), asked.Load()-before)
			}
		}
	})
}
