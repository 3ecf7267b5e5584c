//go:build linux

package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

// stopOwnerOfTheHasty stops a member while callers elsewhere wait 500 ms at most, and
// counts those that failed, from the first moment.
func stopOwnerOfTheHasty(ctx context.Context, m *mesh) error {
	const victim = 2
	tr, err := m.warmTraffic(ctx, func(tr *meshtest.Traffic) {
		tr.Timeout, tr.Readers = 500*time.Millisecond, 8
		tr.WriteAt = func(string, int) bool { return false }
		group := tr.Group
		tr.Group = func(i int) meshtest.Group {
			if i == victim {
				return nil
			}
			return group(i)
		}
	})
	if err != nil {
		return err
	}
	defer tr.Stop()
	tr.Ledger.Agree()
	before := tr.Outcome()
	if err := m.member(victim).stop(ctx); err != nil {
		return err
	}
	if err := wait(ctx, 2*time.Second); err != nil {
		return err
	}
	after := tr.Outcome()
	reads, failed := after.Reads-before.Reads, after.ReadErrors-before.ReadErrors
	m.report(failed == 0 && reads > 0, "0 reads fail", "%d of %d reads failed within 2 s (%.1f %%)", failed, reads, 100*float64(failed)/float64(max(reads, 1)))
	if err := wait(ctx, 3*time.Second); err != nil {
		return err
	}
	m.member(victim).resume()
	return m.whole(ctx, m.all(), 10*time.Second, "SIGCONT")
}

// restartLater kills a member, lets the others find that they cannot call it, and
// starts it again at its address. From then on a Get must see every write, though some
// may not dial the new process yet.
func restartLater(ctx context.Context, m *mesh) error {
	const victim = 0
	tr, err := m.warmTraffic(ctx, func(tr *meshtest.Traffic) {
		tr.Keys, tr.Pause, tr.Readers, tr.DeletesOnly = tr.Keys[:12], 4*time.Millisecond, 6, true
		tr.WriteAt = func(_ string, member int) bool { return member == 2 }
	})
	if err != nil {
		return err
	}
	defer tr.Stop()
	for range 5 {
		tr.Ledger.Disagree()
		m.kill(victim)
		if err := wait(ctx, 300*time.Millisecond+rand.N(time.Second)); err != nil {
			return err
		}
		if err := m.start(ctx, victim); err != nil {
			return err
		}
		tr.Ledger.Agree() // each of them told the new process so, or it would not serve
		if err := wait(ctx, 1500*time.Millisecond); err != nil {
			return err
		}
	}
	m.judge(tr)
	return nil
}

// loseTCP leaves one member reachable by gossip alone. After MaxStale and a few seconds
// the others must go on without it; and it comes back by itself.
func loseTCP(ctx context.Context, m *mesh) error {
	const victim = 3
	tr, err := m.warmTraffic(ctx, func(tr *meshtest.Traffic) {
		tr.DeletesOnly = true
		group := tr.Group
		tr.Group = func(i int) meshtest.Group {
			if i == victim {
				return nil
			}
			return group(i)
		}
	})
	if err != nil {
		return err
	}
	defer tr.Stop()
	rest := m.except(victim)
	lost, err := m.held(ctx, victim)
	if err != nil {
		return err
	}
	kept, err := m.held(ctx, rest...)
	if err != nil {
		return err
	}
	tr.Ledger.Agree() // nobody reads at the victim
	before, loads := tr.Outcome(), m.loadsOf(ctx, rest...)
	if err := m.net.loseTCP(ctx, victim); err != nil {
		return err
	}
	if err := m.whole(ctx, rest, 15*time.Second, "TCP was lost"); err != nil {
		return err
	}
	between, loadsBetween := tr.Outcome(), m.loadsOf(ctx, rest...)
	m.reportLoads("until then", before, between, loadsBetween-loads)
	if err := wait(ctx, 10*time.Second); err != nil {
		return err
	}
	m.reportLoads("in 10 s from then on", between, tr.Outcome(), m.loadsOf(ctx, rest...)-loadsBetween)
	if err := m.net.findTCP(ctx, victim); err != nil {
		return err
	}
	if _, err = m.recovered(ctx, tr, 30*time.Second, "TCP is back", 3*time.Second, victim); err != nil {
		return err
	}
	others := m.longestDelete(rest, kept)
	m.report(others < 2*time.Second, "at most 2 s", "longest Delete of a key of the others %v, of one of the lost member's %v", ms(others), ms(m.longestDelete(rest, lost)))
	return nil
}

// held returns the keys of rows that these members own and hold.
func (m *mesh) held(ctx context.Context, members ...int) (keys []string, err error) {
	for _, i := range members {
		a, err := m.member(i).ask(ctx, message{Kind: kindHeld})
		if err != nil {
			return nil, err
		}
		keys = append(keys, a.Names...)
	}
	return keys, nil
}

// longestDelete returns how long the longest Delete of these keys took through these
// members.
func (m *mesh) longestDelete(members []int, keys []string) (longest time.Duration) {
	for _, i := range members {
		t := &m.member(i).deletes
		t.mu.Lock()
		for _, key := range keys {
			longest = max(longest, t.took[key])
		}
		t.mu.Unlock()
	}
	return longest
}

func (f *findings) reportLoads(when string, before, after meshtest.Outcome, loads int) {
	reads, writes, failed := after.Reads-before.Reads, after.Writes-before.Writes, after.WriteErrors-before.WriteErrors
	f.report(loads < reads/2, "most reads are hits", "%s: %d loads for %d reads", when, loads, reads)
	f.report(failed == 0 && writes > 0, "0 writes fail", "%s: %d of %d writes failed", when, failed, writes)
}

// loadsOf adds up the calls of loaders at these members.
func (m *mesh) loadsOf(ctx context.Context, members ...int) (n int) {
	for _, i := range members {
		if a, err := m.member(i).ask(ctx, message{Kind: kindLoads}); err == nil {
			n += a.Value
		}
	}
	return n
}
