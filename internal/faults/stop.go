//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// stopHolder stops a member that holds copies, deletes keys, and lets it go on.
func stopHolder(ctx context.Context, m *mesh) error {
	var worst time.Duration
	stale, reads := 0, 0
	for round := range 3 {
		key := fmt.Sprint("k", round)
		m.origin.Write(key, 1)
		if _, err := m.member(0).Get(ctx, key); err != nil {
			return err
		}
		holder, err := m.hold(ctx, key, 0)
		if err != nil {
			return err
		}
		if err := m.member(holder).stop(ctx); err != nil {
			return err
		}
		m.origin.Write(key, 2)
		began := time.Now()
		err = m.member(0).Delete(ctx, key)
		worst = max(worst, time.Since(began))
		if err != nil {
			return fmt.Errorf("Delete while a holder is stopped: %w", err)
		}
		if round == 2 { // as long as the others take to give it up, and longer
			if err := wait(ctx, 5*time.Second-time.Since(began)); err != nil {
				return err
			}
		}
		m.member(holder).resume()
		for end := time.Now().Add(time.Second); time.Now().Before(end); reads++ {
			for i := range m.members {
				if v, err := m.member(i).Get(ctx, key); err == nil && v != 2 {
					stale++
				}
			}
		}
	}
	// A Delete that waits for nobody met no holder, and proves nothing.
	m.report(worst > lease/10 && worst <= 4*lease/3+200*time.Millisecond, "at most 4/3 lease + 200 ms", "Delete took %v", ms(worst))
	m.report(stale == 0 && reads > 0, "0 stale reads", "%d stale reads after SIGCONT", stale)
	return nil
}

func stopOwner(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 2
	tr.Ledger.Agree()
	if err := m.member(victim).stop(ctx); err != nil {
		return err
	}
	if err := wait(ctx, 5*time.Second); err != nil {
		return err
	}
	m.member(victim).resume()
	_, err = m.recovered(ctx, tr, 10*time.Second, "SIGCONT", maxStale+2*time.Second, victim)
	return err
}

// stopOwnerInAHurry stops an owner under callers that have half a second for each Get,
// and counts those that fail until the others have given it up.
func stopOwnerInAHurry(ctx context.Context, m *mesh) error {
	const victim, deadline, span, callers = 2, 500 * time.Millisecond, 3 * time.Second, 8
	keys := make([]string, 120)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
		m.origin.Write(keys[i], 1)
		if _, err := m.member(i%len(m.members)).Get(ctx, keys[i]); err != nil {
			return err
		}
	}
	held, err := m.held(ctx, victim)
	if err != nil {
		return err
	}
	if err := m.member(victim).stop(ctx); err != nil {
		return err
	}
	began := time.Now()
	var mu sync.Mutex                                                                 // guards what follows
	gets, failed, longest := make(map[bool]int), make(map[bool]int), time.Duration(0) // by whether the victim owns the key
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := c; time.Since(began) < span && ctx.Err() == nil; i++ {
				short, cancel := context.WithTimeout(ctx, deadline)
				start := time.Now()
				key := keys[i%len(keys)]
				_, err := m.member(c%victim).Get(short, key)
				cancel()
				owned := slices.Contains(held, key)
				mu.Lock()
				gets[owned]++
				longest = max(longest, time.Since(start))
				if err != nil {
					failed[owned]++
				}
				mu.Unlock()
				wait(ctx, 2*time.Millisecond)
			}
		})
	}
	all.Wait()
	m.member(victim).resume()
	m.report(100*failed[true] <= gets[true] && gets[true] > 0, "at most 1 % of Gets fail", "%d of %d Gets of that owner's keys failed, the longest took %v", failed[true], gets[true], ms(longest))
	m.report(100*failed[false] <= gets[false] && gets[false] > 0, "at most 1 % of Gets fail", "%d of %d Gets of other keys failed", failed[false], gets[false])
	return ctx.Err()
}
