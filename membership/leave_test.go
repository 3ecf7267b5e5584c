package membership

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAnnouncedLeaveIsClean(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(5)
		leaver, rest := nodes[4], nodes[:4]
		id := leaver.id()
		if err := leaver.AnnounceLeaving(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := leaver.View(); !leavingIn(v, id) {
			t.Errorf("its own view does not say so: %+v", v.Members)
		}
		c.waitFor(2*settle, func() bool { return all(rest, func(n *node) bool { return leavingIn(n.View(), id) }) })
		time.Sleep(10 * time.Second) // handing over takes a while; nobody takes it for dead meanwhile
		c.waitFor(0, func() bool { return c.agree(5, nodes...) })

		start := time.Now()
		if err := leaver.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("Leave took %v", time.Since(start))
		leaver.Close()
		c.waitFor(2*settle, func() bool { return c.agree(4, rest...) })
		for _, n := range rest {
			if d, ok := n.departure(id); !ok || !d.Clean {
				t.Errorf("%s: departure %+v, %v; want a clean one", n.cfg.Name, d, ok)
			}
		}
		time.Sleep(time.Minute) // and nothing brings it back
		c.waitFor(0, func() bool { return c.agree(4, rest...) })
	})
}

func TestLeaveAnnouncesByItself(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		if err := nodes[2].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		nodes[2].Close()
		c.waitFor(2*settle, func() bool { return c.agree(2, nodes[:2]...) })
		if d, ok := nodes[0].departure(nodes[2].id()); !ok || !d.Clean {
			t.Errorf("departure %+v, %v; want a clean one", d, ok)
		}
	})
}

func TestCrashAfterAnnouncingIsClean(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		if err := nodes[2].AnnounceLeaving(t.Context()); err != nil {
			t.Fatal(err)
		}
		nodes[2].Close()
		c.waitFor(3*time.Second, func() bool { return c.agree(2, nodes[:2]...) })
		if d, _ := nodes[0].departure(nodes[2].id()); !d.Clean {
			t.Errorf("departure %+v, want a clean one", d)
		}
	})
}

func TestLeaveLingersForPeersItCannotTell(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		c.net.partition(1, nodes[0].addr)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := nodes[2].Leave(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Leave: %v, want the context's error", err)
		}
		if err := nodes[2].Leave(t.Context()); err != nil {
			t.Errorf("a second Leave: %v", err)
		}
		if _, err := nodes[2].Join(t.Context()); !errors.Is(err, ErrLeft) {
			t.Errorf("Join after Leave: %v", err)
		}
		if err := nodes[2].AnnounceLeaving(t.Context()); !errors.Is(err, ErrLeft) {
			t.Errorf("AnnounceLeaving after Leave: %v", err)
		}
	})
}

func TestLeaveAlone(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		n := c.start(1, 1)
		start := time.Now()
		if err := n.Leave(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Leave: %v after %v", err, time.Since(start))
		}
		if !leavingIn(n.View(), n.id()) {
			t.Errorf("view %+v", n.View())
		}
	})
}

func leavingIn(v *View, id string) bool {
	for _, m := range v.Members {
		if m.ID() == id {
			return m.Leaving
		}
	}
	return false
}

func all(nodes []*node, ok func(*node) bool) bool {
	for _, n := range nodes {
		if !ok(n) {
			return false
		}
	}
	return true
}
