package membership_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/memnet"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// wantAddrError checks that an error names AdvertiseAddr, for code and for people.
func wantAddrError(t *testing.T, err error) {
	t.Helper()
	oe, ok := errors.AsType[*cachemesh.OptionError](err)
	if !ok || oe.Option != "AdvertiseAddr" || !strings.Contains(err.Error(), "AdvertiseAddr") {
		t.Errorf("%v, want an OptionError of AdvertiseAddr", err)
	}
}

// TestDefaultAddressRoutesToTheSeeds: a machine has several addresses, and the
// one to advertise is the one that the seeds see.
func TestDefaultAddressRoutesToTheSeeds(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	kit.Must(t, err)
	tried := 0
	for _, a := range addrs {
		ip := a.(*net.IPNet).IP
		if ip.IsLoopback() || !ip.IsGlobalUnicast() {
			continue
		}
		// Packets to an address of this machine go from that very address.
		n, err := cachemesh.New(cachemesh.Options{ListenAddr: ":0", BootstrapNodes: []string{"127.0.0.1:9", net.JoinHostPort(ip.String(), "9")}})
		kit.Must(t, err)
		defer n.Close()
		if host, _, _ := net.SplitHostPort(n.Addr()); host != ip.String() {
			t.Errorf("with a seed that is reached from %s it advertises %s", ip, n.Addr())
		}
		tried++
	}
	if tried == 0 {
		t.Skip("this machine has no address but loopback")
	}
}

// TestOneAddressForTwoRuns: two machines whose members were given one address,
// such as that of a bridge that both have, find out instead of taking each
// other for themselves.
func TestOneAddressForTwoRuns(t *testing.T) {
	for _, named := range []bool{false, true} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			network := memnet.New(1)
			hosts := []*memnet.Host{network.Host("host0"), network.Host("host1")}
			log := new(kit.Log)
			nodes := make([]*cachemesh.Node, 2)
			errs := make([]error, 2)
			var all sync.WaitGroup
			for i, h := range hosts {
				o := cachemesh.Options{
					Network: h, ListenAddr: ":3000", AdvertiseAddr: "172.17.0.1:3000", RequireJoin: true, JoinTimeout: time.Second,
					BootstrapNodes: []string{net.JoinHostPort(hosts[1-i].IP().String(), "3000")}, Logger: log.Logger(),
				}
				if named {
					o.Name = h.Name()
				}
				var err error
				nodes[i], err = cachemesh.New(o)
				kit.Must(t, err)
				defer nodes[i].Close()
			}
			for i, n := range nodes {
				all.Go(func() { errs[i] = n.Start() })
			}
			all.Wait()
			for _, err := range errs {
				wantAddrError(t, err)
				if !errors.Is(err, cachemesh.ErrJoin) {
					t.Errorf("%v, want ErrJoin", err)
				}
			}
			if log.Count("own address, 172.17.0.1:3000", "AdvertiseAddr") == 0 {
				t.Errorf("the log does not say so:\n%s", log)
			}
		})
	}
}

// TestAddressTakenBesideOthers: that another seed accepts the member does not make
// its address its own.
func TestAddressTakenBesideOthers(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		network := memnet.New(1)
		start := func(i int, advertise string, seeds ...string) error {
			n, err := cachemesh.New(cachemesh.Options{
				Name: kit.Host(i), Network: network.Host(kit.Host(i)), ListenAddr: ":3000", AdvertiseAddr: advertise,
				BootstrapNodes: seeds, JoinTimeout: time.Second,
			})
			kit.Must(t, err)
			t.Cleanup(func() { n.Close() })
			return n.Start()
		}
		kit.Must(t, start(0, "host0:3000"))
		kit.Must(t, start(1, "172.17.0.1:3000"))
		wantAddrError(t, start(2, "172.17.0.1:3000", "host0:3000", "host1:3000"))
	})
}

// A balancer is a host's network on which one address leads to many hosts.
type balancer struct {
	*memnet.Host
	addr  string
	hosts []string
	next  *atomic.Int64
}

func (b balancer) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if host == "service" {
		return []netip.Addr{netip.MustParseAddr("172.17.0.1")}, nil
	}
	return b.Host.LookupNetIP(ctx, network, host)
}

func (b balancer) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if addr == b.addr {
		addr = net.JoinHostPort(b.hosts[b.next.Add(1)%int64(len(b.hosts))], "3000")
	}
	return b.Host.Dial(ctx, addr)
}

// TestAddressOfALoadBalancer: all members advertise the service's address, which
// is their bootstrap node, too, so that none asks another.
func TestAddressOfALoadBalancer(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		network, next := memnet.New(1), new(atomic.Int64)
		var nodes []*cachemesh.Node
		for i := range 2 {
			n, err := cachemesh.New(cachemesh.Options{
				Name: kit.Host(i), ListenAddr: ":3000", AdvertiseAddr: "service:3000", BootstrapNodes: []string{"service:3000"}, JoinTimeout: time.Second,
				Network: balancer{network.Host(kit.Host(i)), "service:3000", []string{kit.Host(0), kit.Host(1)}, next},
			})
			kit.Must(t, err)
			defer n.Close()
			nodes = append(nodes, n)
		}
		kit.Must(t, nodes[0].Start()) // nobody else is there yet
		wantAddrError(t, nodes[1].Start())
	})
}

// TestLoopbackAddressAndRemoteSeeds: the seeds' host names are looked up at Start.
func TestLoopbackAddressAndRemoteSeeds(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		n, err := cachemesh.New(cachemesh.Options{
			Name: "here", Network: m.Net.Host("host1"), ListenAddr: ":3000", AdvertiseAddr: "127.0.0.1:3000", BootstrapNodes: []string{"host0:3000"},
		})
		kit.Must(t, err)
		defer n.Close()
		wantAddrError(t, n.Start())
	})
}

// TestRequireJoinWantsAnother: a mesh of oneself is no mesh.
func TestRequireJoinWantsAnother(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		network := memnet.New(1)
		for _, require := range []bool{false, true} {
			host := network.Host(fmt.Sprint("host-", require))
			addr := net.JoinHostPort(host.IP().String(), "3000")
			n, err := cachemesh.New(cachemesh.Options{Network: host, ListenAddr: addr, BootstrapNodes: []string{addr},
				RequireJoin: require, JoinTimeout: time.Second})
			kit.Must(t, err)
			defer n.Close()
			if err := n.Start(); errors.Is(err, cachemesh.ErrJoin) != require {
				t.Errorf("RequireJoin %t: Start: %v", require, err)
			}
		}
	})
}

// lateDNS is a network whose names are known from a time on.
type lateDNS struct {
	*memnet.Host
	from time.Time
}

func (l lateDNS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if time.Now().Before(l.from) {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return l.Host.LookupNetIP(ctx, network, host)
}

// TestOwnNameIsPublishedLate: as an orchestrator does it, once the process runs.
func TestOwnNameIsPublishedLate(t *testing.T) {
	for _, never := range []bool{false, true} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			m := kit.New(t, 1)
			start := time.Now()
			dns := lateDNS{m.Net.Host("host1"), start.Add(3 * time.Second)}
			if never {
				dns.from = start.Add(time.Hour)
			}
			n := m.NewNode(1, func(_ int, o *cachemesh.Options) {
				o.Network, o.AdvertiseAddr, o.JoinTimeout = dns, "host1:3000", 10*time.Second
			})
			m.Nodes = append(m.Nodes, n)
			err := n.Start()
			took := time.Since(start)
			if never {
				wantAddrError(t, err)
				if took < 10*time.Second || took > 11*time.Second || !strings.Contains(fmt.Sprint(err), "host1") {
					t.Errorf("Start took %v: %v, want JoinTimeout and an error that names host1", took, err)
				}
				return
			}
			kit.Must(t, err)
			if took < 3*time.Second || took > 4*time.Second {
				t.Errorf("Start took %v, want a little more than the 3s after which the name is known", took)
			}
			m.Settle(2)
		})
	}
}
