package cachemesh

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/route"
)

const (
	// handOverTime is how long new owners wait for values of which none could be
	// handed over meanwhile. As long as some are, they wait: there may be millions.
	handOverTime = 5 * time.Second

	// handOverGrace is how long a node that closes before its values were handed over
	// waits for the answers to what it has sent, so that it knows what it loses.
	handOverGrace = time.Second
)

// A mover hands over what other members own now: values that nobody could load again.
// They stay in the store until their new owner has them, so what is under way is a few
// lists for each owner, however many values there are; what is left is what the store
// has, and what comes back with another view is still there.
//
// Until it is done this node acknowledges no view, so that the new owners do not begin
// without the values, and take no write that an older value could undo.
type mover struct {
	mu      sync.Mutex         // guards the fields below; Node.mu is taken inside
	running bool               // a goroutine moves values, and is counted in Duties.Handing
	again   bool               // there was another view since it last began
	cancel  context.CancelFunc // ends the calls that are under way; nil: none are
	done    chan struct{}      // closed when the goroutine has returned; nil before the first

	halted   atomic.Bool  // nothing more is sent: the node closes
	progress atomic.Int64 // when a value was taken last, on the node's clock
}

// handOver moves, in the background, what this node does not own by its newest view.
func (n *Node) handOver() {
	m := &n.mover
	if !n.holdsValues() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.again = true
	if m.running {
		if m.cancel != nil {
			m.cancel() // whoever it calls has gone, or is not the owner any more
		}
		return
	}
	done := make(chan struct{})
	n.duties.Handing.Add(1)
	if !n.life.Go(func() { defer close(done); n.moveAll() }) {
		n.duties.Handing.Add(-1)
		return
	}
	m.running, m.done = true, done
}

// holdsValues reports whether there is anything that could not be loaded again.
func (n *Node) holdsValues() bool {
	for _, c := range n.groups.all() {
		if c.Origin.Load == nil && c.Store.Len() > 0 {
			return true
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.parked.groups) > 0
}

// moveAll hands over until this node holds only what it owns. What nobody took for
// handOverTime is lost, or for parkedFor where an owner has not registered the group yet.
func (n *Node) moveAll() {
	m, wait := &n.mover, route.RetryFloor
	m.progress.Store(n.clock.Now())
	for {
		began := n.clock.Now()
		p := n.newPass()
		p.run()
		if n.life.IsClosing() || m.halted.Load() {
			return // Close counts what is left
		}
		if m.progress.Load() >= began {
			wait = route.RetryFloor
		}
		switch {
		case p.left.Load() == 0:
			if n.movedAll() {
				return
			}
			continue
		case n.state.View() != p.v:
			continue
		case n.clock.Now()-m.progress.Load() >= int64(p.patience()):
			p.giveUp()
			continue
		}
		n.life.Pause(n.life.Context(), wait)
		wait = min(2*wait, route.RetryCeiling)
	}
}

// movedAll ends the run, unless there was another view since it looked.
func (n *Node) movedAll() bool {
	m := &n.mover
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.again {
		return false
	}
	m.running = false
	n.duties.Handing.Add(-1)
	n.settler.Poke() // the vote that waited for this
	return true
}

// halt ends a run because the node closes. It waits a moment for answers.
func (m *mover) halt() {
	m.halted.Store(true)
	m.mu.Lock()
	done := m.done
	m.mu.Unlock()
	if done == nil {
		return
	}
	t := time.NewTimer(handOverGrace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// cutOff waits for a run that must end because the node is closed, and reports whether
// it left anything.
func (m *mover) cutOff() bool {
	m.mu.Lock()
	done, running := m.done, m.running
	m.mu.Unlock()
	if done != nil {
		<-done
	}
	return running
}
