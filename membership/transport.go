package membership

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	packetSize  = 64 << 10 // the largest UDP packet
	packetQueue = 128      // packets that wait for memberlist; then the kernel's buffer fills
	udpBuffer   = 2 << 20  // asked of the kernel, which may grant less
)

// transport carries memberlist's packets over a socket it was given, and its streams over connections that others
// dial and accept. See memberlist.Transport.
type transport struct {
	addr    netip.AddrPort // what this member advertises
	mesh    string         // packets of another are dropped
	conn    net.PacketConn
	journal *journal
	heard   func(netip.AddrPort) // told the source of every packet; must not block
	packets chan *memberlist.Packet
	streams *streams

	ctx    context.Context // done once Shutdown was called
	cancel context.CancelFunc
	reader sync.WaitGroup // the read loop

	packetsIn, packetsOut, bytesIn, bytesOut, foreign atomic.Uint64
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// start owns t.conn from now on, and reads it until Shutdown.
func (t *transport) start(dial dialFunc, host func(netip.AddrPort) string) {
	t.packets = make(chan *memberlist.Packet, packetQueue)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.streams = newStreams(t.ctx, dial, host)
	if c, ok := t.conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = c.SetReadBuffer(udpBuffer) // best effort: gossip survives lost packets
	}
	t.reader.Go(t.read)
}

// read hands packets on until the socket is closed.
func (t *transport) read() {
	buf := make([]byte, packetSize)
	for pause := time.Duration(0); ; {
		n, from, err := t.conn.ReadFrom(buf)
		now := time.Now()
		if t.ctx.Err() != nil {
			return
		}
		if err != nil {
			t.journal.add(slog.LevelWarn, "gossip packets cannot be read", slog.Any("err", err))
			if errors.Is(err, net.ErrClosed) {
				return
			}
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			if !wait(t.ctx, pause) {
				return
			}
			continue
		}
		pause = 0
		if n == 0 {
			continue
		}
		t.packetsIn.Add(1)
		t.bytesIn.Add(uint64(n))
		if !t.ofThisMesh(buf[:n], from) {
			continue
		}
		if ap, ok := addrPortOf(from); ok {
			t.heard(ap)
		}
		// memberlist keeps parts of a packet in its queues, so each gets memory of its own.
		p := &memberlist.Packet{Buf: append([]byte(nil), buf[:n]...), From: from, Timestamp: now}
		select {
		case t.packets <- p:
		case <-t.ctx.Done():
			return
		}
	}
}

// ofThisMesh says whether a packet carries this mesh's name. One of another is counted, and said once in a while for
// each sender.
func (t *transport) ofThisMesh(packet []byte, from net.Addr) bool {
	_, mesh, err := memberlist.RemoveLabelHeaderFromPacket(packet)
	if err == nil && mesh == t.mesh {
		return true
	}
	t.foreign.Add(1)
	sender, _ := addrPortOf(from)
	t.journal.put(line{
		level: slog.LevelWarn, class: "mesh of " + sender.Addr().String(), quiet: strangerQuiet,
		msg:   "gossip of another mesh is ignored (Options.Mesh)",
		attrs: []slog.Attr{slog.Any("addr", from), slog.String("mesh", clip(mesh)), slog.String("own_mesh", t.mesh)},
	})
	return false
}

// FinalAdvertiseAddr returns the address that this member was configured with.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.addr.Addr().AsSlice(), int(t.addr.Port()), nil
}

// WriteTo sends one packet to an ip:port.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	if t.ctx.Err() != nil {
		return time.Time{}, net.ErrClosed // memberlist's goroutines may outlive it
	}
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return time.Time{}, err
	}
	if c, ok := t.conn.(*net.UDPConn); ok {
		_, err = c.WriteToUDPAddrPort(b, to)
	} else {
		_, err = t.conn.WriteTo(b, net.UDPAddrFromAddrPort(to))
	}
	if err == nil {
		t.packetsOut.Add(1)
		t.bytesOut.Add(uint64(len(b)))
	}
	return time.Now(), err
}

// WriteToAddress sends one packet to an ip:port.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return t.WriteTo(b, a.Addr)
}

// PacketCh returns the packets that came in.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh returns the streams that peers opened.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams.accepted }

// DialTimeout opens a stream to an ip:port.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.streams.dial(addr, timeout)
}

// DialAddressTimeout opens a stream to an ip:port.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.streams.dial(a.Addr, timeout)
}

// Shutdown closes the socket and every stream, and waits for the read loop. Later calls do nothing.
func (t *transport) Shutdown() error {
	t.cancel()
	err := t.conn.Close()
	t.streams.closeAll()
	t.reader.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func addrPortOf(a net.Addr) (netip.AddrPort, bool) {
	if u, ok := a.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
	}
	return netip.AddrPort{}, false
}

// wait returns false if ctx is done before d has passed.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
