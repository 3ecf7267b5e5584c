package growth

import (
	"context"
	"net"
	"sync/atomic"
)

// A meter is the operating system's network, with the gossip packets counted.
type meter struct {
	packets, bytes atomic.Int64 // sent, by all members
}

func (m *meter) Listen(ctx context.Context, addr string) (net.Listener, error) {
	var c net.ListenConfig
	return c.Listen(ctx, "tcp", addr)
}

func (m *meter) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	var c net.ListenConfig
	conn, err := c.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, err
	}
	return &meteredConn{conn, m}, nil
}

func (m *meter) Dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

type meteredConn struct {
	net.PacketConn
	meter *meter
}

func (c *meteredConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.meter.packets.Add(1)
	c.meter.bytes.Add(int64(len(b)))
	return c.PacketConn.WriteTo(b, to)
}
