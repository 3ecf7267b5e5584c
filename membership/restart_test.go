package membership

import (
	"errors"
	"testing"
	"time"
)

// TestRestartBeforeDetection restarts a member under its name and address within 100 ms. The others see the old run go
// and the new one come in one view.
func TestRestartBeforeDetection(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		old := nodes[2]
		old.Close()
		time.Sleep(50 * time.Millisecond)
		reborn := c.start(3, 1)
		took := c.waitFor(time.Second, func() bool { return c.agree(3, nodes[0], nodes[1], reborn) })
		t.Logf("the others know after %v", took)
		for _, n := range nodes[:2] {
			v := n.find(func(v *View) bool { return has(v, reborn.id()) })
			if len(v.Gone) != 1 || v.Gone[0].Member.ID() != old.id() || v.Gone[0].Clean || has(v, old.id()) {
				t.Errorf("%s: first view with the new run: members %v, gone %v", n.cfg.Name, v.Members, v.Gone)
			}
		}
	})
}

// TestRestartElsewhere restarts a member under its name at another address. Join returns once the others have found
// the old run dead and taken the new one in.
func TestRestartElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		old := nodes[2]
		old.Close()
		reborn := c.launch(4, seedsAt(1, 2), named("n3"))
		start := time.Now()
		if n, err := reborn.Join(t.Context()); n != 2 || err != nil {
			t.Fatalf("Join: %d, %v", n, err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("Join took %v", took)
		} else {
			t.Logf("Join took %v", took)
		}
		c.waitFor(time.Second, func() bool { return c.agree(3, nodes[0], nodes[1], reborn) })
		if d, ok := nodes[0].departure(old.id()); !ok || d.Clean {
			t.Errorf("departure of the old run: %+v, %v", d, ok)
		}
		time.Sleep(time.Minute)
		if n := len(nodes[0].table.missing(time.Now(), time.Second)); n != 0 {
			t.Errorf("%d addresses are still looked for", n)
		}
	})
}

func TestNameTakenByALiveMember(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		nodes := c.mesh(3)
		for _, seed := range []int{1, 3} { // a bystander, and the holder of the name itself
			impostor := c.launch(4, seedsAt(seed), named("n3"))
			_, err := impostor.Join(t.Context())
			var taken *NameTakenError
			if !errors.Is(err, ErrNameTaken) || !errors.As(err, &taken) || taken.Other != nodes[2].cfg.Addr {
				t.Errorf("by seed %d: Join: %v", seed, err)
			}
			impostor.Close()
		}
		time.Sleep(time.Minute)
		c.waitFor(0, func() bool { return c.agree(3, nodes...) })
		if n := nodes[0].log.count("two members use one name"); n != 1 {
			t.Errorf("the conflict was logged %d times:\n%s", n, nodes[0].log)
		}
		if nodes[0].Stats().Conflicts == 0 {
			t.Error("no conflict was counted")
		}
	})
}

// TestNotAccepted joins a mesh in which the name's holder can be reached by the seed, but not by the new member.
func TestNotAccepted(t *testing.T) {
	bubble(t, func(t *testing.T, c *cluster) {
		c.mesh(2)
		reborn := c.launch(4, seedsAt(1), named("n2"))
		c.net.block(addrOf(4), addrOf(2))
		n, err := reborn.Join(t.Context())
		if n != 1 || !errors.Is(err, ErrNotAccepted) {
			t.Errorf("Join: %d, %v", n, err)
		}
	})
}

func named(name string) func(*Config) { return func(cfg *Config) { cfg.Name = name } }
