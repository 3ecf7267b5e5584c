package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestCloseRacesEverything closes nodes, in and out of order, under calls of every
// kind: no panic, no leak, and ErrClosed for good.
func TestCloseRacesEverything(t *testing.T) {
	var calls, closed atomic.Int64
	const rounds = 15
	for round := range rounds {
		kit.Bubble(t, func(t *testing.T, ctx context.Context) { closeRaceRound(t, kit.New(t, 3), round, &calls, &closed) })
	}
	closeRaceRound(t, kit.NewReal(t, 3), 1, &calls, &closed)
	t.Logf("%d rounds, %d calls, %d of them ErrClosed", rounds+1, calls.Load(), closed.Load())
}

func closeRaceRound(t *testing.T, m *kit.Mesh, round int, calls, closed *atomic.Int64) {
	if m.Net != nil {
		m.Net.SetLatency(100*time.Microsecond, time.Millisecond)
	}
	groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
		if len(key)%7 == 0 {
			panic("now and then")
		}
		return key, nil
	}, cachemesh.GroupOptions[string]{HotReads: 1, MaxBytes: 1 << 20})
	var work sync.WaitGroup
	for w := range 6 {
		work.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			for alone := 0; alone < 3; {
				calls.Add(1)
				err := anyCall(rng, m.Nodes[w%3], groups[w%3])
				if errors.Is(err, cachemesh.ErrClosed) {
					alone++ // and go on, on a node that is closed
					closed.Add(1)
				} else if err != nil && !allowedWhileClosing(err) {
					t.Errorf("%v (%T)", err, err)
					return
				}
			}
		})
	}
	kit.Must(t, kit.Pause(t.Context(), time.Duration(round+1)*2*time.Millisecond))
	for i, n := range m.Nodes {
		work.Go(func() {
			if (i+round)%2 == 0 {
				n.Close()
			} else {
				n.Shutdown(kit.Context(t))
			}
		})
	}
	work.Wait()
}

func anyCall(rng *rand.Rand, n *cachemesh.Node, g *cachemesh.Group[string]) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	key := fmt.Sprint("k", rng.IntN(200))
	switch rng.IntN(9) {
	case 0:
		return g.Set(ctx, key, "v", 0)
	case 1:
		return g.Delete(ctx, key)
	case 2:
		_, err := g.GetMany(ctx, []string{key, "a", "bb", "ccc", key + key})
		return err
	case 3:
		return g.Delete(ctx, key, "a", "bb")
	case 4:
		return g.Clear(ctx)
	case 5:
		return n.Set([]byte(key), []byte("v"), time.Second)
	case 6:
		g.Stats()
		n.Members()
		_, err := n.Get([]byte(key))
		return err
	}
	_, err := g.Get(ctx, key)
	return err
}

// allowedWhileClosing: what calls may say while members go away one by one.
func allowedWhileClosing(err error) bool {
	if errors.Is(err, cachemesh.ErrNotFound) || errors.Is(err, cachemesh.ErrUnsettled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if ke, ok := errors.AsType[cachemesh.KeyErrors](err); ok {
		for _, err := range ke {
			if !allowedWhileClosing(err) {
				return false
			}
		}
		return true
	}
	if le, ok := errors.AsType[*cachemesh.LoadError](err); ok {
		return le.Panic || errors.Is(err, context.Canceled)
	}
	_, ok := errors.AsType[*cachemesh.PeerError](err)
	return ok
}
