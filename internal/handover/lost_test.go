package handover_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// TestShutdownBesideTraffic: loads that the leaver makes for itself, of a group that the
// others do not have, come one after the other. It finishes those that were asked for
// before, and goes.
func TestShutdownBesideUnknownGroups(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		g, err := cachemesh.NewGroup(m.Nodes[0], "of one", func(ctx context.Context, key string) (string, error) {
			return "v", kit.Pause(ctx, 50*time.Millisecond)
		}, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		stop, end := context.WithCancel(ctx)
		keys := m.KeysOf("of one", 1, 4)
		var readers sync.WaitGroup
		for i := range 8 {
			readers.Go(func() {
				for stop.Err() == nil {
					// Two readers a key: one waits while the other is answered, or leaves.
					ctx, cancel := context.WithTimeout(stop, time.Duration(30+i*5)*time.Millisecond)
					g.Get(ctx, keys[i/2])
					cancel()
				}
			})
		}
		time.Sleep(time.Second)
		start := time.Now()
		kit.Must(t, m.Nodes[0].Shutdown(context.Background()))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		end()
		readers.Wait()
	})
}

// lossy is a mesh of three with values in a map, and their number on node 0.
func lossy(t *testing.T, ctx context.Context) (m *kit.Mesh, logs *kit.Log, held int) {
	logs = new(kit.Log)
	m = kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.Logger = logs.Logger() })
	groups := kit.GroupOn[string](m, "map", nil, cachemesh.GroupOptions[string]{Replicas: 1})
	for i := range 300 {
		key := fmt.Sprint("key", i)
		kit.Must(t, groups[0].Set(ctx, key, "v", 0))
		if m.Owner("map", key) == 0 {
			held++
		}
	}
	return m, logs, held
}

func wantLost(t *testing.T, err error, logs *kit.Log, n *cachemesh.Node, held int) {
	t.Helper()
	le, ok := errors.AsType[*cachemesh.LostError](err)
	if !ok || le.Values != held {
		t.Errorf("Shutdown: %v, want a LostError of %d values", err, held)
	}
	if s := n.Stats(); s.Lost != uint64(held) {
		t.Errorf("Stats.Lost is %d, want %d", s.Lost, held)
	}
	if c := logs.Count("are lost", fmt.Sprint("values=", held)); c != 1 {
		t.Errorf("%d lines about it, want 1: %v", c, logs)
	}
}

// TestShutdownCutOff: a leaver that nobody can hear loses what only it had, and says so.
func TestShutdownCutOff(t *testing.T) {
	for _, before := range []time.Duration{0, time.Second, 10 * time.Second} {
		t.Run(fmt.Sprint("for ", before), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, logs, held := lossy(t, ctx)
				m.Net.Partition([]string{kit.Host(0)}, []string{kit.Host(1), kit.Host(2)})
				time.Sleep(before)
				err := m.Nodes[0].Shutdown(ctx)
				wantLost(t, err, logs, m.Nodes[0], held)
			})
		})
	}
}

// TestShutdownCutShort: so does one that has no time.
func TestShutdownCutShort(t *testing.T) {
	for _, patience := range []time.Duration{0, 500 * time.Millisecond} {
		t.Run(fmt.Sprint("after ", patience), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m, logs, held := lossy(t, ctx)
				m.Net.Partition([]string{kit.Host(0)}, []string{kit.Host(1), kit.Host(2)})
				short, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				err := m.Nodes[0].Shutdown(short)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Shutdown: %v, want DeadlineExceeded", err)
				}
				wantLost(t, err, logs, m.Nodes[0], held)
			})
		})
	}
}

// TestShutdownOfTheLast: a mesh that ends in order loses its values with its last
// member, and that is no error.
func TestShutdownOfTheLast(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, logs, _ := lossy(t, ctx)
		for i, n := range m.Nodes {
			if err := n.Shutdown(ctx); err != nil {
				t.Errorf("node%d: %v", i, err)
			}
			synctest.Wait()
		}
		if logs.Count("are lost") > 0 {
			t.Error(logs)
		}
	})
}

// TestShutdownDoesNotWaitForWhoLeft: a Get that waited for the next load, and left, is not
// waited for.
func TestShutdownDoesNotWaitForWhoLeft(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m, gate := kit.New(t, 2), kit.NewGate()
		g, err := cachemesh.NewGroup(m.Nodes[0], "of one", gate.Load, cachemesh.GroupOptions[string]{})
		kit.Must(t, err)
		key := m.KeyOf("of one", 1)
		first := kit.GoGet(ctx, g, key)
		<-gate.Entered
		short, leave := context.WithCancel(ctx)
		second := kit.GoGet(short, g, key)
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- m.Nodes[0].Shutdown(context.Background()) }()
		time.Sleep(5 * time.Second)
		leave()
		<-second
		gate.Release <- "v"
		if out := <-first; out.V != "v" || out.Err != nil {
			t.Errorf("who was there before got %v", out)
		}
		kit.Must(t, <-done)
	})
}

// TestHandOverTakesItsTime: as long as values arrive, the rest is not given up.
func TestHandOverTakesItsTime(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2, func(_ int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == wire.OpHandOver {
					time.Sleep(2 * time.Second)
				}
				return next.Call(ctx, req, resp)
			}}
		})
		groups := kit.GroupOn[[]byte](m, "map", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
		keys := m.KeysOf("map", 0, 20)
		for _, key := range keys {
			kit.Must(t, groups[0].Set(ctx, key, make([]byte, 600<<10), 0))
		}
		start := time.Now()
		kit.Must(t, m.Nodes[0].Shutdown(ctx))
		if took := time.Since(start); took < 20*time.Second {
			t.Errorf("it took %v: the test is about more than that", took)
		}
		for _, key := range keys {
			if v, err := groups[1].Get(ctx, key); len(v) != 600<<10 || err != nil {
				t.Fatalf("%d bytes, %v", len(v), err)
			}
		}
	})
}
