package membership

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxSeeds       = 256  // configured
	maxSeedAddrs   = 1024 // that they resolve to, in all
	resolveTimeout = 2 * time.Second
)

// resolve finds all addresses of host:port.
func resolve(ctx context.Context, r Resolver, addr string) ([]netip.AddrPort, error) {
	host, port, err := splitAddr(addr)
	if err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), port)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	ips, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.AddrPort, 0, len(ips))
	for _, ip := range ips {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap().WithZone(""), port))
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%q has no addresses", host)
	}
	return addrs, nil
}

// GossipAddr returns the one address at which peers gossip to a member that advertises addr, host:port: IPv4 preferred.
// A nil resolver is net.DefaultResolver; a look-up takes 2 s at most. An error wraps ErrUnresolved if a later call may
// succeed.
func GossipAddr(ctx context.Context, r Resolver, addr string) (netip.AddrPort, error) {
	if r == nil {
		r = net.DefaultResolver
	}
	addrs, err := resolve(ctx, r, addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", ErrUnresolved, err)
	}
	i := max(0, slices.IndexFunc(addrs, func(a netip.AddrPort) bool { return a.Addr().Is4() }))
	if addrs[i].Addr().IsUnspecified() {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address that peers could dial", addr)
	}
	return addrs[i], nil
}

// ownAddrs tells this member's own addresses from those of others.
type ownAddrs struct {
	advertised netip.AddrPort
	bound      netip.AddrPort // invalid if the socket does not say
}

func newOwnAddrs(advertised netip.AddrPort, conn net.PacketConn) ownAddrs {
	bound, _ := addrPortOf(conn.LocalAddr())
	return ownAddrs{advertised: advertised, bound: bound}
}

// has says whether packets to addr come to this member.
func (o ownAddrs) has(addr netip.AddrPort) bool {
	switch {
	case addr == o.advertised || addr == o.bound:
		return true
	case addr.Port() == o.bound.Port() && isLocalhost(addr.Addr()) && isLocalhost(o.bound.Addr()):
		return true // "localhost" has an IPv4 and an IPv6 address, and the socket may be bound to one of them
	case !o.bound.IsValid() || addr.Port() != o.bound.Port() || !o.bound.Addr().IsUnspecified():
		return false
	case addr.Addr().IsLoopback() || addr.Addr().IsUnspecified():
		return true
	}
	return isOfThisMachine(addr.Addr())
}

// isOfThisMachine says whether an interface of this machine has the address.
func isOfThisMachine(ip netip.Addr) bool {
	locals, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(locals, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		if !ok {
			return false
		}
		local, ok := netip.AddrFromSlice(n.IP)
		return ok && local.Unmap() == ip
	})
}

// elsewhere says whether an address is that of another machine.
func elsewhere(ip netip.Addr) bool {
	ip = ip.Unmap()
	return !ip.IsLoopback() && !ip.IsUnspecified() && !isOfThisMachine(ip)
}

var localhost4, localhost6 = netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()

func isLocalhost(ip netip.Addr) bool { return ip == localhost4 || ip == localhost6 }

// thisHost returns the loopback address of the family that this member uses.
func (o ownAddrs) thisHost() netip.Addr {
	if o.advertised.Addr().Is4() {
		return localhost4
	}
	return localhost6
}

// seeds are where other members may be found, as configured.
type seeds struct {
	names    []string
	resolver Resolver
	own      ownAddrs
	hosts    atomic.Pointer[map[netip.AddrPort]string] // host names, as last resolved
}

// find resolves one seed. No host, or an unspecified one, means this host.
func (s *seeds) find(ctx context.Context, seed string) ([]netip.AddrPort, error) {
	host, port, _ := splitAddr(seed) // New checked it
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return []netip.AddrPort{netip.AddrPortFrom(s.own.thisHost(), port)}, nil
	}
	addrs, err := resolve(ctx, s.resolver, seed)
	if err != nil {
		return nil, fmt.Errorf("bootstrap node %q: %w", seed, err)
	}
	return addrs, nil
}

// findAll resolves all seeds, a few at a time, without this member's own addresses. It returns the errors of those
// that could not be resolved, each naming its seed.
func (s *seeds) findAll(ctx context.Context) ([]netip.AddrPort, []error) {
	type answer struct {
		addrs []netip.AddrPort
		err   error
	}
	answers := make([]answer, len(s.names))
	each(len(s.names), func(i int) {
		a, err := s.find(ctx, s.names[i])
		answers[i] = answer{a, err}
	})
	var errs []error
	var addrs []netip.AddrPort
	hosts := make(map[netip.AddrPort]string)
	for i, a := range answers {
		if a.err != nil {
			errs = append(errs, a.err)
		}
		for _, addr := range a.addrs {
			if s.own.has(addr) || slices.Contains(addrs, addr) || len(addrs) == maxSeedAddrs {
				continue
			}
			addrs = append(addrs, addr)
			if host := hostName(s.names[i]); host != "" {
				hosts[addr] = host
			}
		}
	}
	s.hosts.Store(&hosts)
	return addrs, errs
}

// hostName returns the host of host:port, or "" if it is an IP address or none.
func hostName(addr string) string {
	host, _, err := splitAddr(addr)
	if err != nil {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return strings.TrimSuffix(host, ".")
}

// Resolver finds the addresses of a host name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// each calls f for 0 to n-1, on at most maxContacts goroutines, and returns when all calls have returned.
func each(n int, f func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(n, maxContacts) {
		workers.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}

// maxContacts bounds the exchanges of state, and the look-ups, at once.
const maxContacts = 8

// loopback returns a *LoopbackError if this member is at a loopback address and a seed at none of this machine.
func (o ownAddrs) loopback(addr string, seeds []netip.AddrPort) error {
	if !o.advertised.Addr().IsLoopback() {
		return nil
	}
	for _, s := range seeds {
		if elsewhere(s.Addr()) {
			return &LoopbackError{Addr: addr, Seed: s.String()}
		}
	}
	return nil
}
