//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"time"
)

var (
	copiedValues = flag.Int("values", 2000, "how many values in several copies there are before members crash")
	crashFor     = flag.Duration("crashes", 5*time.Second, "for how long one member after the other crashes, one in 5 s")
)

// copiesTime is how much longer than by default the scenarios with copies may take.
func copiesTime() time.Duration {
	return time.Duration(*copiedValues)*3*time.Millisecond + 3*max(0, *crashFor-5*time.Second)
}

// crashOneOfThree kills one of three members where values have two copies.
func crashOneOfThree(ctx context.Context, m *mesh) error {
	return crashing(ctx, m, 2, func() error {
		m.kill(1)
		return wait(ctx, 4*time.Second)
	})
}

// crashTwoAtOnce kills two members at once where values have three copies.
func crashTwoAtOnce(ctx context.Context, m *mesh) error {
	return crashing(ctx, m, 3, func() error {
		m.kill(1)
		m.kill(3)
		return wait(ctx, 4*time.Second)
	})
}

// crashOneAfterTheOther kills a member every 5 s and starts it again at once, as soon as all values
// have their copies.
func crashOneAfterTheOther(ctx context.Context, m *mesh) error {
	crashes, longest := 0, time.Duration(0)
	err := crashing(ctx, m, 2, func() error {
		for began := time.Now(); time.Since(began) < *crashFor; crashes++ {
			next := time.Now().Add(5 * time.Second)
			m.kill(crashes % len(m.members))
			if err := m.start(ctx, crashes%len(m.members)); err != nil {
				return err
			}
			if _, err := m.await(ctx, m.all(), probeTimeout); err != nil {
				return err
			}
			if err := copied(ctx, m, m.all()); err != nil {
				return err
			}
			longest = max(longest, time.Since(next.Add(-5*time.Second)))
			if err := wait(ctx, time.Until(next)); err != nil {
				return err
			}
		}
		return nil
	})
	m.report(longest > 0 && longest < 30*time.Second, "within 30 s", "%d crashes; all values had their copies again %v after one at most", crashes, ms(longest))
	return err
}

// copied waits until all values have their copies.
func copied(ctx context.Context, m *mesh, members []int) error {
	for {
		lacking := 0
		for _, i := range members {
			a, err := m.member(i).ask(ctx, message{Kind: kindLacking})
			if err != nil {
				return err
			}
			lacking += a.Value
		}
		if lacking == 0 {
			return nil
		}
		if err := wait(ctx, pollEvery); err != nil {
			return fmt.Errorf("%d values lack copies: %w", lacking, err)
		}
	}
}

// crashing writes values in so many copies while members crash, and then looks for all that
// was answered with nil.
func crashing(ctx context.Context, m *mesh, copies int, crash func() error) error {
	w := &copiedWriting{mesh: m, copies: copies}
	began := time.Now()
	if err := w.fill(ctx, *copiedValues); err != nil {
		return err
	}
	filled := time.Since(began)
	stop := w.start(ctx)
	err := wait(ctx, time.Second)
	if err == nil {
		err = crash()
	}
	stop()
	if err != nil {
		return err
	}
	lost, err := w.lost(ctx)
	if err != nil {
		return err
	}
	m.report(lost == 0 && w.acked() > *copiedValues, "0 lost", "%d of %d values that were answered with nil are lost (%d may be applied, %d failed; %v a value at first)", lost, w.acked(),
		w.maybe.Load(), w.failed.Load(), (filled / time.Duration(*copiedValues)).Round(time.Microsecond))
	m.report(w.stale.Load() == 0 && w.reads.Load() > 0, "0 stale reads", "%d of %d reads of growing values stale; the longest write took %v, read %v", w.stale.Load(), w.reads.Load(),
		ms(time.Duration(w.longestWrite.Load())), ms(time.Duration(w.longestRead.Load())))
	return nil
}
