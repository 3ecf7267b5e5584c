//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

func linkDown(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	const victim = 3
	tr.Ledger.AgreeAmong(m.except(victim)...)
	if err := m.net.setLink(ctx, victim, "down"); err != nil {
		return err
	}
	if err := wait(ctx, 10*time.Second); err != nil {
		return err
	}
	if err := m.net.setLink(ctx, victim, "up"); err != nil {
		return err
	}
	if _, err = m.recovered(ctx, tr, 30*time.Second, "the link is up", 3*time.Second, victim); err != nil {
		return err
	}
	m.sides(tr, m.except(victim), []int{victim})
	return nil
}

// blackHole cuts the mesh in two. The majority goes on: its Gets see every write that
// returned nil. The minority says so to those who write, and reads nothing older than
// MaxStale.
func blackHole(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx)
	if err != nil {
		return err
	}
	defer tr.Stop()
	a, b := []int{0, 1, 2}, []int{3, 4}
	tr.Ledger.AgreeAmong(a...)
	if err := m.net.partition(ctx, a, b); err != nil {
		return err
	}
	cut := time.Now()
	if err := m.whole(ctx, a, 15*time.Second, "the cut"); err != nil {
		return err
	}
	if err := m.turnMinority(ctx, b[0], cut); err != nil {
		return err
	}
	beforeA, beforeB := m.deletes(a), m.deletes(b)
	if err := wait(ctx, *cutFor-time.Since(cut)); err != nil {
		return err
	}
	sideA, sideB := m.deletes(a).since(beforeA), m.deletes(b).since(beforeB)
	m.report(sideA.applied > 0 && sideA.minority+sideA.failed == 0, "all nil", "Deletes on the side of three: %v", sideA)
	m.report(sideB.minority > 0 && sideB.applied+sideB.failed == 0, "all ErrMinority", "Deletes on the side of two: %v", sideB)
	if err := m.net.heal(ctx, a, b); err != nil {
		return err
	}
	if _, err = m.recovered(ctx, tr, 30*time.Second, "healing", 5*time.Second); err != nil {
		return err
	}
	m.sides(tr, a, b)
	return nil
}

// turnMinority waits until a Delete through member i says that it sees no majority.
func (m *mesh) turnMinority(ctx context.Context, i int, cut time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		_, err := m.member(i).ask(ctx, message{Kind: kindSettled})
		if errors.Is(err, cachemesh.ErrMinority) {
			break
		}
		if err := wait(ctx, pollEvery); err != nil {
			return fmt.Errorf("member %d does not say that it is in a minority: %w", i, err)
		}
	}
	m.report(true, "ErrMinority", "the side of two says so %v after the cut", ms(time.Since(cut)))
	return nil
}

// sides reports how long what each side read was superseded.
func (f *findings) sides(tr *meshtest.Traffic, majority, minority []int) {
	v := tr.Ledger.Verdict()
	oldest := func(side []int) (most time.Duration) {
		for _, i := range side {
			most = max(most, v.OldestAt[i])
		}
		return most
	}
	f.report(oldest(majority) == 0, "0 late reads", "the majority's oldest late read: %v", ms(oldest(majority)))
	f.report(oldest(minority) <= maxStale, "at most MaxStale", "the minority's oldest late read: %v", ms(oldest(minority)))
}

// deletes adds up what Deletes through these members came to.
func (m *mesh) deletes(members []int) (sum outcomes) {
	for _, i := range members {
		t := &m.member(i).deletes
		sum.applied += t.applied.Load()
		sum.minority += t.minority.Load()
		sum.failed += t.failed.Load()
	}
	return sum
}

type outcomes struct{ applied, minority, failed int64 }

func (o outcomes) since(before outcomes) outcomes {
	return outcomes{o.applied - before.applied, o.minority - before.minority, o.failed - before.failed}
}

func (o outcomes) String() string {
	return fmt.Sprintf("%d nil, %d ErrMinority, %d failed otherwise", o.applied, o.minority, o.failed)
}

// cutFor is how long the black hole lasts.
var cutFor = flag.Duration("cut", shortCut, "how long the mesh is cut in two; production has seen an hour")

const shortCut = 20 * time.Second
