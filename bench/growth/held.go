package growth

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"
)

// HeldWrites are Sets, by the owner, of keys of which other members hold copies.
type HeldWrites struct {
	Holders  int
	P50, P99 time.Duration
}

const (
	heldWrites = 300 // in each measurement
	keysEach   = 8   // of a member, about
	heldGroup  = "held"
)

// pickKeys finds keys of the group held: some of all members, and some of the first.
func (m *mesh) pickKeys() error {
	for i := 0; len(m.ownHeld) < keysEach || len(m.keysOfAll) < keysEach*len(m.nodes); i++ {
		key := fmt.Sprint("held-", i)
		for _, g := range m.nodes[0].Groups() {
			if g.Name() != heldGroup {
				continue
			}
			owner, err := g.Owner(key)
			if err != nil {
				return err
			}
			if owner == m.nodes[0].Name() {
				m.ownHeld = append(m.ownHeld, key)
			}
		}
		m.keysOfAll = append(m.keysOfAll, key)
	}
	return nil
}

// measureHeld times writes of keys that 1, 4 and all other members hold.
func (m *mesh) measureHeld(ctx context.Context, r *Result) error {
	for _, holders := range []int{0, 1, 4, r.Members - 1} {
		if holders > r.Members-1 || holders == 4 && r.Members == 5 {
			continue
		}
		took := make([]time.Duration, heldWrites)
		for i := range took {
			key := m.ownHeld[i%len(m.ownHeld)]
			if err := m.read(ctx, key, holders); err != nil {
				return err
			}
			start := time.Now()
			if err := m.held[0].Set(ctx, key, []byte("another value"), 0); err != nil {
				return fmt.Errorf("a Set of a key with %d holders: %w", holders, err)
			}
			took[i] = time.Since(start)
		}
		slices.Sort(took)
		r.Held = append(r.Held, HeldWrites{Holders: holders, P50: took[len(took)/2], P99: took[len(took)*99/100]})
	}
	return nil
}

// read has the first members after the owner hold a copy of a key.
func (m *mesh) read(ctx context.Context, key string, holders int) error {
	var wg sync.WaitGroup
	failed := make(chan error, holders+1)
	for _, g := range m.held[1 : 1+holders] {
		wg.Go(func() {
			for before := g.Stats().HotHits; g.Stats().HotHits == before; {
				if _, err := g.Get(ctx, key); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// measureIdle takes what one idle member costs, before anybody holds a copy and while each holds one of
// every other's: then sessions are renewed.
func (m *mesh) measureIdle(ctx context.Context, d time.Duration, r *Result) (err error) {
	if r.IdleCPU, err = m.idle(ctx, d); err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, len(m.held))
	for _, g := range m.held {
		wg.Go(func() {
			for _, key := range m.keysOfAll {
				if _, err := g.Get(ctx, key); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	r.SessionsCPU, err = m.idle(ctx, d)
	return err
}

// idle returns the share of a core that a member takes while nobody calls.
func (m *mesh) idle(ctx context.Context, d time.Duration) (share float64, err error) {
	before, start := processorTime(), time.Now()
	select {
	case <-time.After(max(d, 2*minIdle)):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return float64(processorTime()-before) / float64(time.Since(start)) / float64(len(m.nodes)), nil
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
