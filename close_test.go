package cachemesh_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

func TestStartAndCloseInEveryOrder(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 0)
		n := m.newNode(0)
		g, err := cachemesh.NewGroup(n, "g", echoLoader, cachemesh.GroupOptions[string]{})
		must(t, err)
		if _, err := g.Get(ctx, "k"); !errors.Is(err, cachemesh.ErrNotStarted) {
			t.Errorf("Get before Start: %v, want ErrNotStarted", err)
		}
		if err := g.Set(ctx, "k", "v", 0); !errors.Is(err, cachemesh.ErrNotStarted) {
			t.Errorf("Set before Start: %v, want ErrNotStarted", err)
		}
		must(t, n.Start())
		if err := n.Start(); err == nil || errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start again: %v", err)
		}
		mustGet(t, g, "k", "value of k") // the second Start did no harm
		must(t, n.Close())
		must(t, n.Close())
		must(t, n.Shutdown(ctx))
		if err := n.Start(); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start after Close: %v, want ErrClosed", err)
		}
		checkClosed(t, n, g)

		never := m.newNode(1)
		must(t, never.Shutdown(ctx))
		if err := never.Start(); !errors.Is(err, cachemesh.ErrClosed) {
			t.Errorf("Start after Shutdown: %v, want ErrClosed", err)
		}
	})
}

func checkClosed(t *testing.T, n *cachemesh.Node, g *cachemesh.Group[string]) {
	t.Helper()
	ctx := testContext(t)
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
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 2), newGate()
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{LoadTimeout: 10 * time.Minute})
		keys := m.keysOf("g", 0, 2)
		plain, void, remote := goGet(ctx, groups[0], keys[0]), goGet(ctx, groups[0], keys[1]), goGet(ctx, groups[1], keys[0])
		for range 2 {
			<-gate.entered
		}
		synctest.Wait()
		must(t, groups[0].Set(ctx, keys[1], "set", 0))
		start := time.Now()
		must(t, m.nodes[0].Close())
		if took := time.Since(start); took > time.Second {
			t.Errorf("Close took %v", took)
		}
		for what, c := range map[string]<-chan outcome{"plain": plain, "void": void} {
			if out := <-c; !errors.Is(out.err, cachemesh.ErrClosed) {
				t.Errorf("%s: %v, want ErrClosed", what, out.err)
			}
		}
		// The peer that asked turns to another member, itself.
		<-gate.entered
		gate.release <- "from the stand-in"
		if out := <-remote; out.v != "from the stand-in" || out.err != nil {
			t.Errorf("the peer got %v", out)
		}
		m.nodes[0] = nil
	})
}

// TestShutdownFinishesLoads: those who wait when Shutdown is called get the value.
func TestShutdownFinishesLoads(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 3), newGate()
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
		key := m.keyOf("g", 0)
		local, remote := goGet(ctx, groups[0], key), goGet(ctx, groups[1], key)
		<-gate.entered
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- m.nodes[0].Shutdown(ctx) }()
		time.Sleep(5 * time.Second)
		select {
		case err := <-done:
			t.Fatalf("Shutdown returned (%v) with a load under way", err)
		default:
		}
		gate.release <- "v"
		for what, c := range map[string]<-chan outcome{"local": local, "remote": remote} {
			if out := <-c; out.v != "v" || out.err != nil {
				t.Errorf("%s: %v, want the value", what, out)
			}
		}
		must(t, <-done)
		if gate.loads.Load() != 1 {
			t.Errorf("%d loads, want 1", gate.loads.Load())
		}
		m.nodes[0] = nil
		m.settle(2)
	})
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := newMesh(t, 2), newGate()
		groups := groupOn(m, "g", gate.load, cachemesh.GroupOptions[string]{})
		waiter := goGet(ctx, groups[0], m.keyOf("g", 0))
		<-gate.entered
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		if err := m.nodes[0].Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want DeadlineExceeded", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		if out := <-waiter; !errors.Is(out.err, cachemesh.ErrClosed) {
			t.Errorf("who waited got %v, want ErrClosed", out.err)
		}
		m.nodes[0] = nil
	})
}

func TestCloseDoesNotWaitForALoaderThatIgnoresIt(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 1)
		entered, stuck := make(chan struct{}), make(chan struct{})
		groups := groupOn(m, "g", func(context.Context, string) (string, error) {
			close(entered)
			<-stuck
			return "", nil
		}, cachemesh.GroupOptions[string]{})
		waiter := goGet(ctx, groups[0], "k")
		<-entered
		start := time.Now()
		must(t, m.nodes[0].Close())
		if took := time.Since(start); took > time.Second {
			t.Errorf("Close took %v", took)
		}
		if out := <-waiter; !errors.Is(out.err, cachemesh.ErrClosed) {
			t.Errorf("who waited got %v, want ErrClosed", out.err)
		}
		close(stuck)
	})
}
