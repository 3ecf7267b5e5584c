package httppool

import (
	"sync"
	"testing"
)

// TestAnsweredTwiceAtOnce: a peer answers a call that nobody waits for over both
// connections at once. Its slot is free once.
func TestAnsweredTwiceAtOnce(t *testing.T) {
	c := &callConn{slotTable: slotTable{keep: maxSlots}}
	c.slots.Store(new([]*call))
	for range 20_000 {
		c.mu.Lock()
		cl := c.openLocked()
		c.mu.Unlock()
		cl.move(slotWaiting, slotAbandoned)
		start := make(chan struct{})
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				<-start
				c.releaseAbandoned(cl)
			})
		}
		close(start)
		both.Wait()
		if c.inflight != 0 || len(c.free) != c.used {
			t.Fatalf("%d calls under way, %d of %d slots are free", c.inflight, len(c.free), c.used)
		}
	}
}
