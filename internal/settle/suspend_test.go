package settle_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A sleeper is a network whose member's machine can be suspended.
type sleeper struct {
	kit.Tapped
	clock *atomic.Pointer[seam.Clock]
}

func (s sleeper) SetClock(c *seam.Clock) { s.clock.Store(c) }

// A bedroom suspends the machine of node0 and holds answers to its fence calls.
type bedroom struct {
	m     *kit.Mesh
	clock atomic.Pointer[seam.Clock]
	held  atomic.Pointer[fenceHold]
}

// A fenceHold keeps one round's answers from its asker.
type fenceHold struct {
	answered chan struct{} // one for each answer that is held
	release  chan struct{}
}

func newBedroom(t *testing.T, members int, edits ...kit.Edit) *bedroom {
	b := new(bedroom)
	edits = append(edits, func(i int, o *cachemesh.Options) {
		if i != 0 {
			return
		}
		o.Network = sleeper{kit.Tapped{Network: o.Network, Tap: b.tap}, &b.clock}
	})
	b.m = kit.New(t, members, edits...)
	return b
}

func (b *bedroom) tap(ctx context.Context, _ string, req *httppool.Request, resp *httppool.Response, next seam.Caller) error {
	h := b.held.Load()
	if req.Op != wire.OpFence || h == nil {
		return next.Call(ctx, req, resp)
	}
	select {
	case <-h.release: // no later round comes to an end
		return &httppool.CallError{Err: httppool.ErrUnreachable}
	default:
	}
	err := next.Call(ctx, req, resp)
	h.answered <- struct{}{}
	<-h.release
	return err
}

// suspend stops node0's clocks. Nobody can call it and it can call nobody, and nothing
// that was sent meanwhile will arrive; but gossip goes on, or it would soon take the
// others for dead, as no suspended process does.
func (b *bedroom) suspend() {
	b.clock.Load().Suspend()
	for i := 1; i < len(b.m.Nodes); i++ {
		b.m.Net.RefuseStreams(kit.Host(0), kit.Host(i))
		b.m.Net.RefuseStreams(kit.Host(i), kit.Host(0))
	}
	time.Sleep(time.Second)
}

// wake lets the clocks of node0 go on, and waits until it has looked at them. Its
// streams stay refused.
func (b *bedroom) wake() {
	b.clock.Load().Wake()
	time.Sleep(250 * time.Millisecond)
}

// TestHitNeedsConfirmation: a member that nobody confirms any more serves nothing it
// holds, though its view is what it was.
func TestHitNeedsConfirmation(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3, func(_ int, o *cachemesh.Options) { o.MaxStale = time.Second })
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 0)
		kit.MustGet(t, g[0], key, "old")
		m.Net.Pause(kit.Host(0))
		row.Store("new")
		time.Sleep(1050 * time.Millisecond) // its last round was asked before the pause
		if n := len(m.Nodes[0].Members()); n != 3 {
			t.Fatalf("it sees %d members already: this proves nothing", n)
		}
		kit.MustGet(t, g[0], key, "new")
		m.Net.Resume(kit.Host(0))
	})
}

// TestSuspendedOwner: an owner whose machine slept, by a clock that did not count it,
// serves nothing it holds before the others confirmed it. They may have gone on without
// it.
func TestSuspendedOwner(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		b := newBedroom(t, 3)
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(b.m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		key := b.m.KeyOf("g", 0)
		kit.MustGet(t, g[0], key, "old")
		row.Store("new")
		kit.MustGet(t, g[0], key, "old") // it is held
		b.suspend()
		b.wake()
		b.stillWhole(t)
		kit.MustGet(t, g[0], key, "new")
		b.m.Net.Heal()
		b.m.Settle(3)
		time.Sleep(3 * time.Second)
		before := g[0].Stats().Loads
		for range 10 { // what it held may be served again, or not
			_, err := g[0].Get(ctx, key)
			kit.Must(t, err)
		}
		if n := g[0].Stats().Loads - before; n > 1 {
			t.Errorf("confirmed again it loaded %d times for ten Gets", n)
		}
	})
}

// stillWhole fails the test if node0 has another view than before.
func (b *bedroom) stillWhole(t *testing.T) {
	t.Helper()
	if n := len(b.m.Nodes[0].Members()); n != len(b.m.Nodes) {
		t.Fatalf("node0 sees %d members by now: this proves nothing", n)
	}
}

// TestSuspendedHolder: a lease lapsed that the holder's clock did not see lapse.
func TestSuspendedHolder(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		b := newBedroom(t, 3, func(_ int, o *cachemesh.Options) { o.Lease = 2 * time.Second })
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(b.m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{HotReads: 1})
		key := b.m.KeyOf("g", 1)
		for range 3 {
			kit.MustGet(t, g[0], key, "old")
		}
		if g[0].Stats().HotHits == 0 {
			t.Fatal("it holds no copy")
		}
		row.Store("new")
		b.suspend()
		began := time.Now()
		kit.Must(t, g[2].Delete(ctx, key))
		if took := time.Since(began); took < 500*time.Millisecond {
			t.Errorf("the Delete took %v: it met no holder", took)
		}
		b.m.Net.Heal()
		b.wake()
		b.stillWhole(t)
		kit.MustGet(t, g[0], key, "new")
	})
}

// TestAnswersFromBeforeASuspension: they say nothing about the time after it.
func TestAnswersFromBeforeASuspension(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		b := newBedroom(t, 3)
		var row atomic.Value
		row.Store("old")
		g := kit.GroupOn(b.m, "g", func(context.Context, string) (string, error) { return row.Load().(string), nil }, cachemesh.GroupOptions[string]{})
		key := b.m.KeyOf("g", 0)
		kit.MustGet(t, g[0], key, "old")
		h := &fenceHold{answered: make(chan struct{}, 16), release: make(chan struct{})}
		b.held.Store(h)
		for range 2 {
			<-h.answered
		}
		row.Store("new")
		b.suspend()
		b.wake()
		close(h.release)
		time.Sleep(time.Millisecond) // the round ends
		b.stillWhole(t)
		kit.MustGet(t, g[0], key, "new")
		b.m.Net.Heal()
	})
}

// TestClockThatWasSet: a wall clock that leaps costs a few fetches, and no errors.
func TestClockThatWasSet(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		log := new(kit.Log)
		b := newBedroom(t, 3, func(i int, o *cachemesh.Options) {
			if i == 0 {
				o.Logger = log.Logger()
			}
		})
		g := kit.GroupOn(b.m, "g", kit.Echo, cachemesh.GroupOptions[string]{HotReads: 1})
		for range 5 {
			b.clock.Load().Suspend()
			time.Sleep(300 * time.Millisecond)
			b.wake()
			for _, key := range kit.Numbered("key", 50) {
				if v, err := g[0].Get(ctx, key); v != "value of "+key || err != nil {
					t.Fatal(v, err)
				}
			}
		}
		if n := log.Count("WARN", "leapt ahead"); n != 5 {
			t.Errorf("%d warnings, want 5", n)
		}
		if err := g[0].Set(ctx, "k", "v", 0); errors.Is(err, cachemesh.ErrUnsettled) {
			t.Error(err)
		}
	})
}
