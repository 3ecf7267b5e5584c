package meshtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// strictly starts traffic whose reads must see every write that returned nil, whatever
// happens to the mesh.
func (s *Stage) strictly(t *testing.T, seed uint64, members []int, edit func(tr *Traffic)) *Traffic {
	t.Helper()
	tr := s.traffic(t, seed, onlyAt(s, members...), func(tr *Traffic) {
		tr.Pause, tr.DeletesOnly, tr.Timeout = 20*time.Millisecond, true, 30*time.Second
		if edit != nil {
			edit(tr)
		}
	})
	time.Sleep(time.Second)
	tr.Ledger.Agree()
	return tr
}

// nobodyExpelled fails the test if one is, or if one has not settled.
func (s *Stage) nobodyExpelled(t *testing.T, members int) {
	t.Helper()
	for i := range members {
		if st := s.Node(i).Stats(); len(st.Expelled) > 0 || st.Mode != "majority" || st.Members != members {
			t.Errorf("member %d: %s, %d members, without %v", i, st.Mode, st.Members, st.Expelled)
		}
	}
}

// TestOneWay: member 3 can call the others, and nobody can call it. It is put out soon,
// writes nothing with nil once its right is over, and costs the others nothing of what
// they hold; and it comes back empty by itself. So too if another joined
// when the mesh was there: what was said of that before is known when it is back.
func TestOneWay(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: noHotCopies})
		if seed == 2 {
			if err := s.Leave(t.Context(), 4); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Join(4), s.Settle(t.Context(), everybody()...)); err != nil {
				t.Fatal(err)
			}
		}
		all := keys("w", 200)
		s.warm(t, all, everybody()...)
		owners := s.ownersOf(all, everybody()...)
		s.RefuseStreams(3, 0, 1, 2, 4)
		time.Sleep(5 * time.Second)
		for _, i := range []int{0, 1, 2, 4} {
			if out := s.Node(i).Stats().Expelled; len(out) != 1 || out[0] != HostName(3) {
				t.Errorf("5s after the fault member %d goes on without %v", i, out)
			}
		}
		time.Sleep(right + right/64)
		said := 0
		var kept []string
		for _, key := range all {
			if owners[key] != 3 {
				kept = append(kept, key)
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if s.Rows(3).Delete(ctx, key) == nil {
				said++
			}
			cancel()
		}
		if said > 0 {
			t.Errorf("%d Deletes at the member that was put out returned nil", said)
		}
		if n := s.loadsDuring(t, kept, 0, 0, 1, 2, 4); n > 0 {
			t.Errorf("the others loaded %d of %d keys again", n, len(kept))
		}
		s.Net.Heal()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := s.AwaitSettled(ctx, everybody()...); err != nil {
			t.Error(err)
		}
		if n := s.Rows(3).Stats().Entries; n > 0 {
			t.Errorf("it came back with %d entries", n)
		}
		if n := s.loadsDuring(t, kept, 0, 0, 1, 2, 4); n > 0 {
			t.Errorf("the others loaded %d of %d keys again when it was back", n, len(kept))
		}
	})
}

// TestLinksCut cuts one link, and then all but those of one member. Nobody is put out,
// and every Get sees every write.
func TestLinksCut(t *testing.T) {
	for name, cut := range map[string]func(s *Stage){
		"one link": func(s *Stage) { s.CutLink(0, 1) },
		"star": func(s *Stage) {
			for i := 1; i < 5; i++ {
				for j := i + 1; j < 5; j++ {
					s.LoseStreams(i, j)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			underFault(t, 1, func(t *testing.T, seed uint64) {
				s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: noHotCopies})
				rows := s.strictly(t, seed, everybody(), nil)
				cut(s)
				time.Sleep(20 * time.Second)
				s.nobodyExpelled(t, 5)
				out, _ := finish(t, name, rows)
				noReadFailed(t, name, out)
				s.Net.Heal()
			})
		})
	}
}

// TestReadsDuringTheWait cuts a member off, which goes on deleting its own keys as long
// as it may. Whoever reads these on the other side sees each Delete.
func TestReadsDuringTheWait(t *testing.T) {
	underFault(t, 3, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 4, HotReads: noHotCopies})
		own := ownedBy(t, s, 0, 8)
		rows := s.strictly(t, seed, everybody()[:4], func(tr *Traffic) {
			tr.Keys, tr.Pause, tr.Timeout = own, 12*time.Millisecond, time.Second
			tr.WriteAt = func(_ string, member int) bool { return member == 0 }
		})
		s.CutOff(0, 1, 2, 3)
		before := rows.Outcome().Writes
		time.Sleep(2500 * time.Millisecond)
		if n := rows.Outcome().Writes - before; n < 30 {
			t.Errorf("it wrote only %d times beyond the cut: this proves nothing", n)
		}
		time.Sleep(8 * time.Second)
		rows.Ledger.Disagree() // the one cut off may be MaxStale behind
		s.Net.Heal()
		finish(t, "reads during the wait", rows)
	})
}

// TestLeftOutAndBack cuts members off and lets them come back within one lease, with
// warm hot copies on both sides. Nobody reads an older value.
func TestLeftOutAndBack(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: 1,
			Edit: func(o *cachemesh.Options) { o.Lease, o.Right = 8*time.Second, 10*time.Second }})
		rows := s.strictly(t, seed, everybody(), func(tr *Traffic) { tr.Keys = keys("k", 12) })
		left := 0
		for range 3 {
			s.Net.Partition([]string{"m0", "m1"}, []string{"m2", "m3", "m4"})
			time.Sleep(4 * time.Second)
			left = max(left, 5-s.Node(2).Stats().Members)
			s.Net.Heal()
			time.Sleep(6 * time.Second)
		}
		if left == 0 {
			t.Error("nobody was left out: this proves nothing")
		}
		if s.Rows(0).Stats().HotHits == 0 {
			t.Error("no hot copy was read")
		}
		finish(t, "left out and back", rows)
	})
}

// TestTwoAndTwo cuts four members into two and two. One side goes on, the other says so;
// after a crash on the side that goes on the survivor is half of two.
func TestTwoAndTwo(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 4)
		s.Net.Partition([]string{"m0", "m1"}, []string{"m2", "m3"})
		time.Sleep(10 * time.Second)
		on, off := 0, 2
		if s.Node(2).Stats().Mode == "majority" {
			on, off = 2, 0
		}
		s.mode(t, "majority", 0, on, on+1)
		s.mode(t, "minority", 0, off, off+1)
		for _, i := range []int{on, off} {
			err := s.Rows(i).Delete(t.Context(), "x")
			if i == on && err != nil || i == off && !errors.Is(err, cachemesh.ErrMinority) {
				t.Errorf("a Delete at member %d, which is %s: %v", i, s.Node(i).Stats().Mode, err)
			}
		}
		s.Net.Pause(HostName(on + 1)) // a crash would show: its address would refuse
		s.setDown(on+1, true)
		time.Sleep(10 * time.Second)
		s.mode(t, "half", 0, on)
		if err := s.Rows(on).Delete(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		s.Net.Resume(HostName(on + 1))
	})
}

// TestNobodyElse starts the only replica of a service, with a bootstrap name that has
// no address. It takes itself for alone after JoinTimeout, and keeps what it loads.
func TestNobodyElse(t *testing.T) {
	underFault(t, 1, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 1, HotReads: noHotCopies,
			Edit: func(o *cachemesh.Options) {
				o.BootstrapNodes, o.JoinTimeout = []string{"nowhere.example:3000"}, 2*time.Second
			}})
		s.mode(t, "majority", 5*time.Second, 0)
		if err := s.Rows(0).Delete(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		all := keys("w", 20)
		s.warm(t, all, 0)
		time.Sleep(time.Minute)
		if n := s.loadsDuring(t, all, 0, 0); n > 0 {
			t.Errorf("%d of %d keys were loaded again", n, len(all))
		}
	})
}
