package cachemesh_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A record is a log that tests read.
type record struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (r *record) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func (r *record) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(line))
	return len(line), nil
}

// count returns how many lines contain all of the parts.
func (r *record) count(parts ...string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(line, part)
		}
		if has {
			n++
		}
	}
	return n
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "")
}

func TestJoinTimeout(t *testing.T) {
	for _, require := range []bool{false, true} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			log := new(record)
			m := newMesh(t, 0)
			seed := net.JoinHostPort(m.net.Host("seed").IP().String(), "3000") // nobody is there
			n := m.newNode(0, func(_ int, o *cachemesh.Options) {
				o.BootstrapNodes = []string{seed}
				o.JoinTimeout, o.RequireJoin, o.Logger = 2*time.Second, require, log.logger()
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
			must(t, err)
			cachemesh.FlushLog(n)
			if log.count("WARN", "no bootstrap node answered", seed) != 1 {
				t.Errorf("want one warning naming %s, got\n%s", seed, log)
			}
			must(t, n.Set([]byte("k"), []byte("v"), 0)) // it serves alone
			if v, err := n.Get([]byte("k")); string(v) != "v" || err != nil {
				t.Errorf("Get = %q, %v", v, err)
			}

			// The seed comes up later, and is joined without anybody's doing.
			late, err := cachemesh.New(cachemesh.Options{Name: "seed", Network: m.net.Host("seed"), ListenAddr: seed})
			must(t, err)
			m.nodes = append(m.nodes, n, late)
			must(t, late.Start())
			m.settle(2)
			took := time.Since(start)
			if v, err := late.Get([]byte("k")); string(v) != "v" || err != nil {
				t.Errorf("Get on the other side = %q, %v", v, err)
			}
			t.Logf("joined a seed that came up late, %v after Start", took)
		})
	}
}

func TestNameTaken(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 2)
		impostor := m.newNode(2, func(_ int, o *cachemesh.Options) { o.Name = "node1" })
		t.Cleanup(func() { impostor.Close() })
		if err := impostor.Start(); !errors.Is(err, cachemesh.ErrNameTaken) || !strings.Contains(err.Error(), "node1") {
			t.Errorf("Start: %v, want ErrNameTaken naming node1", err)
		}
		m.settle(2)
		if err := impostor.Start(); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start again: %v, want ErrClosed", err)
		}
	})
}

func TestBootstrapNodesMayIncludeTheNodeItself(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 0)
		var seeds []string
		for i := range 3 {
			seeds = append(seeds, net.JoinHostPort(m.net.Host(hostName(i)).IP().String(), "3000"))
		}
		start := time.Now()
		m.grow(3, func(_ int, o *cachemesh.Options) { o.BootstrapNodes = seeds })
		t.Logf("three members that start at once have settled after %v", time.Since(start))
	})
}

// TestGetDuringStart: a call while Start is under way waits for its end.
func TestGetDuringStart(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		must(t, m.nodes[0].Set([]byte("k"), []byte("v"), 0))
		m.net.SetLatency(50*time.Millisecond, 50*time.Millisecond)
		n := m.newNode(1)
		m.nodes = append(m.nodes, n)
		if _, err := n.Get([]byte("k")); !errors.Is(err, cachemesh.ErrNotStarted) {
			t.Errorf("Get before Start: %v, want ErrNotStarted", err)
		}
		started := make(chan error, 1)
		go func() { started <- n.Start() }()
		time.Sleep(time.Millisecond)
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		g, err := cachemesh.NewGroup(n, "g", echoLoader, cachemesh.GroupOptions[string]{})
		must(t, err)
		if _, err := g.Get(short, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a Get whose context ended during Start: %v", err)
		}
		if v, err := n.Get([]byte("k")); string(v) != "v" || err != nil {
			t.Errorf("Get during Start = %q, %v", v, err)
		}
		mustGet(t, g, "k", "value of k")
		must(t, <-started)
	})
}
