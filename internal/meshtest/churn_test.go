package meshtest

import (
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestMembersComeAndGo joins, crashes and restarts members under traffic.
func TestMembersComeAndGo(t *testing.T) {
	underFault(t, 4, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 4)
		rows := s.traffic(t, seed, s.Rows, func(tr *Traffic) { tr.Members = 5 })
		for _, step := range []func() error{
			func() error { return s.Join(4) },
			func() error { s.Crash(1); return nil },
			func() error { return s.Leave(t.Context(), 2) },
			func() error { return s.Join(1) },
			func() error { return s.Join(2) },
			func() error { s.Crash(4); return nil },
			func() error { return s.Join(4) },
		} {
			time.Sleep(3 * time.Second)
			if err := step(); err != nil {
				t.Error(err)
			}
		}
		if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
			t.Error(err)
		}
		rows.Ledger.Agree()
		time.Sleep(maxStale)
		out, _ := finish(t, "join, crash, leave, restart", rows)
		noReadFailed(t, "join, crash, leave, restart", out)
	})
}

// TestRestartAtOnce crashes a member and starts it under its old name before
// anyone has noticed.
func TestRestartAtOnce(t *testing.T) {
	var longest time.Duration
	underFault(t, 5, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		rows := s.traffic(t, seed, s.Rows, nil)
		for i := range 3 {
			rows.Ledger.Agree()
			time.Sleep(2 * time.Second)
			rows.Ledger.Disagree()
			s.Crash(i)
			time.Sleep(time.Duration(seed%5+1) * 100 * time.Millisecond)
			down := time.Now()
			if err := s.Join(i); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3*time.Second - time.Since(down))
			if out := rows.Outcome(); out.LastReadError.After(down.Add(3*time.Second)) || out.LastWriteError.After(down.Add(3*time.Second)) {
				t.Errorf("errors later than 3 s after the restart: %v", out.Samples)
			}
			if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
				t.Error(err)
			}
			longest = max(longest, time.Since(down))
		}
		rows.Ledger.Agree()
		time.Sleep(maxStale)
		out, _ := finish(t, "restart within 500 ms", rows)
		noReadFailed(t, "restart within 500 ms", out)
	})
	t.Logf("settled at most %v after the restart", round(longest))
}

// TestRollingDeploy replaces five members one after the other, each leaving in
// order and coming back under its name. Nothing may fail, be stale or get lost:
// what cannot be loaded is handed over.
func TestRollingDeploy(t *testing.T) {
	underFault(t, 4, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 5)
		rows := s.traffic(t, seed, s.Rows, nil)
		values := s.traffic(t, seed+1000, s.Values, func(tr *Traffic) { tr.Origin, tr.SetsOnly, tr.Keys = nil, true, keys("v", 100) })
		rows.Ledger.Agree()
		values.Ledger.Agree()
		began := time.Now()
		for i := range 5 {
			if err := s.Leave(t.Context(), i); err != nil {
				t.Error(err)
			}
			if err := s.Join(i); err != nil {
				t.Error(err)
			}
		}
		took := time.Since(began)
		if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		for what, tr := range map[string]*Traffic{"rolling deploy, loader": rows, "rolling deploy, map": values} {
			out, _ := finish(t, what, tr)
			noReadFailed(t, what, out)
			if out.WriteErrors > 0 {
				t.Errorf("%s: %d writes failed", what, out.WriteErrors)
			}
			if out.NotFound > 0 {
				t.Errorf("%s: %d values were not found", what, out.NotFound)
			}
		}
		t.Logf("five members replaced in %v; lost %d of %d values", round(took), lost(t, s.Values(0), values), len(values.Keys))
	})
}

// lost counts the keys that do not have their newest value, and fails the test if
// there are any.
func lost(t *testing.T, g *cachemesh.Group[int], tr *Traffic) (n int) {
	t.Helper()
	for _, key := range tr.Keys {
		if v, err := g.Get(t.Context(), key); err != nil || v < tr.Ledger.Newest(key) {
			t.Errorf("%q is %d, %v; want %d", key, v, err, tr.Ledger.Newest(key))
			n++
		}
	}
	return n
}
