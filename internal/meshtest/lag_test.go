package meshtest

import (
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestLaggingView keeps one member from learning for 5 s that another joined or
// left. Calls must not hang, and go to one other member at most; nobody may keep
// what it does not own.
func TestLaggingView(t *testing.T) {
	for _, change := range []struct {
		name string
		make func(t *testing.T, s *Stage)
		left []int
	}{
		{"join", func(t *testing.T, s *Stage) {
			if err := s.Join(5); err != nil {
				t.Error(err)
			}
		}, []int{0, 1, 2, 3, 4, 5}},
		{"leave", func(t *testing.T, s *Stage) {
			if err := s.Leave(t.Context(), 3); err != nil {
				t.Error(err)
			}
		}, []int{0, 1, 2, 4}},
	} {
		t.Run(change.name, func(t *testing.T) {
			underFault(t, 4, func(t *testing.T, seed uint64) { lag(t, seed, change.make, change.left) })
		})
	}
}

const lagging, lags = 4, 5 * time.Second

func lag(t *testing.T, seed uint64, change func(*testing.T, *Stage), left []int) {
	s := stage(t, seed, 5)
	group := func(i int) *cachemesh.Group[int] {
		if i == lagging {
			return nil // it is read by readEach alone
		}
		return s.Rows(i)
	}
	rows := s.traffic(t, seed, group, func(tr *Traffic) { tr.Members, tr.Writers = 6, 0 })
	time.Sleep(time.Second)
	s.HoldNews(lagging)
	began, changed := time.Now(), make(chan struct{})
	go func() { change(t, s); close(changed) }()
	retried := 0
	for checked := false; time.Since(began) < lags; {
		if sees := len(s.Node(lagging).Members()); sees != 5 && time.Since(began) < lags/2 {
			t.Fatalf("the lagging member sees %d members, want still 5", sees)
		}
		retried += readEach(t, s, rows)
		if !checked && time.Since(began) > lags/2 {
			checked = true
			ownersOnly(t, s, left, len(rows.Keys))
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.ReleaseNews(lagging)
	<-changed
	began = time.Now()
	if err := s.Settle(t.Context(), left...); err != nil {
		t.Error(err)
	}
	caughtUp := time.Since(began)
	out, _ := finish(t, "one view lags", rows)
	noReadFailed(t, "one view lags", out)
	if out.LongestRead > time.Second {
		t.Errorf("a Get took %v", out.LongestRead)
	}
	t.Logf("%d reads by the lagging member were repeated once, none twice; settled %v after the lag", retried, round(caughtUp))
	if len(left) > 5 && retried == 0 {
		t.Error("no read of the lagging member had to be repeated: it did not lag")
	}
}

// readEach reads every key at the lagging member and returns how many attempts it
// repeated.
func readEach(t *testing.T, s *Stage, rows *Traffic) (retried int) {
	t.Helper()
	g, twice := s.Rows(lagging), 0
	for _, key := range rows.Keys {
		before, began := g.Stats().Retries, rows.Ledger.Begin()
		v, err := g.Get(t.Context(), key)
		if err != nil {
			t.Errorf("Get at the lagging member: %v", err)
			continue
		}
		rows.Ledger.Read(began, lagging, key, v)
		n := int(g.Stats().Retries - before)
		if n > 1 {
			twice++
		}
		retried += n
		if took := time.Since(began.at); took > time.Second {
			t.Errorf("a Get at the lagging member took %v", took)
		}
	}
	if 10*twice > len(rows.Keys) { // the others put it out and take it back meanwhile
		t.Errorf("%d of %d Gets at the lagging member were repeated more than once", twice, len(rows.Keys))
	}
	return retried
}

// ownersOnly fails the test if members hold more than what they may serve, or a
// key in two places.
func ownersOnly(t *testing.T, s *Stage, members []int, keys int) {
	t.Helper()
	sum := 0
	for _, i := range members {
		g := s.Rows(i)
		if g == nil {
			continue
		}
		held, own := int(g.Stats().Entries), count(g)
		if held != own {
			t.Errorf("member %d holds %d values and may serve %d of them", i, held, own)
		}
		sum += held
	}
	if sum > keys {
		t.Errorf("members hold %d values of %d keys", sum, keys)
	}
}

func count(g *cachemesh.Group[int]) (n int) {
	for range g.All() {
		n++
	}
	return n
}
