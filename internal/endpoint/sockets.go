package endpoint

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// A network opens listeners and connections: cachemesh.Network.
type network interface {
	Listen(ctx context.Context, addr string) (net.Listener, error)
	ListenPacket(ctx context.Context, addr string) (net.PacketConn, error)
	Dial(ctx context.Context, addr string) (net.Conn, error)
}

// System is the operating system's network.
type System struct{}

func (System) Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

func (System) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	var lc net.ListenConfig
	return lc.ListenPacket(ctx, "udp", addr)
}

func (System) Dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}

// Options are the fields of cachemesh.Options of the same names, validated and with
// their defaults.
type Options struct {
	Name, ListenAddr, AdvertiseAddr, Mesh string

	BootstrapNodes []string
	JoinTimeout    time.Duration
	RequireJoin    bool

	InjectContext  func(ctx context.Context) []byte
	ExtractContext func(ctx context.Context, carried []byte) context.Context

	TLS           *tls.Config
	Secret        []byte
	AcceptSecrets [][]byte

	Patience, CallTimeout time.Duration
	MaxValueBytes         int
	ExternalServer        bool
	Network               network
}

// sockets are what a node has bound: TCP and UDP of one number.
type sockets struct {
	stream  net.Listener // nil with Options.ExternalServer
	packets net.PacketConn
}

// anyPortTries is how often a pair of equal TCP and UDP ports is sought when
// the system picks the number and some other program has its UDP twin.
const anyPortTries = 16

// bind binds the one port. Its errors are *OptionError naming ListenAddr.
func bind(o *Options) (sockets, error) {
	ctx := context.Background()
	if o.ExternalServer {
		packets, err := o.Network.ListenPacket(ctx, o.ListenAddr)
		if err != nil {
			return sockets{}, errs.Option("ListenAddr", o.ListenAddr, err)
		}
		return sockets{packets: packets}, nil
	}
	host, port, _ := net.SplitHostPort(o.ListenAddr)
	var last error
	for range anyPortTries {
		stream, err := o.Network.Listen(ctx, o.ListenAddr)
		if err != nil {
			return sockets{}, errs.Option("ListenAddr", o.ListenAddr, err)
		}
		_, bound, err := net.SplitHostPort(stream.Addr().String())
		if err != nil {
			stream.Close()
			return sockets{}, errs.Option("ListenAddr", o.ListenAddr, err)
		}
		packets, err := o.Network.ListenPacket(ctx, net.JoinHostPort(host, bound))
		if err == nil {
			return sockets{stream: stream, packets: packets}, nil
		}
		stream.Close()
		last = err
		if n, _ := strconv.Atoi(port); n != 0 {
			break
		}
	}
	return sockets{}, errs.Option("ListenAddr", o.ListenAddr, last)
}

func (s sockets) close() {
	if s.stream != nil {
		s.stream.Close()
	}
	s.packets.Close()
}
