package cachemesh

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Between view.Store and Retain in adopt, a hit on a hot copy that is due for
// renewal meets a ring without owners: everybody is leaving.
func TestRenewWithoutOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) })
		net := memnet.New(1)
		h := net.Host("a")
		n, err := New(Options{Network: h, ListenAddr: h.IP().String() + ":3000"})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		g, err := NewGroup[string](n, "g", nil, GroupOptions[string]{})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
		hash := ring.Hash(g.core.Seed, "k")
		f := g.core.Hot.Begin(hash, "k", "b#1")
		f.Keep(&store.Entry{Key: "k", Data: []byte("v")}, n.clock.Now()+int64(time.Second), n.clock.Now())
		time.Sleep(900 * time.Millisecond)
		state, writes := view.NewState(n.life, &n.clock, time.Second)
		writes.Publish(&view.View{Epoch: 1 << 40, Ring: ring.New(nil), Self: -1})
		g.core.State = state
		g.Get(t.Context(), "k")
		synctest.Wait()
	})
}
