package endpoint

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/membership"
)

// isLoopback reports whether the host of host:port is of this machine alone.
func isLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

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
	if _, ok := o.Network.(System); !ok || len(seeds) == 0 {
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

// onThisMachine reports whether an interface of this machine has the address.
func onThisMachine(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	return ip.IsLoopback() || err == nil && slices.ContainsFunc(addrs, func(a net.Addr) bool {
		ipnet, ok := a.(*net.IPNet)
		return ok && ipnet.IP.Equal(ip.AsSlice())
	})
}

// Self is who a node is to the others.
type Self struct {
	Name, Addr string // addr is what peers dial
	Boot       uint64 // identity of this run of the process
	ID         string // name and boot
}

// identify returns who a node is that has bound its sockets. Errors: *errs.OptionError.
func identify(o *Options, s sockets) (who Self, err error) {
	if who.Addr, err = advertised(o, s); err != nil {
		return who, err
	}
	who.Name, who.Boot = cmp.Or(o.Name, who.Addr), newBoot()
	who.ID = membership.Member{Name: who.Name, Boot: who.Boot}.ID()
	return who, nil
}

// newBoot returns a random identity, never zero.
func newBoot() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) | 1
}
