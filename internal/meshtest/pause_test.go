package meshtest

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// hold makes member i read a key until it answers from a hot copy of its own. It
// reports false if it never does, as the key's owner.
func hold(t *testing.T, g *cachemesh.Group[int], key string) bool {
	t.Helper()
	before := g.Stats().HotHits
	for range 10 {
		if _, err := g.Get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	return g.Stats().HotHits > before
}

// TestPausedHolder pauses a member that holds a hot copy, and deletes the key.
func TestPausedHolder(t *testing.T) {
	var worst time.Duration
	underFault(t, 10, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		s.Net.SetLatency(0, 0)
		l := NewLedger(maxStale)
		for _, key := range keys("k", 20) {
			l.Wrote(l.Begin(), key, 1)
			s.Origin.Write(key, 1)
			holder, writer := int(seed)%5, int(seed+1)%5
			if !hold(t, s.Rows(holder), key) {
				continue // it is the owner
			}
			s.Net.Pause(HostName(holder))
			began := l.Begin()
			s.Origin.Write(key, 2)
			if err := s.Rows(writer).Delete(t.Context(), key); err != nil {
				t.Errorf("Delete while a holder is paused: %v", err)
			}
			took := time.Since(began.at)
			worst = max(worst, took)
			l.Agree()
			l.Wrote(l.Begin(), key, 2)
			if took > lease+200*time.Millisecond {
				t.Errorf("Delete took %v, want at most %v", took, lease+200*time.Millisecond)
			}
			// The holder's own callers go on while its network stands still.
			readWhile(t, s, l, key, holder, 5*time.Second-took)
			s.Net.Resume(HostName(holder))
			readWhile(t, s, l, key, holder, time.Second)
			break
		}
		v := l.Verdict()
		if v.Stale > 0 || v.Reads == 0 {
			t.Errorf("%d of %d reads were stale:\n%s", v.Stale, v.Reads, lines(v.First))
		}
	})
	if worst < lease/10 {
		t.Errorf("the longest Delete took %v: it met no holder", worst)
	}
	t.Logf("longest Delete while a holder was paused: %v; 0 stale reads", worst)
}

// readWhile reads a key at all members for a while.
func readWhile(t *testing.T, s *Stage, l *Ledger, key string, paused int, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for i := range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			began := l.Begin()
			v, err := s.Rows(i).Get(ctx, key)
			cancel()
			if err == nil {
				l.Read(began, i, key, v)
			} else if i != paused && ctx.Err() == nil {
				t.Errorf("Get at member %d: %v", i, err)
			}
		}
	}
}

// TestFalselySuspected pauses each member in turn for 4 s under traffic, long
// enough that the others give it up.
func TestFalselySuspected(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		rows := s.traffic(t, seed, s.Rows, nil)
		var back time.Duration
		for i := range 5 {
			rows.Ledger.Agree()
			time.Sleep(2 * time.Second)
			rows.Ledger.Disagree()
			s.Net.Pause(HostName(i))
			time.Sleep(4 * time.Second)
			s.Net.Resume(HostName(i))
			resumed := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			if err := s.Settle(ctx, 0, 1, 2, 3, 4); err != nil {
				t.Errorf("after member %d came back: %v", i, err)
			}
			cancel()
			back = max(back, time.Since(resumed))
		}
		rows.Ledger.Agree()
		time.Sleep(maxStale)
		out, _ := finish(t, "five members falsely suspected", rows)
		noReadFailed(t, "five members falsely suspected", out)
		t.Logf("all agreed again at most %v after the member came back", round(back))
	})
}
