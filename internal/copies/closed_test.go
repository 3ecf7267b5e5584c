package copies

import (
	"context"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/clock"
	"github.com/praveenduddu/cachemesh/internal/life"
	"github.com/praveenduddu/cachemesh/internal/replica"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// calls counts what is asked.
type calls struct {
	Carrier
	asked int
}

func (c *calls) Ask(context.Context, *view.Owner, uint8, uint64, []byte) ([]byte, uint8, bool, error) {
	c.asked++
	return nil, 0, false, context.DeadlineExceeded
}

// TestNothingIsSentOnceItIsClosed: lists of copies wait to be sent, and the group is closed: they would come to a member
// beside what the next part of the group sends.
func TestNothingIsSentOnceItIsClosed(t *testing.T) {
	for _, closed := range []bool{false, true} {
		c, _ := gaining(1)
		carrier := &calls{}
		c.Basis = Basis{Life: life.New(), Clock: new(clock.Clock), Carrier: carrier, Learning: func(bool) {}}
		c.view, c.mending = &view.View{Peers: map[string]*view.Owner{"leaves": {}}}, true
		if closed {
			c.Close()
		}
		box := make(chan []replica.Send, 3)
		for range cap(box) {
			box <- []replica.Send{{Op: replica.Drop, To: "leaves"}}
		}
		close(box)
		c.deliver(box)
		if want := map[bool]int{false: 3, true: 0}[closed]; carrier.asked != want {
			t.Errorf("closed %v: %d lists were sent, want %d", closed, carrier.asked, want)
		}
	}
}
