package handover

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/owner"
)

// handOverGrace is how long a node that closes before its values were handed over
// waits for the answers to what it has sent, so that it knows what it loses.
const handOverGrace = time.Second

// A Mover hands over what other members own now: values that nobody could load again.
// They stay in the store until their new owner has them, so what is under way is a few
// lists for each owner, however many values there are; what is left is what the store
// has, and what comes back with another view is still there.
//
// Until it is done this node acknowledges no view, so that the new owners do not begin
// without the values, and take no write that an older value could undo.
//
// Its methods are called concurrently.
type Mover struct {
	base
	arrived atomic.Int64 // when values were handed to this node last, on its clock; 0: never

	mu      sync.Mutex         // guards the fields below
	running bool               // a goroutine moves values, and is counted in Duties.Handing
	again   bool               // there was another view since it last began
	cancel  context.CancelFunc // ends the calls that are under way; nil: none are
	done    chan struct{}      // closed when the goroutine has returned; nil before the first
}

// New returns a mover, which does nothing before HandOver.
func New(o Options) *Mover {
	m := &Mover{base: base{Options: o}}
	m.Parking = Parking{
		clock: o.Clock, state: o.State, log: o.Log, registered: o.Groups, duties: o.Duties, run: o.Run, most: o.MaxParked,
		groups: make(map[string]*parkedGroup), heirs: make(map[string]*owner.Part),
	}
	return m
}

// ValuesMove reports whether values are on their way from here, or came a moment ago.
func (m *Mover) ValuesMove() bool {
	at := m.arrived.Load()
	return m.Duties.Handing.Load() > 0 || at != 0 && m.Clock.Now()-at < int64(handOverTime)
}

// HandOver moves, in the background, what this node does not own by its newest view.
func (m *Mover) HandOver() {
	if !m.holdsValues() {
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
	m.Duties.Handing.Add(1)
	if !m.Life.Go(func() { defer close(done); m.moveAll() }) {
		m.Duties.Handing.Add(-1)
		return
	}
	m.running, m.done = true, done
}

// holdsValues reports whether there is anything that could not be loaded again.
func (m *Mover) holdsValues() bool {
	for c := range m.Groups.Parts() {
		if moves(c) && c.Store.Len() > 0 {
			return true
		}
	}
	return m.Parking.any()
}

// moveAll hands over until this node holds only what it owns. What nobody took for
// handOverTime is lost, or for parkedFor where an owner has not registered the group yet.
func (m *Mover) moveAll() {
	wait := retryFloor
	m.progress.Store(m.Clock.Now())
	for {
		began := m.Clock.Now()
		p := m.onePass()
		if m.Life.IsClosing() || m.halted.Load() {
			return // Close counts what is left
		}
		if m.progress.Load() >= began {
			wait = retryFloor
		}
		switch {
		case p.left.Load() == 0:
			if m.movedAll() {
				return
			}
			continue
		case m.State.View() != p.v:
			continue
		case m.Clock.Now()-m.progress.Load() >= int64(p.patience()):
			p.giveUp()
			continue
		}
		m.Life.Pause(m.Life.Context(), wait)
		wait = min(2*wait, retryCeiling)
	}
}

// onePass does one pass, which ends early if there is another view.
func (m *Mover) onePass() *pass {
	ctx, cancel := context.WithCancel(m.Life.Context())
	m.mu.Lock()
	m.cancel, m.again = cancel, false
	p := m.newPass(ctx)
	m.mu.Unlock()
	p.run()
	m.mu.Lock()
	cancel()
	m.cancel = nil
	m.mu.Unlock()
	p.sayRefused()
	return p
}

// movedAll ends the run, unless there was another view since it looked.
func (m *Mover) movedAll() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.again {
		return false
	}
	m.running = false
	m.Duties.Handing.Add(-1)
	m.Duties.Poke() // the vote that waited for this
	return true
}

// Halt ends a run because the node closes. It waits a moment for answers.
func (m *Mover) Halt() {
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

// CutOff waits for a run that must end because the node is closed, and reports whether
// it left anything.
func (m *Mover) CutOff() bool {
	m.mu.Lock()
	done, running := m.done, m.running
	m.mu.Unlock()
	if done != nil {
		<-done
	}
	return running
}
