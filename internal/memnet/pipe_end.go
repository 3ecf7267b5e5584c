package memnet

import (
	"net"
	"os"
	"syscall"
)

// closeRead ends the reader's side. What it did not read is lost.
func (p *pipe) closeRead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readErr = net.ErrClosed
	p.readDeadline.stop()
	p.arrival.stop()
	p.discardLocked()
	p.readers.Broadcast()
}

// discardLocked drops all bytes.
func (p *pipe) discardLocked() {
	p.buf, p.arrived, p.flight = buffer{}, 0, nil
	p.writers.Broadcast()
}

// closeWrite ends the writer's side. The reader learns of it by kind, as soon as
// the link lets it.
func (p *pipe) closeWrite(kind ending) {
	p.mu.Lock()
	if p.writeErr != net.ErrClosed {
		p.writeErr = net.ErrClosed
		p.writeDeadline.stop()
		p.writers.Broadcast()
	}
	if kind == reset && !p.ended {
		p.buf.size, p.flight = p.arrived, nil // what had not left never will
	}
	if !p.ended {
		p.end = kind
	}
	arrived := p.endDepartLocked()
	p.mu.Unlock()
	if arrived {
		p.back.breakWrite(kind)
	}
}

// breakDown ends the pipe for both sides at once, as a reset by something between
// them does.
func (p *pipe) breakDown() {
	p.mu.Lock()
	p.end, p.ended = reset, true
	p.endArrival.stop()
	p.readers.Broadcast()
	p.mu.Unlock()
	p.breakWrite(reset)
}

// endDepartLocked sends the ending on its way, if there is one and nothing is
// in its way. It reports whether it has arrived; then the caller must break the
// pipe back, without the lock. A suspended process does not close anything, but
// the system does when it is killed.
func (p *pipe) endDepartLocked() (arrived bool) {
	switch {
	case p.end == open, p.ended, p.state.cut, p.state.writerPaused && p.end != reset:
		return false
	case p.readErr != nil: // both sides closed: nobody is left to learn it
		p.ended = true
		return false
	case p.state.max == 0 && len(p.flight) == 0:
		p.ended = true
		p.readers.Broadcast()
		return true
	}
	p.endArrival.set(p.dueLocked())
	p.endArrival.arm(p.endDue)
	return false
}

// endDue lets the ending arrive once its time has come.
func (p *pipe) endDue() {
	p.mu.Lock()
	arrived := p.endArrival.expired() && !p.ended
	if arrived {
		p.arriveLocked()
		p.ended = true
		p.readers.Broadcast()
	}
	kind := p.end
	p.mu.Unlock()
	if arrived {
		p.back.breakWrite(kind)
	}
}

// breakWrite tells the writer that the reader is gone.
func (p *pipe) breakWrite(kind ending) {
	err := os.NewSyscallError("write", syscall.EPIPE)
	if kind == reset {
		err = os.NewSyscallError("write", syscall.ECONNRESET)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeErr == nil {
		p.writeErr = err
		p.writers.Broadcast()
	}
}

// setState applies a change of the link or of the hosts at its ends. What has
// arrived stays; what is in flight when the pipe stalls is sent again, as TCP
// does, once it does not any more.
func (p *pipe) setState(state pipeState) {
	p.mu.Lock()
	p.arriveLocked()
	was := p.state.stalled()
	p.state = state
	switch {
	case state.stalled():
		p.flight = nil
		p.endArrival.stop()
	case was:
		if n := p.buf.size - p.arrived; n > 0 {
			p.departLocked(n)
		}
	}
	arrived := false
	if p.endArrival.at.IsZero() {
		arrived = p.endDepartLocked()
	}
	p.readers.Broadcast()
	kind := p.end
	p.mu.Unlock()
	if arrived {
		p.back.breakWrite(kind)
	}
}
