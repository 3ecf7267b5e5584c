//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/internal/meshtest"
)

var (
	oldSecret = []byte("the first secret of the mesh")
	newSecret = []byte("another secret of the mesh")
)

// deploy restarts all members one by one, in order, as a deployment does, and then
// three times more to replace the secret. No Delete may fail.
func deploy(ctx context.Context, m *mesh) error {
	tr, err := m.warmTraffic(ctx, func(tr *meshtest.Traffic) { tr.DeletesOnly = true })
	if err != nil {
		return err
	}
	defer tr.Stop()
	tr.Ledger.Agree()
	for _, round := range []struct {
		what          string
		first, second []byte
	}{
		{"a rolling deploy", oldSecret, nil},
		{"old secret, new one accepted", oldSecret, newSecret},
		{"new secret, old one accepted", newSecret, oldSecret},
		{"new secret alone", newSecret, nil},
	} {
		m.secret, m.accept = round.first, nil
		if round.second != nil {
			m.accept = [][]byte{round.second}
		}
		before := tr.Outcome()
		began := time.Now()
		if err := m.restartAll(ctx); err != nil {
			return fmt.Errorf("%s: %w", round.what, err)
		}
		after := tr.Outcome()
		failed := after.WriteErrors - before.WriteErrors
		m.report(failed == 0, "0 Deletes fail", "%s: %d of %d Deletes failed, in %v", round.what, failed, after.Writes-before.Writes, ms(time.Since(began)))
	}
	out := m.judge(tr)
	m.report(out.LongestWrite < 2*time.Second, "at most 2 s", "longest Delete %v", ms(out.LongestWrite))
	return nil
}

// restartAll has each member leave and start again. As a deployment does, it waits for
// one to be ready before it goes on to the next.
func (m *mesh) restartAll(ctx context.Context) error {
	for _, i := range m.all() {
		if err := m.leave(ctx, i); err != nil {
			return err
		}
		if err := m.start(ctx, i); err != nil {
			return err
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
