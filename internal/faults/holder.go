//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// stopHolderOfMany stops a member that holds copies of a thousand keys, deletes them one after the other,
// and lets it go on: its session with each owner lapses once, not once a key.
func stopHolderOfMany(ctx context.Context, m *mesh) error {
	const holder, keys = 2, 1000
	names := make([]string, keys+keys/2) // the holder owns a third
	for i := range names {
		names[i] = fmt.Sprint("k", i)
		m.origin.Write(names[i], 1)
		if _, err := m.member(holder).Get(ctx, names[i]); err != nil {
			return err
		}
	}
	own, err := m.held(ctx, holder)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(key string) bool { return slices.Contains(own, key) })
	names = names[:min(len(names), keys)]
	before, err := m.member(holder).ask(ctx, message{Kind: kindHotHits})
	if err != nil {
		return err
	}
	if err := m.readAt(ctx, holder, names, 1); err != nil {
		return err
	}
	after, err := m.member(holder).ask(ctx, message{Kind: kindHotHits})
	if err != nil {
		return err
	}
	m.report(after.Value-before.Value == len(names), "all", "a member holds copies of %d of %d keys", after.Value-before.Value, len(names))
	if err := m.member(holder).stop(ctx); err != nil {
		return err
	}
	began := time.Now()
	for _, key := range names {
		m.origin.Write(key, 2)
		if err := m.member(0).Delete(ctx, key); err != nil {
			return fmt.Errorf("Delete while a holder is stopped: %w", err)
		}
	}
	took := time.Since(began)
	if err := wait(ctx, 5*time.Second-took); err != nil {
		return err
	}
	m.member(holder).resume()
	err = m.readAt(ctx, holder, names, 2)
	m.report(err == nil, "0 stale reads", "%d reads when it goes on: %v", len(names), orNone(err))
	m.report(took > lease/10 && took <= 4*lease/3+300*time.Millisecond, "at most 4/3 lease + 300 ms", "%d Deletes, one after the other, took %v in all", len(names), ms(took))
	return ctx.Err()
}

// readAt reads keys at a member, and returns an error unless all have a value.
func (m *mesh) readAt(ctx context.Context, i int, keys []string, want int) error {
	for _, key := range keys {
		v, err := m.member(i).Get(ctx, key)
		if err != nil {
			return err
		}
		if v != want {
			return fmt.Errorf("%s is %d, want %d", key, v, want)
		}
	}
	return nil
}

func orNone(err error) string {
	if err == nil {
		return "none is"
	}
	return err.Error()
}

// stopHolderAgainAndAgain stops a member under traffic for less than its sessions stand, and for longer.
func stopHolderAgainAndAgain(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 1
	tr.Ledger.Agree()
	for _, d := range []time.Duration{lease / 4, lease, lease / 2, 2 * lease, 3 * lease / 2, lease / 3, 5 * lease / 4} {
		if err := m.member(victim).stop(ctx); err != nil {
			return err
		}
		if err := wait(ctx, d); err != nil {
			return err
		}
		m.member(victim).resume()
		if err := wait(ctx, lease/2); err != nil {
			return err
		}
	}
	_, err = m.recovered(ctx, tr, 10*time.Second, "SIGCONT", time.Second, victim)
	return err
}

// cutHolder lets no packet pass between two members alone: each holds copies of what the other owns.
func cutHolder(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	a, b := []int{0}, []int{2}
	tr.Ledger.Agree()
	if err := m.net.partition(ctx, a, b); err != nil {
		return err
	}
	if err := wait(ctx, 5*time.Second); err != nil {
		return err
	}
	if err := m.net.heal(ctx, a, b); err != nil {
		return err
	}
	out, err := m.recovered(ctx, tr, 10*time.Second, "healing", 2*time.Second)
	if err != nil {
		return err
	}
	m.report(out.WriteErrors <= tr.Writers, "only those under way", "%d of %d writes may be applied or not", out.WriteErrors, out.Writes)
	return nil
}
