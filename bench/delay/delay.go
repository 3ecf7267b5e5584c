// Package delay makes a network that takes time out of one that takes none.
//
// What is written to a connection, or comes from its other end, waits on a wire until its
// time has come, and much is on the way at once: nothing waits for what was sent before. One wire
// carries all connections of a process, so that it wakes once for all that is due, and not for each.
package delay

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/bench/timer"
)

// A Dialer opens TCP connections on which a byte takes so long in each direction, and
// up to slot more. Zero is the network as it is. Its methods are called concurrently.
type Dialer time.Duration

const (
	chunkSize = 16 << 10 // bytes at most that travel as one
	chunks    = 256      // on the way at once in one direction: what it holds at most is 4 MiB
	slot      = 50 * time.Microsecond
)

// DialContext is net.Dialer's. The connection hides that it is TCP, since what has arrived in the
// kernel has not arrived.
func (d Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, network, addr)
	if err != nil || d <= 0 {
		return raw, err
	}
	w, err := wireOf(time.Duration(d))
	if err != nil {
		raw.Close()
		return nil, err
	}
	return newConn(raw, w), nil
}

// A wire keeps the chunks of all connections until they are due. It has a goroutine, which ends
// with the process.
type wire struct {
	delay time.Duration
	timer *timer.Timer
	start time.Time
	some  chan struct{} // filled when the first chunk comes

	mu  sync.Mutex
	way []chunk // guarded by mu; in the order in which they are due, bounded by those of each direction
}

// A chunk is what was sent, or had come, at once; the last of a direction has an error in place
// of bytes.
type chunk struct {
	b   []byte
	err error
	due time.Time
	to  *direction
}

// wires has one for each delay.
var wires struct {
	sync.Mutex
	of map[time.Duration]*wire // guarded by Mutex
}

func wireOf(d time.Duration) (*wire, error) {
	wires.Lock()
	defer wires.Unlock()
	if w := wires.of[d]; w != nil {
		return w, nil
	}
	t, err := timer.New()
	if err != nil {
		return nil, err
	}
	w := &wire{delay: d, timer: t, start: time.Now(), some: make(chan struct{}, 1)}
	if wires.of == nil {
		wires.of = make(map[time.Duration]*wire)
	}
	wires.of[d] = w
	go w.carry()
	return w, nil
}

// send puts a chunk on its way. It is due at the end of its slot, with all others of that.
func (w *wire) send(c chunk) {
	w.mu.Lock()
	at := time.Since(w.start) + w.delay + slot - 1
	c.due = w.start.Add(at - at%slot)
	first := len(w.way) == 0
	w.way = append(w.way, c)
	w.mu.Unlock()
	if first {
		select {
		case w.some <- struct{}{}:
		default:
		}
	}
}

// carry hands over what is due.
func (w *wire) carry() {
	var due []chunk
	for {
		next, ok := w.next()
		if !ok {
			<-w.some
			continue
		}
		w.timer.Until(next)
		due = w.take(due[:0], time.Now())
		for i, c := range due {
			c.to.arrived <- c // has room
			due[i] = chunk{}
		}
	}
}

// next returns when the first chunk is due.
func (w *wire) next() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.way) == 0 {
		return time.Time{}, false
	}
	return w.way[0].due, true
}

// take moves what is due to a list.
func (w *wire) take(due []chunk, now time.Time) []chunk {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.way) && !w.way[n].due.After(now) {
		n++
	}
	due = append(due, w.way[:n]...)
	left := copy(w.way, w.way[n:])
	clear(w.way[left:])
	w.way = w.way[:left]
	return due
}
