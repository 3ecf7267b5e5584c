package memnet

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// A Conn is one end of a stream. Its methods are called concurrently; a Write is
// never interleaved with another. Errors are *net.OpError around
// net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNRESET or syscall.EPIPE,
// and io.EOF as it is.
type Conn struct {
	host          *Host
	peer          *Conn
	in, out       *pipe
	local, remote netip.AddrPort
	dialled       bool
	closed        atomic.Bool
}

var _ net.Conn = (*Conn)(nil)

// Read waits until something has arrived. After the peer closed, it returns
// what is left, then io.EOF.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

// Write accepts all of b, waiting while 256 KiB are on their way. What it
// accepted is delivered unless one of the hosts is killed.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	c.host.counters.streamBytes.Add(uint64(n))
	return n, c.wrap("write", err)
}

// Close ends both directions. The peer still gets what was written.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return c.wrap("close", net.ErrClosed)
	}
	c.in.closeRead()
	c.out.closeWrite(closed)
	c.host.net.mu.Lock()
	c.host.forgetLocked(c)
	c.host.net.mu.Unlock()
	return nil
}

// abortLocked ends both directions as the system does for a process that died.
// The network's lock is held.
func (c *Conn) abortLocked() { c.closeLocked(reset) }

// closeLocked ends both directions. The network's lock is held.
func (c *Conn) closeLocked(kind ending) {
	if c.closed.Swap(true) {
		return
	}
	c.in.closeRead()
	c.out.closeWrite(kind)
	c.host.forgetLocked(c)
}

// LocalAddr returns a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr returns a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	err := c.in.setReadDeadline(t)
	if err == nil {
		err = c.out.setWriteDeadline(t)
	}
	return c.wrap("set", err)
}

// SetReadDeadline ends Reads that wait, and all later ones, at t. Zero means never.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.wrap("set", c.in.setReadDeadline(t)) }

// SetWriteDeadline ends Writes that wait, and all later ones, at t. Zero means never.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.wrap("set", c.out.setWriteDeadline(t)) }

func (c *Conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// connectLocked makes a stream between two hosts and books both its ends. The
// network's lock is held.
func (n *Network) connectLocked(from *Host, fromPort uint16, to *Host, toPort uint16) (near, far *Conn) {
	a, b := netip.AddrPortFrom(from.ip, fromPort), netip.AddrPortFrom(to.ip, toPort)
	near = &Conn{host: from, local: a, remote: b, dialled: true}
	far = &Conn{host: to, local: b, remote: a, peer: near}
	near.peer = far
	out := newPipe(n.pipeStateLocked(from, to), n.linkLocked(from.name, to.name).newStream())
	in := newPipe(n.pipeStateLocked(to, from), n.linkLocked(to.name, from.name).newStream())
	out.back, in.back = in, out
	near.out, near.in = out, in
	far.out, far.in = in, out
	from.streams[fromPort] = near
	to.accepted[far] = struct{}{}
	return near, far
}

// pipeStateLocked returns what the faults make of a pipe between two hosts.
func (n *Network) pipeStateLocked(writer, reader *Host) pipeState {
	return pipeState{
		conditions:   n.linkLocked(writer.name, reader.name).conditions,
		cut:          n.stallsLocked(writer.name, reader.name),
		writerPaused: writer.paused,
		readerPaused: reader.paused,
	}
}

// refreshLocked applies the network's faults to both directions.
func (c *Conn) refreshLocked() {
	n := c.host.net
	c.out.setState(n.pipeStateLocked(c.host, c.peer.host))
	c.in.setState(n.pipeStateLocked(c.peer.host, c.host))
}
