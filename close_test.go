package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

func TestStartAndCloseInEveryOrder(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 0)
		n := m.NewNode(0)
		g, err := cachemesh.NewGroup(n, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		if _, err := g.Get(ctx, "k"); !errors.Is(err, cachemesh.ErrNotStarted) {
			t.Errorf("Get before Start: %v, want ErrNotStarted", err)
		}
		if err := g.Set(ctx, "k", "v", 0); !errors.Is(err, cachemesh.ErrNotStarted) {
			t.Errorf("Set before Start: %v, want ErrNotStarted", err)
		}
		kit.Must(t, n.Start())
		if err := n.Start(); err == nil || errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start again: %v", err)
		}
		kit.MustGet(t, g, "k", "value of k") // the second Start did no harm
		kit.Must(t, n.Close())
		kit.Must(t, n.Close())
		kit.Must(t, n.Shutdown(ctx))
		if err := n.Start(); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start after Close: %v, want ErrClosed", err)
		}
		checkClosed(t, n, g)

		never := m.NewNode(1)
		kit.Must(t, never.Shutdown(ctx))
		if err := never.Start(); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start after Shutdown: %v, want ErrClosed", err)
		}
	})
}

// TestStartGivesUpWithItsContext: nothing of the node is left, the error says whom it tried, and a context
// that ends later ends nothing.
func TestStartGivesUpWithItsContext(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		away := func(_ int, o *cachemesh.Options) {
			o.BootstrapNodes, o.JoinTimeout = []string{"nowhere:3000"}, time.Hour
		}
		why := errors.New("the deployment was called off")
		for what, c := range map[string]struct {
			after time.Duration
			want  error
		}{"at once": {0, why}, "while it joins": {3 * time.Second, why}} {
			n := m.NewNode(1, away)
			within, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(c.after, func() { cancel(why) })
			start := time.Now()
			err := n.StartContext(within)
			if took := time.Since(start); !errors.Is(err, c.want) || !strings.Contains(err.Error(), "nowhere:3000") || took != c.after {
				t.Errorf("%s: %v after %v", what, err, took)
			}
			if err := n.Start(); !errors.Is(err, cachemesh.ErrClosed) || len(n.Members()) != 0 {
				t.Errorf("%s: Start once more: %v", what, err)
			}
		}
		n := m.NewNode(1) // of the same address
		within, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		kit.Must(t, n.StartContext(within))
		m.Nodes = append(m.Nodes, n)
		time.Sleep(2 * time.Minute)
		m.Settle(2)
	})
}

func checkClosed(t *testing.T, n *cachemesh.Node, g *cachemesh.Group[string]) {
	t.Helper()
	ctx := kit.Context(t)
	_, getErr := g.Get(ctx, "k")
	_, manyErr := g.GetMany(ctx, []string{"k", "l"})
	_, nodeErr := n.Get([]byte("k"))
	for what, err := range map[string]error{
		"Get": getErr, "GetMany": manyErr, "Set": g.Set(ctx, "k", "v", 0), "Delete": g.Delete(ctx, "k"),
		"Delete of two": g.Delete(ctx, "k", "l"), "Clear": g.Clear(ctx),
		"Node.Get": nodeErr, "Node.Set": n.Set([]byte("k"), nil, 0), "Node.Delete": n.Delete([]byte("k")),
	} {
		if !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", what, err)
		}
	}
	if s := g.Stats(); s.Entries != 0 || len(n.Members()) != 0 {
		t.Errorf("after Close: %d entries, members %v", s.Entries, n.Members())
	}
}

// TestCloseEndsLoads closes a node with loads under way, one of which a write has
// voided, and one of which a peer waits for.
func TestCloseEndsLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{LoadTimeout: 10 * time.Minute})
		keys := m.KeysOf("g", 0, 2)
		plain, void, remote := kit.GoGet(ctx, groups[0], keys[0]), kit.GoGet(ctx, groups[0], keys[1]), kit.GoGet(ctx, groups[1], keys[0])
		for range 2 {
			<-gate.Entered
		}
		synctest.Wait()
		kit.Must(t, groups[0].Set(ctx, keys[1], "set", 0))
		start := time.Now()
		kit.Must(t, m.Nodes[0].Close())
		if took := time.Since(start); took > time.Second {
			t.Errorf("Close took %v", took)
		}
		for what, c := range map[string]<-chan kit.Outcome{"plain": plain, "void": void} {
			if out := <-c; !errors.Is(out.Err, cachemesh.ErrClosed) {
				t.Errorf("%s: %v, want ErrClosed", what, out.Err)
			}
		}
		// The peer that asked turns to another member, itself.
		<-gate.Entered
		gate.Release <- "from the stand-in"
		if out := <-remote; out.V != "from the stand-in" || out.Err != nil {
			t.Errorf("the peer got %v", out)
		}
		m.Nodes[0] = nil
	})
}

// TestShutdownFinishesLoads: those who wait when Shutdown is called get the value.
func TestShutdownFinishesLoads(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 3), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 0)
		local, remote := kit.GoGet(ctx, groups[0], key), kit.GoGet(ctx, groups[1], key)
		<-gate.Entered
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- m.Nodes[0].Shutdown(ctx) }()
		time.Sleep(5 * time.Second)
		select {
		case err := <-done:
			t.Fatalf("Shutdown returned (%v) with a load under way", err)
		default:
		}
		gate.Release <- "v"
		for what, c := range map[string]<-chan kit.Outcome{"local": local, "remote": remote} {
			if out := <-c; out.V != "v" || out.Err != nil {
				t.Errorf("%s: %v, want the value", what, out)
			}
		}
		kit.Must(t, <-done)
		if gate.Loads.Load() != 1 {
			t.Errorf("%d loads, want 1", gate.Loads.Load())
		}
		m.Nodes[0] = nil
		m.Settle(2)
	})
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		groups := kit.GroupOn(m, "g", gate.Load, cachemesh.GroupOptions[string]{})
		waiter := kit.GoGet(ctx, groups[0], m.KeyOf("g", 0))
		<-gate.Entered
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		if err := m.Nodes[0].Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want DeadlineExceeded", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		if out := <-waiter; !errors.Is(out.Err, cachemesh.ErrClosed) {
			t.Errorf("who waited got %v, want ErrClosed", out.Err)
		}
		m.Nodes[0] = nil
	})
}

func TestCloseDoesNotWaitForALoaderThatIgnoresIt(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		entered, stuck := make(chan struct{}), make(chan struct{})
		groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			close(entered)
			<-stuck
			return "", nil
		}, cachemesh.GroupOptions[string]{})
		waiter := kit.GoGet(ctx, groups[0], "k")
		<-entered
		start := time.Now()
		kit.Must(t, m.Nodes[0].Close())
		if took := time.Since(start); took > time.Second {
			t.Errorf("Close took %v", took)
		}
		if out := <-waiter; !errors.Is(out.Err, cachemesh.ErrClosed) {
			t.Errorf("who waited got %v, want ErrClosed", out.Err)
		}
		close(stuck)
	})
}

// TestCloseInAHurry: whoever closes a group has no time left. While leases are out the
// group goes on, so nobody's load fails for that, here or elsewhere.
func TestCloseInAHurry(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		load := func(ctx context.Context, key string) (string, error) {
			select {
			case <-time.After(50 * time.Millisecond):
				return key, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		groups := kit.GroupOn(m, "g", load, cachemesh.GroupOptions[string]{HotReads: 1})
		leased := m.KeyOf("g", 0)
		for range 10 {
			kit.MustGet(t, groups[1], leased, leased)
		}
		m.Net.CutStreams(kit.Host(0), kit.Host(1))
		m.Net.CutStreams(kit.Host(2), kit.Host(1))
		over, cancel := context.WithCancel(ctx)
		cancel()
		if err := groups[0].Close(over); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for i, asked := 0, 0; asked < 6; i++ {
			if key := fmt.Sprint("key", i); m.Owner("g", key) == 0 {
				asked++
				kit.MustGet(t, groups[2*(asked%2)], key, key)
			}
		}
		kit.Must(t, groups[0].Close(ctx))
	})
}
