package meshtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// tagging writes rounds of values, a tag to each writer, and deletes them by their tag. Readers
// look for what must be gone.
type tagging struct {
	*Stage
	keys    int            // of each tag
	gone    []atomic.Int64 // by tag: rounds up to this one were deleted
	deleted []atomic.Int64 // DeleteTags that returned nil
	stop    chan struct{}
	work    sync.WaitGroup

	mu                  sync.Mutex // guards the fields below
	broke               []string
	reads, maybes, errs int
	sample              error
}

func tagOf(tag int) string { return fmt.Sprint("t", tag) }

func taggedKey(tag, k int) string { return fmt.Sprintf("k%d/%d", tag, k) }

// tagsOfRounds are the tags of values that tagging writes: round*100 + tag.
func tagsOfRounds(_ string, v int) []string { return []string{"all", tagOf(v % 100)} }

func (g *tagging) note(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broke = append(g.broke, fmt.Sprintf(format, args...))
}

func (g *tagging) failed(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sample = err
	if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok && pe.MaybeApplied {
		g.maybes++
		return
	}
	g.errs++
}

// group returns the group of some member that is up.
func (g *tagging) group(rng *rand.Rand) *cachemesh.Group[int] {
	for {
		if of := g.Values(rng.IntN(4)); of != nil {
			return of
		}
		time.Sleep(time.Millisecond)
	}
}

func (g *tagging) start(seed uint64) {
	for tag := range g.gone {
		g.work.Go(func() { g.write(tag, rand.New(rand.NewPCG(seed, uint64(tag)))) })
		g.work.Go(func() { g.read(rand.New(rand.NewPCG(seed, uint64(100+tag)))) })
	}
}

func (g *tagging) stopped() bool {
	select {
	case <-g.stop:
		return true
	default:
		return false
	}
}

func (g *tagging) write(tag int, rng *rand.Rand) {
	for round := int64(1); !g.stopped(); round++ {
		for k := range g.keys {
			if rng.IntN(3) == 0 {
				continue
			}
			ctx, cancel := timeout(10 * time.Second)
			if err := g.group(rng).Set(ctx, taggedKey(tag, k), int(round)*100+tag, 0); err != nil {
				g.failed(err)
			} else if v, err := g.group(rng).Get(ctx, taggedKey(tag, k)); errors.Is(err, cachemesh.ErrNotFound) || err == nil && v != int(round)*100+tag {
				g.note("round %d of tag %d: %d, %v after it was Set", round, tag, v, err)
			}
			cancel()
		}
		ctx, cancel := timeout(20 * time.Second)
		if err := g.group(rng).DeleteTag(ctx, tagOf(tag)); err != nil {
			g.failed(err)
		} else {
			g.gone[tag].Store(round)
			g.deleted[tag].Add(1)
		}
		cancel()
		time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
	}
}

func (g *tagging) read(rng *rand.Rand) {
	for !g.stopped() {
		tag, k := rng.IntN(len(g.gone)), rng.IntN(g.keys)
		gone := g.gone[tag].Load()
		ctx, cancel := timeout(10 * time.Second)
		v, err := g.group(rng).Get(ctx, taggedKey(tag, k))
		cancel()
		if err == nil && int64(v/100) <= gone {
			g.note("tag %d has a value of round %d after all up to %d were deleted", tag, v/100, gone)
		}
		g.mu.Lock()
		g.reads++
		g.mu.Unlock()
		time.Sleep(time.Duration(1+rng.IntN(3)) * time.Millisecond)
	}
}

func (g *tagging) rounds() (n int64) {
	for tag := range g.deleted {
		n += g.deleted[tag].Load()
	}
	return n
}

// Tags are deleted beside Sets while owners crash, and come back under their names: nothing that
// was removed is seen again, and nothing that was Set after it is lost.
func TestDeleteTagBesideCrashes(t *testing.T) {
	rounds := int64(1000)
	if *seeds < 40 { // the race detector takes its time
		rounds = 200
	}
	synctest.Test(t, func(t *testing.T) {
		s, err := NewStage(t.Context(), Config{Seed: 5, Members: 4, Replicas: 2, HotReads: 1, Tags: tagsOfRounds})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Net.SetLatency(0, time.Millisecond)
		g := &tagging{Stage: s, keys: 4, gone: make([]atomic.Int64, 4), deleted: make([]atomic.Int64, 4), stop: make(chan struct{})}
		g.start(5)
		rng, crashes := rand.New(rand.NewPCG(5, 7)), 0
		for ; g.rounds() < rounds && len(g.broke) == 0; crashes++ {
			time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
			victim := rng.IntN(4)
			s.Crash(victim)
			time.Sleep(time.Duration(rng.IntN(4000)) * time.Millisecond)
			if err := s.Join(victim); err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(t.Context(), 0, 1, 2, 3); err != nil {
				t.Fatal(err)
			}
			s.whole(t)
		}
		close(g.stop)
		g.work.Wait()
		t.Logf("%d DeleteTags with nil beside %d crashes, %d reads, %d calls that may be applied, %d errors: %v", g.rounds(), crashes, g.reads, g.maybes, g.errs, g.sample)
		for _, broke := range g.broke {
			t.Error(broke)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Values(0).DeleteTag(ctx, "all"); err != nil {
			t.Fatal(err)
		}
		for tag := range g.gone {
			for k := range g.keys {
				if v, err := s.Values(tag).Get(ctx, taggedKey(tag, k)); !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("%s: %d, %v", taggedKey(tag, k), v, err)
				}
			}
		}
	})
}
