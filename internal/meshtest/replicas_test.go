package meshtest

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// counted plays something while counters grow, and fails the test if one goes back.
func counted(t *testing.T, members, replicas int, seed uint64, play func(t *testing.T, s *Stage, c *Counters)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := NewStage(t.Context(), Config{Seed: seed, Members: members, Replicas: replicas})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := &Counters{Seed: seed, Keys: 40, Readers: 8, Members: members, Group: s.Values, Timeout: 10 * time.Second, Pause: 20 * time.Millisecond}
		c.Start()
		time.Sleep(time.Second)
		play(t, s, c)
		out := c.Stop()
		t.Logf("seed %d: %d reads, %d writes with nil, %d that may be applied, %d errors, longest read %v, write %v, e.g. %v", seed, out.Reads, out.Nils, out.Maybes, out.Errors,
			out.LongestRead, out.LongestWrite, out.Sample)
		for _, b := range out.Broke {
			t.Error(b)
		}
		if out.Nils < 100 || out.Reads < 100 {
			t.Errorf("%d writes, %d reads: %v", out.Nils, out.Reads, out.Sample)
		}
	})
}

// Any one of three members crashes under Sets: nothing that was answered with nil is lost.
func TestReplicasOneOfThreeCrashes(t *testing.T) {
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			counted(t, 3, 2, uint64(i+1), func(t *testing.T, s *Stage, c *Counters) {
				s.Crash(i)
				time.Sleep(8 * time.Second)
				if err := s.Settle(t.Context(), without(3, i)...); err != nil {
					t.Error(err)
				}
				c.Check(without(3, i)...)
			})
		})
	}
}

// Of five members with three copies any two crash at once.
func TestReplicasTwoOfFiveCrash(t *testing.T) {
	counted(t, 5, 3, 7, func(t *testing.T, s *Stage, c *Counters) {
		s.Crash(1)
		s.Crash(3)
		time.Sleep(8 * time.Second)
		c.Check(0, 2, 4)
	})
}

// Members crash one after the other, each when all have their copies again, and come back under their names
// at once or later.
func TestReplicasCrashAgainAndAgain(t *testing.T) {
	counted(t, 5, 2, 8, func(t *testing.T, s *Stage, c *Counters) {
		for i := range 8 {
			s.Crash(i % 5)
			time.Sleep(time.Duration(100+i%2*4000) * time.Millisecond)
			if err := s.Join(i % 5); err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
				t.Fatal(err)
			}
			s.whole(t)
		}
		c.Check(0, 1, 2, 3, 4)
	})
}

// Members leave in order and come back: nothing is lost, and nobody waits long.
func TestReplicasLeave(t *testing.T) {
	counted(t, 4, 2, 10, func(t *testing.T, s *Stage, c *Counters) {
		for i := range 4 {
			if err := s.Leave(t.Context(), i); err != nil {
				t.Error(err)
			}
			if st := s.Node(i).Stats(); st.Lost > 0 {
				t.Errorf("%d values lost", st.Lost)
			}
			time.Sleep(time.Second)
			if err := s.Join(i); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		c.Check(0, 1, 2, 3)
	})
}

// A mesh shrinks to one member in order, and that one has all values; then it grows again.
func TestReplicasShrinkAndGrow(t *testing.T) {
	counted(t, 3, 2, 11, func(t *testing.T, s *Stage, c *Counters) {
		for _, i := range []int{2, 1} {
			if err := s.Leave(t.Context(), i); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			c.Check(0)
		}
		for _, i := range []int{1, 2} {
			if err := s.Join(i); err != nil {
				t.Fatal(err)
			}
			s.whole(t)
		}
		s.Crash(0)
		time.Sleep(8 * time.Second)
		c.Check(1, 2)
	})
}

// Clear ends all values at all members, and what is written after it stays.
func TestReplicasClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewStage(t.Context(), Config{Seed: 1, Members: 3, Replicas: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		set := func(from, to int) {
			for k := from; k < to; k++ {
				if err := s.Values(k%3).Set(t.Context(), counterKey(k), k, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		set(0, 100)
		if err := s.Values(1).Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		set(50, 100)
		s.Crash(1)
		time.Sleep(8 * time.Second)
		for k := range 100 {
			v, err := s.Values(k%2*2).Get(t.Context(), counterKey(k))
			if k < 50 && !errors.Is(err, cachemesh.ErrNotFound) || k >= 50 && (err != nil || v != k) {
				t.Errorf("key %d: %d, %v", k, v, err)
			}
		}
	})
}

// A member is cut off and returns.
func TestReplicasCutOff(t *testing.T) {
	counted(t, 5, 2, 9, func(t *testing.T, s *Stage, c *Counters) {
		for i := range 3 {
			c.SetGroup(s.unless(i))
			s.Net.Partition([]string{HostName(i)})
			time.Sleep(time.Duration(1+5*i) * time.Second)
			s.Net.Heal()
			if err := s.Settle(t.Context(), 0, 1, 2, 3, 4); err != nil {
				t.Fatal(err)
			}
			s.whole(t)
		}
		c.SetGroup(s.Values)
		c.Check(0, 1, 2, 3, 4)
	})
}

// whole waits until all values have their copies.
func (s *Stage) whole(t *testing.T) {
	t.Helper()
	if lacking := s.lacking(); lacking > 0 {
		t.Fatalf("%d values lack copies", lacking)
	}
}

// lacking waits until all values have their copies, for a minute. It returns how many do not then.
func (s *Stage) lacking() (values int64) {
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		values = 0
		for i := range s.nodes {
			if g := s.Values(i); g != nil {
				values += g.Stats().Lacking + g.Stats().Hidden
			}
		}
		if values == 0 || time.Since(began) > time.Minute {
			return values
		}
	}
}

// unless returns the groups of all members but one.
func (s *Stage) unless(gone int) func(int) *cachemesh.Group[int] {
	return func(i int) *cachemesh.Group[int] {
		if i == gone {
			return nil
		}
		return s.Values(i)
	}
}

// Without copies the same schedule is noticed.
func TestCountersNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewStage(t.Context(), Config{Seed: 1, Members: 3, Replicas: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := &Counters{Seed: 1, Keys: 40, Readers: 8, Members: 3, Group: s.Values, Timeout: 10 * time.Second, Pause: 20 * time.Millisecond}
		c.Start()
		time.Sleep(time.Second)
		s.Crash(1)
		time.Sleep(8 * time.Second)
		if out := c.Stop(); len(out.Broke) == 0 {
			t.Error("not noticed")
		}
	})
}

// without returns the members of a mesh without one.
func without(members, gone int) (list []int) {
	for i := range members {
		if i != gone {
			list = append(list, i)
		}
	}
	return list
}
