package membership

import (
	"testing"
	"time"
)

func TestJoinReturnsWithTheView(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		a := c.start(1)
		if got := a.names(); got != "n1" {
			t.Fatalf("alone: %s", got)
		}
		b := c.start(2, 1)
		if got := b.names(); got != "n1 n2" { // no waiting: Join has delivered the view
			t.Errorf("the joiner sees %s", got)
		}
		if b.find(func(v *View) bool { return has(v, a.id()) }) == nil {
			t.Error("Join returned before OnView was called")
		}
		c.waitFor(2*settle, func() bool { return a.names() == "n1 n2" })
		c.start(3, 1, 2, 3)
		c.waitFor(time.Second, func() bool { return c.agree(3, c.nodes...) })
		if m := c.nodes[2].View().Members[0]; m.Addr != "10.0.0.1:3000" || m.Boot != a.cfg.Boot || m.Leaving {
			t.Errorf("n3 sees n1 as %+v", m)
		}
	})
}

func TestCrashIsSeenByAll(t *testing.T) {
	for _, size := range []int{2, 3, 5} {
		bubble(t, func(t *testing.T, c *cluster) {
			nodes := c.mesh(size)
			dead := nodes[size-1]
			id := dead.id()
			dead.Close()
			took := c.waitFor(3*time.Second, func() bool { return c.agree(size-1, nodes[:size-1]...) })
			t.Logf("crash among %d seen by all after %v", size, took)
			for _, n := range nodes[:size-1] {
				if d, ok := n.departure(id); !ok || d.Clean {
					t.Errorf("%s: departure %+v, %v; want a crash", n.cfg.Name, d, ok)
				}
			}
		})
	}
}

func TestCrashAfterALeave(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		if err := nodes[2].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		nodes[2].Close()
		c.waitFor(time.Second, func() bool { return c.agree(2, nodes[:2]...) })
		nodes[1].Close()
		took := c.waitFor(3*time.Second, func() bool { return nodes[0].names() == "n1" })
		t.Logf("crash of one of two survivors seen after %v", took)
	})
}

func TestSlowConsumerLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		release := make(chan struct{})
		first := true
		rec := newRecorder(t)
		slow := c.launch(1, func(cfg *Config) {
			cfg.OnView = func(v *View) {
				rec.onView(v)
				if first && len(v.Members) == 5 { // recorder calls are serial, so first needs no lock
					first = false
					<-release
				}
			}
		})
		for i := 2; i <= 5; i++ {
			c.start(i, 1)
		}
		c.waitFor(time.Second, func() bool { return len(slow.View().Members) == 5 })
		ids := []string{c.nodes[1].id(), c.nodes[2].id(), c.nodes[3].id()}
		c.nodes[1].Close()
		if err := c.nodes[2].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.nodes[2].Close()
		c.nodes[3].Close()
		reborn := c.start(4, 1, 5) // the same name, another boot
		c.waitFor(5*time.Second, func() bool { return c.nodes[4].names() == "n1 n4 n5" })
		time.Sleep(5 * time.Second)
		close(release)
		c.waitFor(time.Second, func() bool { return len(slow.View().Members) == 3 })
		last := slow.View()
		if len(last.Gone) != 3 {
			t.Fatalf("gone: %+v, want all three in one view", last.Gone)
		}
		for i, clean := range []bool{false, true, false} {
			if d, ok := rec.departure(ids[i]); !ok || d.Clean != clean {
				t.Errorf("departure %d: %+v %v, want clean %v", i, d, ok, clean)
			}
		}
		if !has(last, reborn.id()) {
			t.Errorf("the new n4 is missing in %v", last.Members)
		}
	})
}

func TestBadNetworkMakesNoCrashes(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(5)
		c.net.setLink(40*time.Millisecond, 0.05)
		time.Sleep(2 * time.Minute)
		for _, n := range nodes {
			for _, m := range nodes {
				if d, ok := n.departure(m.id()); ok {
					t.Errorf("%s took %s for dead: %+v", n.cfg.Name, m.cfg.Name, d)
				}
			}
		}
	})
}
