package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// systemNetwork is the operating system's network.
type systemNetwork struct{}

func (systemNetwork) Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

func (systemNetwork) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	var lc net.ListenConfig
	return lc.ListenPacket(ctx, "udp", addr)
}

func (systemNetwork) Dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
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
			return sockets{}, &OptionError{"ListenAddr", o.ListenAddr, err}
		}
		return sockets{packets: packets}, nil
	}
	host, port, _ := net.SplitHostPort(o.ListenAddr)
	var last error
	for range anyPortTries {
		stream, err := o.Network.Listen(ctx, o.ListenAddr)
		if err != nil {
			return sockets{}, &OptionError{"ListenAddr", o.ListenAddr, err}
		}
		_, bound, err := net.SplitHostPort(stream.Addr().String())
		if err != nil {
			stream.Close()
			return sockets{}, &OptionError{"ListenAddr", o.ListenAddr, err}
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
	return sockets{}, &OptionError{"ListenAddr", o.ListenAddr, last}
}

func (s sockets) close() {
	if s.stream != nil {
		s.stream.Close()
	}
	s.packets.Close()
}

// advertised returns the host:port that peers dial.
func advertised(o *Options, s sockets) (string, error) {
	_, port, err := net.SplitHostPort(s.packets.LocalAddr().String())
	if err != nil {
		return "", &OptionError{"ListenAddr", o.ListenAddr, err}
	}
	if o.AdvertiseAddr != "" {
		host, want, _ := net.SplitHostPort(o.AdvertiseAddr)
		if n, _ := strconv.Atoi(want); n == 0 {
			want = port
		}
		return net.JoinHostPort(host, want), nil
	}
	host, _, _ := net.SplitHostPort(o.ListenAddr)
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return net.JoinHostPort(host, port), nil
	}
	host, err = machineAddr()
	if err != nil {
		return "", &OptionError{"AdvertiseAddr", "", err}
	}
	return net.JoinHostPort(host, port), nil
}

// machineAddr returns the address under which other machines most likely reach
// this one: a private one, else any other, else the loopback address. Among
// equals IPv4 comes first.
func machineAddr() (string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("cannot list this machine's addresses, set AdvertiseAddr: %w", err)
	}
	best, bestRank := "", 0
	for _, addr := range addrs {
		ipnet, ok := addr.(*net.IPNet)
		if !ok {
			continue
		}
		if rank := addrRank(ipnet.IP); rank > bestRank {
			best, bestRank = ipnet.IP.String(), rank
		}
	}
	if best == "" {
		return "", errors.New("this machine has no usable address, set AdvertiseAddr")
	}
	return best, nil
}

func addrRank(ip net.IP) int {
	rank := 0
	switch {
	case ip.IsLinkLocalUnicast() || ip.IsMulticast():
		return 0
	case ip.IsLoopback():
		rank = 1
	case ip.IsPrivate():
		rank = 5
	default:
		rank = 3
	}
	if ip.To4() != nil {
		rank++
	}
	return rank
}
