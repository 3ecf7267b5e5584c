package memnet

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A pipe is one direction of a stream. What was written is in the buffer: first
// what has arrived, which the reader may take, then what is in flight, by the
// time it arrives. While the pipe is stalled nothing arrives, and what is
// written is not yet in flight.
//
// There is no goroutine and, without latency, no timer: whoever waits for
// something in flight arms one for it.
type pipe struct {
	back *pipe // the other direction

	mu      sync.Mutex // guards all below; nothing is called under it that waits
	readers sync.Cond  // something arrived, or an error
	writers sync.Cond  // there is space, or it is another writer's turn, or an error

	buf     buffer
	arrived int       // bytes of buf that the reader may take
	flight  []flying  // the bytes behind them, in order; empty while stalled
	last    time.Time // when the latest of them arrives

	state pipeState
	rng   *rand.Rand

	writing  bool  // a Write is under way: others wait, so that each stays in one piece
	readErr  error // net.ErrClosed once the reader closed
	writeErr error // net.ErrClosed once the writer closed, or what it learnt of the reader

	end   ending // what the writer's side did last
	ended bool   // the reader may see it, once it has read what arrived

	readDeadline, writeDeadline alarm
	arrival, endArrival         alarm
}

// pipeState is what faults do to a pipe.
type pipeState struct {
	conditions
	cut          bool // nothing arrives
	writerPaused bool // nothing leaves
	readerPaused bool // nothing is read
}

func (s pipeState) stalled() bool { return s.cut || s.writerPaused }

// flying are bytes that arrive together.
type flying struct {
	n   int
	due time.Time
}

// ending is how a writer ends a stream.
type ending uint8

const (
	open   ending = iota
	closed        // the reader gets what was sent, then EOF
	reset         // the reader gets an error at once
)

func newPipe(state pipeState, rng *rand.Rand) *pipe {
	p := &pipe{state: state, rng: rng}
	p.readers.L, p.writers.L = &p.mu, &p.mu
	return p
}

// write sends all of b, waiting for space.
func (p *pipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.writing && p.writableLocked() == nil {
		p.writeDeadline.arm(p.wakeWriters)
		p.writers.Wait()
	}
	if err := p.writableLocked(); err != nil {
		return 0, err
	}
	p.writing = true
	defer func() {
		p.writing = false
		p.writers.Broadcast()
	}()
	for {
		if k := min(len(b)-n, p.buf.space()); k > 0 {
			p.buf.write(b[n : n+k])
			p.departLocked(k)
			n += k
		}
		if n == len(b) {
			return n, nil
		}
		p.writeDeadline.arm(p.wakeWriters)
		p.writers.Wait()
		if err := p.writableLocked(); err != nil {
			return n, err
		}
	}
}

func (p *pipe) writableLocked() error {
	if p.writeErr != nil {
		return p.writeErr
	}
	if p.writeDeadline.expired() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// departLocked sends the last n bytes of the buffer on their way.
func (p *pipe) departLocked(n int) {
	switch {
	case p.state.stalled():
		return
	case p.readErr != nil:
		p.discardLocked() // nobody will read it
		return
	case p.state.max == 0 && len(p.flight) == 0:
		p.arrived += n
	default:
		due := p.dueLocked()
		if k := len(p.flight); k > 0 && p.flight[k-1].due.Equal(due) {
			p.flight[k-1].n += n
		} else {
			p.flight = append(p.flight, flying{n, due})
		}
	}
	p.readers.Broadcast()
}

// dueLocked returns when what leaves now arrives: never before what left earlier.
func (p *pipe) dueLocked() time.Time {
	due := time.Now().Add(p.state.latency(p.rng))
	if due.Before(p.last) {
		due = p.last
	}
	p.last = due
	return due
}

// arriveLocked lets arrive what is due.
func (p *pipe) arriveLocked() {
	if len(p.flight) == 0 {
		return
	}
	now, i := time.Now(), 0
	for ; i < len(p.flight) && !p.flight[i].due.After(now); i++ {
		p.arrived += p.flight[i].n
	}
	p.flight = p.flight[i:]
}

// read waits until something arrived.
func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.readErr != nil {
			return 0, p.readErr
		}
		if p.readDeadline.expired() {
			return 0, os.ErrDeadlineExceeded
		}
		if !p.state.readerPaused {
			if n, done, err := p.takeLocked(b); done {
				return n, err
			}
		}
		p.readDeadline.arm(p.wakeReaders)
		p.readers.Wait()
	}
}

// takeLocked reads what has arrived. It is not done if there is nothing yet.
func (p *pipe) takeLocked(b []byte) (n int, done bool, err error) {
	if p.ended && p.end == reset {
		return 0, true, os.NewSyscallError("read", syscall.ECONNRESET)
	}
	if len(b) == 0 {
		return 0, true, nil
	}
	p.arriveLocked()
	if p.arrived > 0 {
		full := p.buf.space() == 0
		n = p.buf.read(b, p.arrived)
		p.arrived -= n
		if full {
			p.writers.Broadcast()
		}
		return n, true, nil
	}
	if p.ended {
		return 0, true, io.EOF
	}
	if len(p.flight) > 0 {
		p.arrival.set(p.flight[0].due)
		p.arrival.arm(p.wakeReaders)
	}
	return 0, false, nil
}

func (p *pipe) wakeReaders() {
	p.mu.Lock()
	p.readers.Broadcast()
	p.mu.Unlock()
}

func (p *pipe) wakeWriters() {
	p.mu.Lock()
	p.writers.Broadcast()
	p.mu.Unlock()
}

func (p *pipe) setReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readErr != nil {
		return p.readErr
	}
	p.readDeadline.set(t)
	p.readers.Broadcast()
	return nil
}

func (p *pipe) setWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeErr == net.ErrClosed {
		return p.writeErr
	}
	p.writeDeadline.set(t)
	p.writers.Broadcast()
	return nil
}
