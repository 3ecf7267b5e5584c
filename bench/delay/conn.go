package delay

import (
	"net"
	"os"
	"sync"
	"time"
)

// A direction is what is on the way one way. Each chunk takes one of its rooms until it has
// been used, so that the wire never waits.
type direction struct {
	rooms   chan struct{}
	arrived chan chunk
	free    chan []byte
}

func newDirection() *direction {
	return &direction{
		rooms:   make(chan struct{}, chunks),
		arrived: make(chan chunk, chunks+1), // and the last
		free:    make(chan []byte, chunks),
	}
}

func (d *direction) buffer() []byte {
	select {
	case b := <-d.free:
		return b
	default:
		return make([]byte, chunkSize)
	}
}

// used gives back what a chunk has taken.
func (d *direction) used(b []byte) {
	select {
	case d.free <- b[:cap(b)]:
	default:
	}
	<-d.rooms
}

// A conn is a connection whose chunks go over a wire. It is as a net.Conn must be: its methods are
// called concurrently.
type conn struct {
	net.Conn
	wire    *wire
	out, in *direction
	closed  chan struct{} // by Close
	broken  chan struct{} // closed when nothing is written any more
	once    sync.Once
	running sync.WaitGroup // writer and reader

	writing sync.Mutex // one Write at a time

	reading sync.Mutex // one Read at a time; guards what follows
	rest    []byte     // of the chunk that is being read
	whole   []byte     // that chunk
	last    error      // what ended the direction

	readBy, writeBy deadline
}

func newConn(raw net.Conn, w *wire) *conn {
	c := &conn{Conn: raw, wire: w, out: newDirection(), in: newDirection(), closed: make(chan struct{}), broken: make(chan struct{})}
	c.readBy.init()
	c.writeBy.init()
	c.running.Go(c.write)
	c.running.Go(c.read)
	return c
}

// Write takes all, unless there is too much on the way until the deadline.
func (c *conn) Write(b []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for len(b) > 0 {
		select {
		case <-c.closed:
			return n, net.ErrClosed
		case <-c.broken:
			return n, net.ErrClosed
		case <-c.writeBy.over():
			return n, os.ErrDeadlineExceeded
		default:
		}
		select {
		case <-c.closed:
			return n, net.ErrClosed
		case <-c.broken:
			return n, net.ErrClosed
		case <-c.writeBy.over():
			return n, os.ErrDeadlineExceeded
		case c.out.rooms <- struct{}{}:
		}
		buf := c.out.buffer()
		k := copy(buf, b)
		c.wire.send(chunk{b: buf[:k], to: c.out})
		n, b = n+k, b[k:]
	}
	return n, nil
}

// write writes what has gone all the way, what is due at once with one call.
func (c *conn) write() {
	defer close(c.broken)
	defer c.Conn.Close() // ends the reader
	var list [][]byte
	for first := range c.out.arrived {
		list = append(list[:0], first.b)
		last := first.err
		for more := len(c.out.arrived); more > 0 && last == nil; more-- {
			next := <-c.out.arrived
			list, last = append(list, next.b), next.err
		}
		bufs := net.Buffers(append([][]byte(nil), list...))
		if _, err := bufs.WriteTo(c.Conn); err != nil || last != nil {
			return
		}
		for _, b := range list {
			c.out.used(b)
		}
	}
}

// read puts what comes on its way, until the connection ends.
func (c *conn) read() {
	for {
		select {
		case <-c.closed:
			return
		case c.in.rooms <- struct{}{}:
		}
		b := c.in.buffer()
		n, err := c.Conn.Read(b)
		if n > 0 {
			c.wire.send(chunk{b: b[:n], to: c.in})
		}
		if err != nil {
			c.wire.send(chunk{err: err, to: c.in})
			return
		}
	}
}

// Read returns what has gone all the way.
func (c *conn) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.rest) == 0 {
		if err := c.await(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.in.used(c.whole)
	}
	return n, nil
}

// await waits for a chunk. c.reading must be held.
func (c *conn) await() error {
	select {
	case <-c.closed:
		return net.ErrClosed
	case <-c.readBy.over():
		return os.ErrDeadlineExceeded
	default:
	}
	if c.last != nil {
		return c.last
	}
	select {
	case got := <-c.in.arrived:
		c.whole, c.rest, c.last = got.b, got.b, got.err
		return got.err
	case <-c.closed:
		return net.ErrClosed
	case <-c.readBy.over():
		return os.ErrDeadlineExceeded
	}
}

// closeGrace is how long what was written before Close may take.
const closeGrace = 5 * time.Second

// Close lets what was written go on its way, and then closes the connection.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		err = c.Conn.SetWriteDeadline(time.Now().Add(closeGrace))
		c.wire.send(chunk{err: net.ErrClosed, to: c.out})
	})
	return err
}

func (c *conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.readBy.set(t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.set(t)
	return nil
}

// Raw returns the connection that carries this one.
func (c *conn) Raw() net.Conn { return c.Conn }
