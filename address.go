package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
)

// advertised returns the host:port that peers dial.
func advertised(o *Options, s sockets) (string, error) {
	_, port, err := net.SplitHostPort(s.packets.LocalAddr().String())
	if err != nil {
		return "", errs.Option("ListenAddr", o.ListenAddr, err)
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
	ip, err := routedAddr(o, s)
	if err != nil {
		return "", errs.Option("AdvertiseAddr", "", err)
	}
	return net.JoinHostPort(ip, port), nil
}

// routeTimeout bounds the look-up of bootstrap nodes for the default of
// AdvertiseAddr. Without an answer the route to anywhere decides.
const routeTimeout = 2 * time.Second

// anywhere is an address beyond this network that nobody has (RFC 5737): the
// route to it is the default route.
const anywhere = "192.0.2.1:9"

// routedAddr returns the address of a member that listens on all interfaces:
// the one from which packets go to its bootstrap nodes. A machine often has
// others, such as a container bridge's, which are equal on all machines.
func routedAddr(o *Options, s sockets) (string, error) {
	network, seeds := "udp", remoteSeeds(o.BootstrapNodes)
	host, _, _ := net.SplitHostPort(s.packets.LocalAddr().String())
	ip, err := netip.ParseAddr(host)
	if err == nil && !ip.IsUnspecified() {
		return host, nil // of a Network that is not the system's
	}
	if ip.Is4() {
		network = "udp4"
	}
	if _, ok := o.Network.(systemNetwork); !ok || len(seeds) == 0 {
		return machineAddr()
	}
	ctx, cancel := context.WithTimeout(context.Background(), routeTimeout)
	defer cancel()
	for _, seed := range seeds {
		if ip, ok := localAddrTo(ctx, network, seed); ok {
			return ip.String(), nil
		}
	}
	if ip, ok := localAddrTo(context.Background(), network, anywhere); ok {
		return ip.String(), nil
	}
	return machineAddr()
}

// remoteSeeds returns the seeds that are not said to be on this machine.
func remoteSeeds(seeds []string) []string {
	return slices.DeleteFunc(slices.Clone(seeds), func(seed string) bool {
		host, _, _ := net.SplitHostPort(seed)
		ip, err := netip.ParseAddr(host)
		return host == "" || isLoopback(seed) || err == nil && ip.IsUnspecified()
	})
}

// localAddrTo returns this machine's address on the way to addr, unless it is one
// that others could not dial. It sends nothing: connecting UDP only looks the
// route up.
func localAddrTo(ctx context.Context, network, addr string) (netip.Addr, bool) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return netip.Addr{}, false
	}
	defer conn.Close()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	ip := local.Addr().Unmap()
	return ip, err == nil && !ip.IsUnspecified() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast()
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

// knocks is how often a member looks who answers at its address: a load balancer
// passes each connection to another.
const knocks = 3

// knockAtHome finds out whether another process answers at this node's address,
// own, as when all members were given that of a load balancer: bootstrap nodes at
// that address are taken for this node and not asked. The result comes within the
// time of a dial. An address at which this node itself listens needs no look.
func (n *Node) knockAtHome(own netip.AddrPort) <-chan error {
	result := make(chan error, 1)
	look := func() {
		var err error
		for range knocks {
			if err = n.pool.Knock(n.life.Context(), n.addr); err != nil {
				break
			}
		}
		if errors.Is(err, httppool.ErrAddrTaken) {
			n.log.Error("another process answers at the address that this member advertises: give each its own (AdvertiseAddr)", "addr", n.addr)
		}
		result <- err
	}
	if len(n.opts.BootstrapNodes) == 0 || n.isBound(own) || !n.life.Go(look) {
		result <- nil
	}
	return result
}

// answeredAtHome returns an *OptionError if another process answered. Once this
// node has joined it waits no longer for that: the others would have refused it.
func (n *Node) answeredAtHome(knocked <-chan error, joined bool) error {
	var err error
	if joined {
		select {
		case err = <-knocked:
		default:
		}
	} else {
		err = <-knocked
	}
	if errors.Is(err, httppool.ErrAddrTaken) {
		return fmt.Errorf("%w: %w", errs.ErrJoin, errs.Option("AdvertiseAddr", n.addr, err))
	}
	return nil
}

// isBound reports whether this node itself listens at its address, own: the machine has
// the host, and the port is the one that it listens at.
func (n *Node) isBound(own netip.AddrPort) bool {
	bound, err := netip.ParseAddrPort(n.sockets.packets.LocalAddr().String())
	return onThisMachine(own.Addr()) && (err != nil || bound.Port() == own.Port())
}

// onThisMachine reports whether an interface of this machine has the address.
func onThisMachine(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	return ip.IsLoopback() || err == nil && slices.ContainsFunc(addrs, func(a net.Addr) bool {
		ipnet, ok := a.(*net.IPNet)
		return ok && ipnet.IP.Equal(ip.AsSlice())
	})
}
