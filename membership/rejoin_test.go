package membership

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestPartitionHeals cuts five members into 2|3 for less and for more time than memberlist remembers the dead, with the
// seed on one side, and with the seed gone for ever.
func TestPartitionHeals(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"short": 10 * time.Second, "long": 10 * time.Minute} {
		for _, seedLives := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T, c *cluster) { partitionHeals(t, c, lasts, seedLives) })
			})
		}
	}
}

func partitionHeals(t *testing.T, c *cluster, lasts time.Duration, seedLives bool) {
	nodes := c.mesh(6)
	if !seedLives {
		nodes[0].Close()
	} else {
		nodes[5].Close()
		nodes = nodes[:5]
	}
	nodes = nodes[len(nodes)-5:]
	c.waitFor(3*time.Second, func() bool { return c.agree(5, nodes...) })
	two, three := nodes[:2], nodes[2:]
	c.net.partition(1, two[0].addr, two[1].addr)
	took := c.waitFor(10*time.Second, func() bool { return c.agree(2, two...) && c.agree(3, three...) })
	t.Logf("both sides see the partition after %v", took)
	time.Sleep(lasts)
	c.net.partition(0, two[0].addr, two[1].addr)
	took = c.waitFor(75*time.Second, func() bool { return c.agree(5, nodes...) })
	t.Logf("after %v, seed alive %v: healed after %v", lasts, seedLives, took)
	time.Sleep(time.Minute)
	c.waitFor(0, func() bool { return c.agree(5, nodes...) })
	for _, n := range nodes {
		if n.find(func(v *View) bool { return v.Returned }) == nil {
			t.Errorf("%s never learnt that others held it for dead", n.cfg.Name)
		}
	}
}

// TestPausedMemberReturns stops one member's traffic for longer than its death takes. When it goes on, it is back soon,
// under the same identity, and knows that it was away.
func TestPausedMemberReturns(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		paused := nodes[2]
		id := paused.id()
		c.net.partition(1, paused.addr)
		c.waitFor(3*time.Second, func() bool { return c.agree(2, nodes[:2]...) })
		c.net.partition(0, paused.addr)
		took := c.waitFor(3*time.Second, func() bool { return c.agree(3, nodes...) && has(nodes[0].View(), id) })
		t.Logf("back after %v", took)
		if paused.find(func(v *View) bool { return v.Returned }) == nil {
			t.Error("it never learnt that others held it for dead")
		}
	})
}

func TestSeedsComeUpLater(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		a := c.launch(1, seedsAt(2, 3))
		if n, err := a.Join(t.Context()); n != 0 || err == nil {
			t.Errorf("Join with no seed up: %d, %v", n, err)
		}
		time.Sleep(time.Second)
		b := c.launch(2, seedsAt(1, 3))
		took := c.waitFor(2*time.Second, func() bool { return c.agree(2, a, b) })
		t.Logf("found within %v", took)
		time.Sleep(10 * time.Minute)
		d := c.launch(3) // its own seeds are empty: the others have to find it
		took = c.waitFor(20*time.Second, func() bool { return c.agree(3, a, b, d) })
		t.Logf("a late seed was found within %v", took)
	})
}

func TestAllStartAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		for i := 1; i <= 5; i++ {
			c.launch(i, seedsAt(1, 2, 3, 4, 5))
		}
		errs := make(chan error, 5)
		for _, n := range c.nodes {
			go func() {
				_, err := n.Join(t.Context())
				errs <- err
			}()
		}
		for range 5 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		c.waitFor(500*time.Millisecond, func() bool { return c.agree(5, c.nodes...) })
	})
}

func TestNameWithManyAddresses(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		dns := &names{}
		dns.add("cache.local", addrOf(1).Addr(), addrOf(2).Addr(), addrOf(3).Addr(), netip.MustParseAddr("10.0.0.99"))
		withDNS := func(cfg *Config) {
			cfg.Resolver = dns
			cfg.Seeds = []string{"cache.local:3000"}
		}
		a := c.launch(1, withDNS)
		b := c.launch(2)
		d := c.launch(3)
		n, err := a.Join(t.Context())
		if n != 2 || err != nil {
			t.Errorf("Join: %d, %v; want 2 contacted, itself left out", n, err)
		}
		c.waitFor(500*time.Millisecond, func() bool { return c.agree(3, a, b, d) })
		if host := a.hostOf(addrOf(2)); host != "cache.local" {
			t.Errorf("host of a seed found by name: %q", host)
		}
		// The name gains an address: it is found although the mesh is healthy.
		e := c.launch(4)
		dns.add("cache.local", addrOf(4).Addr())
		c.waitFor(20*time.Second, func() bool { return c.agree(4, a, b, d, e) })
	})
}

func TestOnlySeedIsItself(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		n := c.launch(1, seedsAt(1))
		if k, err := n.Join(t.Context()); k != 0 || err != nil {
			t.Errorf("Join: %d, %v", k, err)
		}
		if v := n.View(); v.Epoch != 1 || len(v.Members) != 1 {
			t.Errorf("view %+v", v)
		}
	})
}

// TestItselfByAnotherAddress joins by an address that a network translates to the member's own.
func TestItselfByAnotherAddress(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		n := c.launch(1, seedsAt(77))
		c.net.alias(addrOf(77), addrOf(1))
		if k, err := n.Join(t.Context()); k != 0 || err != nil {
			t.Errorf("Join: %d, %v", k, err)
		}
	})
}

// TestItselfIsNoSeed: that it answers itself does not hide that the other seeds do not.
func TestItselfIsNoSeed(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		n := c.launch(1, seedsAt(77, 88))
		c.net.alias(addrOf(77), addrOf(1))
		if k, err := n.Join(t.Context()); k != 0 || err == nil || !strings.Contains(err.Error(), addrOf(88).String()) {
			t.Errorf("Join: %d, %v, want an error that names %v", k, err, addrOf(88))
		}
	})
}

// TestJitter: members that started together must not act together, nor much earlier or later than they should.
func TestJitter(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 100 {
		d := jitter(8 * time.Second)
		if d < 7*time.Second || d > 9*time.Second {
			t.Fatalf("jitter(8s) = %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("100 pauses are of %d lengths", len(seen))
	}
}
