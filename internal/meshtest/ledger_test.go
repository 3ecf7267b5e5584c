package meshtest

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLedger checks the checker: it tells late from stale.
func TestLedger(t *testing.T) {
	const maxStale = 10 * time.Second
	for _, tt := range []struct {
		name       string
		play       func(l *Ledger)
		stale, old int
	}{
		{"the newest", func(l *Ledger) { write(l, 1); write(l, 2); read(l, 2, 0) }, 0, 0},
		{"older, in time", func(l *Ledger) { write(l, 1); write(l, 2); read(l, 1, maxStale) }, 0, 1},
		{"older, too late", func(l *Ledger) { write(l, 1); write(l, 2); read(l, 1, maxStale+1) }, 1, 1},
		{"older than a failed write", func(l *Ledger) { write(l, 1); l.MaybeWrote("k", 2); read(l, 1, time.Hour) }, 0, 0},
		{"what may be applied late", func(l *Ledger) { l.MaybeWrote("k", 1); write(l, 2); read(l, 1, time.Hour) }, 0, 0},
		{"nothing, where something was", func(l *Ledger) { write(l, 1); read(l, 0, maxStale+1) }, 1, 1},
		{"a Get that began before", func(l *Ledger) {
			write(l, 1)
			b := l.Begin()
			time.Sleep(time.Hour)
			write(l, 2)
			l.Read(b, 0, "k", 1)
		}, 0, 0},
		{"older, while the members agree", func(l *Ledger) { l.Agree(); write(l, 1); write(l, 2); read(l, 1, 0) }, 1, 1},
		{"older, at a member of those that agree", func(l *Ledger) { l.AgreeAmong(1, 0); write(l, 1); write(l, 2); read(l, 1, 0) }, 1, 1},
		{"older, at another", func(l *Ledger) { l.AgreeAmong(1, 2); write(l, 1); write(l, 2); read(l, 1, 0) }, 0, 1},
		{"older than what was written before they agreed", func(l *Ledger) { write(l, 1); write(l, 2); l.Agree(); read(l, 1, 0) }, 0, 1},
		{"older, and they cease to agree", func(l *Ledger) {
			l.Agree()
			write(l, 1)
			write(l, 2)
			b := l.Begin()
			l.Disagree()
			l.Read(b, 0, "k", 1)
		}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLedger(maxStale)
				tt.play(l)
				if v := l.Verdict(); v.Stale != tt.stale || v.Late != tt.old {
					t.Errorf("%d stale and %d late reads, want %d and %d: %v", v.Stale, v.Late, tt.stale, tt.old, v.First)
				}
			})
		})
	}
}

func write(l *Ledger, version int) { l.Wrote(l.Begin(), "k", version) }

func read(l *Ledger, version int, later time.Duration) {
	time.Sleep(later)
	l.Read(l.Begin(), 0, "k", version)
}
