package membership_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

func TestJoinTimeout(t *testing.T) {
	for _, require := range []bool{false, true} {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) {
			log := new(kit.Log)
			m := kit.New(t, 0)
			seed := net.JoinHostPort(m.Net.Host("seed").IP().String(), "3000") // nobody is there
			n := m.NewNode(0, func(_ int, o *cachemesh.Options) {
				o.BootstrapNodes = []string{seed}
				o.JoinTimeout, o.RequireJoin, o.Logger = 2*time.Second, require, log.Logger()
			})
			t.Cleanup(func() { n.Close() })
			start := time.Now()
			err := n.Start()
			if took := time.Since(start); took < 2*time.Second || took > 3*time.Second {
				t.Errorf("require %t: Start took %v, want JoinTimeout, 2s", require, took)
			}
			if require {
				if !errors.Is(err, cachemesh.ErrJoin) || !strings.Contains(err.Error(), seed) {
					t.Errorf("Start: %v, want ErrJoin naming %s", err, seed)
				}
				if err := n.Set([]byte("k"), nil, 0); !errors.Is(err, cachemesh.ErrClosed) {
					t.Errorf("Set after Start failed: %v, want ErrClosed", err)
				}
				return
			}
			kit.Must(t, err)
			seam.Inside(n).FlushLog()
			if log.Count("WARN", "no bootstrap node answered", seed) != 1 {
				t.Errorf("want one warning naming %s, got\n%s", seed, log)
			}
			kit.Must(t, n.Set([]byte("k"), []byte("v"), 0)) // it serves alone
			if v, err := n.Get([]byte("k")); string(v) != "v" || err != nil {
				t.Errorf("Get = %q, %v", v, err)
			}

			// The seed comes up later, and is joined without anybody's doing.
			late, err := cachemesh.New(cachemesh.Options{Name: "seed", Network: m.Net.Host("seed"), ListenAddr: seed})
			kit.Must(t, err)
			m.Nodes = append(m.Nodes, n, late)
			kit.Must(t, late.Start())
			m.Settle(2)
			took := time.Since(start)
			if v, err := late.Get([]byte("k")); string(v) != "v" || err != nil {
				t.Errorf("Get on the other side = %q, %v", v, err)
			}
			t.Logf("joined a seed that came up late, %v after Start", took)
		})
	}
}

func TestNameTaken(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		impostor := m.NewNode(2, func(_ int, o *cachemesh.Options) { o.Name = "node1" })
		t.Cleanup(func() { impostor.Close() })
		if err := impostor.Start(); !errors.Is(err, cachemesh.ErrNameTaken) || !strings.Contains(err.Error(), "node1") {
			t.Errorf("Start: %v, want ErrNameTaken naming node1", err)
		}
		m.Settle(2)
		if err := impostor.Start(); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start again: %v, want ErrClosed", err)
		}
	})
}

func TestBootstrapNodesMayIncludeTheNodeItself(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 0)
		var seeds []string
		for i := range 3 {
			seeds = append(seeds, net.JoinHostPort(m.Net.Host(kit.Host(i)).IP().String(), "3000"))
		}
		start := time.Now()
		m.Grow(3, func(_ int, o *cachemesh.Options) { o.BootstrapNodes = seeds })
		t.Logf("three members that start at once have settled after %v", time.Since(start))
	})
}

// TestGetDuringStart: a call while Start is under way waits for its end.
func TestGetDuringStart(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		kit.Must(t, m.Nodes[0].Set([]byte("k"), []byte("v"), 0))
		m.Net.SetLatency(50*time.Millisecond, 50*time.Millisecond)
		n := m.NewNode(1)
		m.Nodes = append(m.Nodes, n)
		if _, err := n.Get([]byte("k")); !errors.Is(err, cachemesh.ErrNotStarted) {
			t.Errorf("Get before Start: %v, want ErrNotStarted", err)
		}
		started := make(chan error, 1)
		go func() { started <- n.Start() }()
		time.Sleep(time.Millisecond)
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		g, err := cachemesh.NewGroup(n, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		if _, err := g.Get(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a Get whose context ended during Start: %v", err)
		}
		if v, err := n.Get([]byte("k")); string(v) != "v" || err != nil {
			t.Errorf("Get during Start = %q, %v", v, err)
		}
		kit.MustGet(t, g, "k", "value of k")
		kit.Must(t, <-started)
	})
}
