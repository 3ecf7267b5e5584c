package membership

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestConfigErrorsNameTheField(t *testing.T) {
	n := newMemnet(t)
	for field, spoil := range map[string]func(*Config){
		"Name":             func(c *Config) { c.Name = "a\tb" },
		"Addr":             func(c *Config) { c.Addr = "10.0.0.1" },
		"Seeds":            func(c *Config) { c.Seeds = []string{"10.0.0.1"} },
		"Packets":          func(c *Config) { c.Packets = nil },
		"DialStream":       func(c *Config) { c.DialStream = nil },
		"ProbeTimeout":     func(c *Config) { c.ProbeTimeout = time.Second },
		"ProbeInterval":    func(c *Config) { c.ProbeInterval, c.ProbeTimeout = time.Nanosecond, -1 },
		"SuspicionMult":    func(c *Config) { c.SuspicionMult = 1 },
		"GossipInterval":   func(c *Config) { c.GossipInterval = -1 },
		"PushPullInterval": func(c *Config) { c.PushPullInterval = -1 },
		"StreamTimeout":    func(c *Config) { c.StreamTimeout = -1 },
		"RejoinInterval":   func(c *Config) { c.RejoinInterval = -1 },
		"LeaveLinger":      func(c *Config) { c.LeaveLinger = -1 },
	} {
		cfg := Config{Name: "a", Addr: "10.0.0.1:3000", Packets: n.listen(addrOf(1)), DialStream: n.dialer(addrOf(1))}
		spoil(&cfg)
		_, err := New(cfg)
		var ce *ConfigError
		if !errors.As(err, &ce) || ce.Field != field || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, addr := range []string{"", ":3000", "0.0.0.0:3000", "10.0.0.1:0", "10.0.0.1:http", "[fe80::1%eth0]:3000", "nowhere:3000"} {
		cfg := Config{Name: "a", Addr: addr, Packets: n.listen(addrOf(1)), DialStream: n.dialer(addrOf(1)), Resolver: &names{}}
		var ce *ConfigError
		if _, err := New(cfg); !errors.As(err, &ce) || ce.Field != "Addr" {
			t.Errorf("Addr %q: %v", addr, err)
		}
	}
}

func TestBootIsRandomUnlessGiven(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		a, b := c.launch(1), c.launch(2)
		if a.View().Members[0].Boot == b.View().Members[0].Boot {
			t.Error("two members have one boot")
		}
		d := c.launch(3, func(cfg *Config) { cfg.Boot = 42 })
		if id := d.View().Members[0].ID(); id != "n3#2a" {
			t.Errorf("ID %q", id)
		}
	})
}

// TestHostNamesReachTheDialer gives members host names for addresses: gossip uses the IP address, peers see the name.
func TestHostNamesReachTheDialer(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		dns := &names{}
		dns.add("one.local", netip.MustParseAddr("fd00::1"), addrOf(1).Addr())
		dns.add("two.local.", addrOf(2).Addr())
		hosts := make(chan string, 64)
		a := c.launch(1, func(cfg *Config) { cfg.Addr, cfg.Resolver = "one.local:3000", dns })
		b := c.launch(2, func(cfg *Config) {
			cfg.Addr, cfg.Resolver, cfg.Seeds = "two.local.:3000", dns, []string{"one.local:3000"}
			dial := cfg.DialStream
			cfg.DialStream = func(ctx context.Context, addr string) (net.Conn, error) {
				hosts <- Host(ctx)
				return dial(ctx, addr)
			}
		})
		if n, err := b.Join(t.Context()); n != 1 || err != nil {
			t.Fatalf("Join: %d, %v", n, err)
		}
		if host := <-hosts; host != "one.local" {
			t.Errorf("the dialer was told %q", host)
		}
		c.waitFor(time.Second, func() bool { return c.agree(2, a, b) })
		if got := a.View().Members[1].Addr; got != "two.local.:3000" {
			t.Errorf("a peer's address is %q", got)
		}
		if got := a.hostOf(addrOf(2)); got != "two.local" {
			t.Errorf("a peer's host is %q", got)
		}
		b.Close()
		c.waitFor(5*time.Second, func() bool { return a.names() == "n1" })
		if got := a.hostOf(addrOf(2)); got != "two.local" {
			t.Errorf("a lost peer's host is %q", got) // it is dialled again and again
		}
	})
}

func TestOwnAddresses(t *testing.T) {
	ap := netip.MustParseAddrPort
	for _, c := range []struct {
		advertised, bound string
		own, others       []string
	}{
		{"127.0.0.1:3000", "127.0.0.1:3000", []string{"127.0.0.1:3000", "[::1]:3000"}, []string{"127.0.0.1:4000", "127.0.0.2:3000"}},
		{"192.0.2.1:80", "0.0.0.0:3000", []string{"192.0.2.1:80", "127.0.0.1:3000", "127.0.0.9:3000"}, []string{"127.0.0.1:80", "203.0.113.99:3000"}},
		{"[2001:db8::1]:3000", "[::]:3000", []string{"[2001:db8::1]:3000", "[::1]:3000"}, []string{"[2001:db8::2]:3000"}},
	} {
		o := ownAddrs{advertised: ap(c.advertised), bound: ap(c.bound)}
		for _, a := range c.own {
			if !o.has(ap(a)) {
				t.Errorf("%s bound to %s: %s is not its own", c.advertised, c.bound, a)
			}
		}
		for _, a := range c.others {
			if o.has(ap(a)) {
				t.Errorf("%s bound to %s: %s is its own", c.advertised, c.bound, a)
			}
		}
	}
}
