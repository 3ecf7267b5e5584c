package route

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/session"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// Between a view's publication and the end of hot copies that it does not allow, a hit on
// one that is due for renewal meets a ring without owners: everybody is leaving.
func TestRenewWithoutOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hot, err := hotcache.New(hotcache.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := &Router{Part: owner.Part{Basis: owner.Basis{Setting: &owner.Setting{Life: life.New()}, Clock: new(clock.Clock), Name: "g"}}, Hot: hot}
		c.Clock.Start()
		state, writes := view.NewState(c.Life, c.Clock, time.Second)
		c.State = state
		const hash = 77
		now := c.Clock.Now()
		c.Held = session.NewHolder(int64(time.Second), faultinject.Sessions{})
		c.Held.Renewed("b#1", 1, int64(time.Second), now, c.Held.Stamp())
		hot.Begin(hash, "k").Keep(&store.Entry{Key: "k", Data: []byte("v")}, hotcache.Grant{Session: c.Held.Of("b#1"), TellAt: now + 1}, now)
		time.Sleep(900 * time.Millisecond)
		writes.Publish(&view.View{Epoch: 1, Ring: ring.New(nil), Self: -1})
		if c.Hit(hash, "k", c.Clock.Now()) == nil {
			t.Error("no hit on a copy whose session has a tenth of its time left")
		}
		synctest.Wait()
	})
}
