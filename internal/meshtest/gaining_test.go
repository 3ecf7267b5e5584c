package meshtest

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/ring"
)

// gaining makes member 0 gain a key that member 3 owned and left behind, and then see one
// more change of the view, while member 1 learns of none of it: so nobody settles, and a
// member that acts by the old view may yet write the key.
func gaining(t *testing.T, s *Stage) (key string) {
	t.Helper()
	key = movesBetween([]int{0, 1, 2, 3}, []int{0, 1, 2}, []int{0, 1, 2, 4}, 3, 0, 0)
	s.Net.Host(HostName(4))
	s.HoldNews(1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		s.Leave(ctx, 3) // member 1 does not agree, so it goes without that
		s.Net.Kill(HostName(3))
	}()
	sees(t, s, 0, 3)
	joined := make(chan error, 1)
	go func() { joined <- s.Join(4) }()
	sees(t, s, 0, 4)
	t.Cleanup(func() { // before the stage is closed
		s.ReleaseNews(1)
		if err := <-joined; err != nil {
			t.Error(err)
		}
	})
	if s.Node(0).Stats().Settled {
		t.Fatal("it has settled: this proves nothing")
	}
	return key
}

// sees waits until a member sees so many others that are not leaving, itself included.
func sees(t *testing.T, s *Stage, member, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		n := 0
		for _, m := range s.Node(member).Members() {
			if !m.Leaving {
				n++
			}
		}
		if n == want {
			return
		}
	}
	t.Fatalf("member %d sees %v, want %d", member, s.Node(member).Members(), want)
}

// movesBetween returns a key of the loading group that these members own, in turn, in
// meshes of these members.
func movesBetween(a, b, c []int, ownerA, ownerB, ownerC int) string {
	owner := func(members []int, key string) string {
		var names []string
		for _, i := range members {
			names = append(names, HostName(i))
		}
		r := ring.New(names)
		return r.Members()[r.Owner(ring.Hash(ring.Seed(rowsGroup), key))]
	}
	for _, key := range keys("k", 10_000) {
		if owner(a, key) == HostName(ownerA) && owner(b, key) == HostName(ownerB) && owner(c, key) == HostName(ownerC) {
			return key
		}
	}
	panic("no such key")
}

// TestGainedThroughTwoViews: that a member owned a key in the last view too says nothing
// if that one has not settled either.
func TestGainedThroughTwoViews(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 4)
		key := gaining(t, s)
		for version := range 5 {
			s.Origin.Write(key, version+1)
			if v, err := s.Rows(0).Get(t.Context(), key); v != version+1 || err != nil {
				t.Errorf("it stored what it is still gaining: %d, %v, want %d", v, err, version+1)
			}
		}
	})
}

// TestGainedAndKeptAsAStandIn: what a member keeps because others cannot reach the owner
// is not its own to serve when it gains the key.
func TestGainedAndKeptAsAStandIn(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 4)
		key := gaining(t, s)
		time.Sleep(3 * time.Second) // member 3 is gone, which member 1 does not know
		for version := range 5 {
			s.Origin.Write(key, version+1)
			if _, err := s.Rows(1).Get(t.Context(), key); err != nil { // it asks a stand-in
				t.Error(err)
			}
			s.Origin.Write(key, version+100)
			if v, err := s.Rows(0).Get(t.Context(), key); v != version+100 || err != nil {
				t.Errorf("it read %d, %v, want %d", v, err, version+100)
			}
		}
	})
}
