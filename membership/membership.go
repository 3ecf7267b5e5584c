package membership

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// settle is how long a change waits for others that come with it: one exchange of state brings many.
const settle = 5 * time.Millisecond

// Membership is one member's part in gossip. Its methods may be called from any goroutine.
type Membership struct {
	lifetime
	cfg       Config
	seeds     seeds
	list      *memberlist.Memberlist
	transport *transport
	delegate  *delegate
	table     *table
	journal   *journal

	view  atomic.Pointer[View]
	syncs chan chan struct{} // asks the view goroutine for a view now; closed once delivered
	wake  chan struct{}      // one slot: look for missing members now
	found atomic.Bool        // another member was seen, ever
	slots chan struct{}      // one per exchange of state under way
}

// describe sets what this member says about itself, and returns whether that changed.
func (m *Membership) describe() bool {
	self := m.table.selfMember()
	mt := meta{boot: self.Boot, life: self.Life, leaving: self.Leaving}
	if m.cfg.Addr != m.transport.addr.String() {
		mt.addr = m.cfg.Addr
	}
	b := mt.encode()
	old := m.delegate.meta.Swap(&b)
	return old == nil || !bytes.Equal(*old, b)
}

// View returns the latest view, never nil. It takes no lock.
func (m *Membership) View() *View { return m.view.Load() }

// ServeStream hands over a gossip stream that a peer opened to the peer port. It takes ownership of conn and returns
// within a second, usually at once.
func (m *Membership) ServeStream(conn net.Conn) { m.transport.streams.serve(conn) }

// nextView returns the view that follows epoch, made of the table.
func (m *Membership) nextView(epoch uint64) *View {
	v := m.table.take()
	v.Epoch = epoch + 1
	return v
}

// publish is the goroutine that makes views of changes and delivers them.
func (m *Membership) publish() {
	m.cfg.OnView(m.View())
	settled := time.NewTimer(0)
	settled.Stop()
	defer settled.Stop()
	settling := false
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-m.table.changed:
			if !settling {
				settling = true
				settled.Reset(settle)
			}
		case <-settled.C:
			settling = false
			m.refresh()
		case done := <-m.syncs:
			m.refresh()
			close(done)
		}
	}
}

// refresh delivers a view if something changed.
func (m *Membership) refresh() {
	old := m.View()
	v := m.nextView(old.Epoch)
	if !v.differs(old) {
		return
	}
	if len(v.Members) > 1 {
		m.found.Store(true)
	}
	m.view.Store(v)
	m.cfg.OnView(v)
	m.advertise()
}

// advertise queues for gossip what this member says about itself, if that changed. Only the view goroutine calls it,
// after OnView: whoever takes this member back after an absence does so when this member knows of it.
func (m *Membership) advertise() {
	if !m.describe() || m.state() != nil {
		return // memberlist may have forgotten this member once it left, and would panic
	}
	_ = m.list.UpdateNode(noWait) // it always times out, with the message queued
}

// sync waits until a view of all that is known now was delivered, or ctx is done.
func (m *Membership) sync(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case m.syncs <- done:
	case <-ctx.Done():
		return ctx.Err()
	case <-m.ctx.Done():
		return ErrClosed
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-m.ctx.Done():
		return ErrClosed
	}
}

// Close stops at once: unless Leave was called before, the others will see a crash. It waits for all goroutines that
// this package started, and may be called at any time and more than once, but not from OnView. memberlist's own
// goroutines end shortly after; what they still call does nothing.
func (m *Membership) Close() error {
	m.mu.Lock()
	first := !m.closing
	m.closing = true
	m.mu.Unlock()
	if !first {
		<-m.closed
		return nil
	}
	m.cancel()
	m.ops.Wait()
	err := m.list.Shutdown()
	m.work.Wait()
	m.scribe.Wait()
	close(m.closed)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// noWait is how long memberlist waits for gossip to go out, as this package tells the peers itself. 0 would be for ever.
const noWait = time.Nanosecond

// reachNow asks the rejoin goroutine to contact the lost members that are due.
func (m *Membership) reachNow() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}
