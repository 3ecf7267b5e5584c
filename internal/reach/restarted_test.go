package reach_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

var restartRounds = flag.Int("restart.rounds", 2, "rounds of TestRestartedOwner")

// TestRestartedOwner crashes the owner of a key and starts it again under its name
// and address. From then on a row changes and is deleted through one member, and
// another one reads it.
func TestRestartedOwner(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	old, reads, most := 0, 0, 0.0
	for round := range *restartRounds {
		down := 200*time.Millisecond + time.Duration(rng.Int64N(int64(2800*time.Millisecond)))
		if *restartRounds < 10 {
			down = 200*time.Millisecond + time.Duration(round)*700*time.Millisecond
		}
		hotReads := []int{1, hotcache.MaxThreshold}[round%2] // every key is hot, or none
		o, r, perSecond := restartOwner(t, down, hotReads)
		if o > 0 {
			t.Errorf("owner down for %v, HotReads %d: %d of %d Gets old", down, hotReads, o, r)
		}
		old, reads, most = old+o, reads+r, max(most, perSecond)
	}
	t.Logf("%d rounds: %d of %d Gets old; at most %.1f loads a second of one key beyond those after a Delete", *restartRounds, old, reads, most)
}

func restartOwner(t *testing.T, down time.Duration, hotReads int) (old, reads int, perSecond float64) {
	m, tb := kit.NewReal(t, 3), newCounted()
	defer m.Close()
	options := cachemesh.GroupOptions[string]{HotReads: hotReads}
	groups := kit.GroupOn(m, "g", tb.load, options)
	key := m.KeyOf("g", cutOwner)
	ctx := kit.Context(t)
	addr, name := m.Nodes[cutOwner].Addr(), m.Nodes[cutOwner].Name()
	seed := m.Nodes[0].Addr()
	tb.Store(ctx, key, "before")
	kit.MustGet(t, groups[cutCaller], key, "before")
	m.Kill(cutOwner)
	reading, stop := context.WithCancel(ctx)
	var readers sync.WaitGroup
	began, loads := time.Now(), tb.loadsOf(key)
	readers.Go(func() { // so that the others notice, and back off
		for reading.Err() == nil {
			groups[cutCaller].Get(reading, key)
			kit.Pause(reading, 5*time.Millisecond)
		}
	})
	kit.Must(t, kit.Pause(ctx, down))
	stop()
	readers.Wait()
	perSecond = float64(tb.loadsOf(key)-loads-1) / time.Since(began).Seconds()
	n, err := cachemesh.New(cachemesh.Options{Name: name, ListenAddr: addr, BootstrapNodes: []string{seed}})
	kit.Must(t, err)
	m.Nodes[cutOwner] = n
	_, err = cachemesh.NewGroup(n, "g", tb.load, options)
	kit.Must(t, err)
	kit.Must(t, n.Start())
	for start := time.Now(); time.Since(start) < 1500*time.Millisecond; reads++ {
		want := fmt.Sprint("row ", reads)
		tb.Store(ctx, key, want)
		kit.Must(t, groups[cutThird].Delete(ctx, key))
		got, err := groups[cutCaller].Get(ctx, key)
		kit.Must(t, err)
		if got != want {
			old++
		}
		kit.Must(t, kit.Pause(ctx, 5*time.Millisecond))
	}
	return old, reads, perSecond
}

// TestNewRunEndsTheBackoff: others failed to reach a member that crashed, and wait
// before they dial again. They need not wait for its next run.
func TestNewRunEndsTheBackoff(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var relayed atomic.Int64
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) {
			o.Network = kit.Tapped{Network: o.Network, Tap: func(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
				if req.Op == wire.OpRelay {
					relayed.Add(1)
				}
				return next.Call(ctx, req, resp)
			}}
		})
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", cutOwner)
		kit.MustGet(t, groups[0], key, "value of "+key)
		slow := 0
		for range 10 {
			m.Kill(cutOwner)
			for start := time.Now(); time.Since(start) < 1200*time.Millisecond; time.Sleep(10 * time.Millisecond) {
				kit.MustGet(t, groups[0], key, "value of "+key)
				kit.MustGet(t, groups[2], key, "value of "+key)
			}
			m.Nodes[cutOwner] = m.NewNode(cutOwner)
			_, err := cachemesh.NewGroup(m.Nodes[cutOwner], "g", kit.Echo, cachemesh.GroupOptions[string]{})
			kit.Must(t, err)
			start := time.Now()
			kit.Must(t, m.Nodes[cutOwner].Start())
			m.Settle(3)
			if took := time.Since(start); took > 60*time.Millisecond {
				slow++ // a question to the former run may be under way
				t.Logf("the members agreed %v after the owner started again", took)
			}
			before := relayed.Load()
			for range 10 {
				kit.MustGet(t, groups[0], key, "value of "+key)
				kit.MustGet(t, groups[2], key, "value of "+key)
			}
			if n := relayed.Load() - before; n > 0 {
				t.Errorf("%d of 20 Gets went through others after the owner had started again", n)
			}
		}
		if slow > 2 {
			t.Errorf("%d of 10 times the members took long to agree: somebody waited before dialling", slow)
		}
	})
}
