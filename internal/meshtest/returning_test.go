package meshtest

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// mode waits until members answer by a right, for at most so long.
func (s *Stage) mode(t *testing.T, want string, within time.Duration, members ...int) {
	t.Helper()
	began := time.Now()
	for _, i := range members {
		for s.Node(i).Stats().Mode != want {
			if time.Since(began) > within {
				t.Fatalf("member %d is %q, want %q: %+v", i, s.Node(i).Stats().Mode, want, s.Node(i).Stats())
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// TestOneOfTwoRestarts crashes one of two members and starts it again at its address.
// Its next run must not wait for the former one.
func TestOneOfTwoRestarts(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 2)
		for _, down := range []time.Duration{200 * time.Millisecond, 8 * time.Second} {
			s.Crash(1)
			time.Sleep(down)
			if err := s.Join(1); err != nil {
				t.Fatal(err)
			}
			s.mode(t, "majority", 8*time.Second, 0, 1)
		}
	})
}

// TestReplaced crashes three of five members, whose hosts are gone, and starts three
// under new names. The rest writes nothing with nil until it is certain of all three:
// it finds two of the addresses refusing, and is told of the third.
func TestReplaced(t *testing.T) {
	for _, end := range []string{"Forget", "ForgetAfter", "evidence"} {
		t.Run(end, func(t *testing.T) {
			underFault(t, 1, func(t *testing.T, seed uint64) { replaced(t, seed, end) })
		})
	}
}

func replaced(t *testing.T, seed uint64, end string) {
	s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: noHotCopies,
		Edit: func(o *cachemesh.Options) { o.ForgetAfter = 2 * time.Minute }})
	for _, i := range []int{2, 3, 4} {
		s.Net.Pause(HostName(i)) // the machines are gone: nothing refuses, nobody answers
		s.setDown(i, true)
	}
	for _, i := range []int{5, 6, 7} {
		s.Net.Host(HostName(i))
		if err := s.Join(i); err != nil {
			t.Fatal(err)
		}
	}
	s.mode(t, "minority", 20*time.Second, 0, 1, 5, 6, 7)
	back := func(i int) { // the host is up again, and nothing listens there
		s.Kill(i)
		s.Net.Resume(HostName(i))
	}
	back(2)
	back(3)
	time.Sleep(20 * time.Second)
	s.mode(t, "minority", 0, 0, 1, 5, 6, 7) // two of three are not enough
	if waits := s.Node(0).Stats().WaitsFor; len(waits) != 1 || waits[0] != HostName(4) {
		t.Errorf("it waits for %v", waits)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if s.Rows(0).Delete(ctx, "x") == nil && s.Rows(5).Delete(ctx, "y") == nil && s.Rows(1).Delete(ctx, "z") == nil {
		t.Error("a minority's Deletes returned nil")
	}
	switch end {
	case "Forget":
		if !s.Node(1).Forget(HostName(4)) {
			t.Error("Forget says that nothing waited for it")
		}
	case "evidence":
		back(4)
	default:
		time.Sleep(2 * time.Minute)
	}
	s.mode(t, "majority", 20*time.Second, 0, 1, 5, 6, 7)
	if err := s.Rows(0).Delete(t.Context(), "x"); err != nil {
		t.Error(err)
	}
}

// TestLeaveTwoAtOnce takes two of three members away in order, at once. The last one
// is the majority by itself.
func TestLeaveTwoAtOnce(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 3)
		left := make(chan error, 2)
		for _, i := range []int{1, 2} {
			go func() { left <- s.Leave(t.Context(), i) }()
		}
		for range 2 {
			if err := <-left; err != nil {
				t.Error(err)
			}
		}
		s.mode(t, "majority", 5*time.Second, 0)
		if err := s.Rows(0).Delete(t.Context(), "x"); err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownOfOneCutOff: a member that nobody can reach leaves in bounded time.
func TestShutdownOfOneCutOff(t *testing.T) {
	underFault(t, 1, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 3)
		if err := s.Values(2).Set(t.Context(), "v", 1, 0); err != nil {
			t.Error(err)
		}
		s.CutOff(2, 0, 1)
		began := time.Now()
		s.setDown(2, true)
		err := s.Node(2).Shutdown(context.Background())
		t.Logf("Shutdown returned %v after %v", err, round(time.Since(began)))
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		s.mode(t, "majority", 20*time.Second, 0, 1)
	})
}

// TestFlap makes a mesh change its views again and again without ever settling. It is
// whole soon after that ends.
func TestFlap(t *testing.T) {
	underFault(t, 1, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: noHotCopies})
		rows := s.traffic(t, seed, s.Rows, func(tr *Traffic) { tr.Pause, tr.DeletesOnly = 40*time.Millisecond, true })
		for i := range 20 {
			s.Net.Partition(sides[i%len(sides)][0], sides[i%len(sides)][1])
			time.Sleep(2 * time.Second)
			s.Net.Heal()
			time.Sleep(100 * time.Millisecond)
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.AwaitSettled(ctx, everybody()...); err != nil {
			t.Error(err)
		}
		t.Logf("whole %v after the last cut", round(time.Since(began)))
		if took := time.Since(began); took > 15*time.Second { // gossip finds them
			t.Errorf("whole only %v after the last cut", took)
		}
		rows.Ledger.Agree()
		time.Sleep(maxStale)
		finish(t, "flapping", rows)
	})
}

var sides = [][2][]string{
	{{"m0", "m1", "m2", "m3"}, {"m4"}}, {{"m0", "m1", "m2"}, {"m3", "m4"}}, {{"m0", "m1", "m4"}, {"m2", "m3"}}, {{"m1", "m2", "m3"}, {"m0", "m4"}},
}
