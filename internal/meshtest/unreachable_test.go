package meshtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// TestOwnerBeyondReach cuts the link between a member and another whose keys it reads,
// for 25 s in which the views stay as they are. Whoever answers must have seen every
// write that the owner has taken.
func TestOwnerBeyondReach(t *testing.T) {
	underFault(t, 1, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 5, HotReads: noHotCopies,
			Edit: func(o *cachemesh.Options) { o.MaxStale = time.Minute }}) // the owner stays confirmed
		own := ownedBy(t, s, 1, 4)
		rows := s.traffic(t, seed, onlyAt(s, 0, 2, 3), func(tr *Traffic) {
			tr.Keys, tr.Pause, tr.DeletesOnly = own, 10*time.Millisecond, true
			tr.WriteAt = func(_ string, member int) bool { return member >= 2 }
		})
		time.Sleep(time.Second)
		rows.Ledger.Agree()
		s.CutLink(0, 1)
		time.Sleep(25 * time.Second)
		finish(t, "link to an owner cut", rows)
		if !s.Settled(0, 1, 2, 3, 4) {
			t.Log("the members have ceased to agree")
		}
		s.Net.Heal()
	})
}

// ownedBy returns keys that a member owns, which it then holds.
func ownedBy(t *testing.T, s *Stage, member, n int) (own []string) {
	t.Helper()
	for i := 0; len(own) < n && i < 1000; i++ {
		key := fmt.Sprint("own", i)
		s.Origin.Write(key, 1)
		if _, err := s.Rows(member).Get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if owns(s.Rows(member), key) {
			own = append(own, key)
		}
	}
	return own
}

// onlyAt gives traffic the groups of these members alone.
func onlyAt(s *Stage, members ...int) func(int) *cachemesh.Group[int] {
	return func(i int) *cachemesh.Group[int] {
		for _, m := range members {
			if m == i {
				return s.Rows(i)
			}
		}
		return nil
	}
}

// TestRestartMeetsBackoff crashes a member, lets others find that they cannot call it,
// and starts it again under its name and address. Once all agree, a Get must see every
// write, though some may not dial the new process yet.
func TestRestartMeetsBackoff(t *testing.T) {
	underFault(t, 3, func(t *testing.T, seed uint64) {
		s := stageOf(t, Config{Seed: seed, Members: 3, HotReads: noHotCopies})
		rng := rand.New(rand.NewPCG(seed, 5))
		own := ownedBy(t, s, 0, 4)
		rows := s.traffic(t, seed, s.Rows, func(tr *Traffic) {
			tr.Keys, tr.Pause, tr.Readers, tr.DeletesOnly = own, 4*time.Millisecond, 4, true
			tr.WriteAt = func(_ string, member int) bool { return member == 2 }
		})
		for range 6 {
			time.Sleep(time.Second)
			rows.Ledger.Disagree()
			s.Crash(0)
			time.Sleep(200*time.Millisecond + time.Duration(rng.IntN(2800))*time.Millisecond)
			if err := s.Join(0); err != nil {
				t.Fatal(err)
			}
			if !s.Node(0).Stats().Settled {
				t.Fatal("Start returned before all agreed")
			}
			rows.Ledger.Agree() // each of them told the new process so
			time.Sleep(1500 * time.Millisecond)
		}
		finish(t, "restarted at its address", rows)
	})
}

// TestJoinOverABrokenLink starts a member that can reach all but one. All see it, so
// all must come to agree, and every write must be seen.
func TestJoinOverABrokenLink(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 4)
		rows := s.traffic(t, seed, s.Rows, func(tr *Traffic) { tr.Members = 4 })
		s.Net.Host(HostName(4))
		s.CutLink(4, 3)
		if err := s.Join(4); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		began := time.Now()
		if err := s.AwaitSettled(ctx, 0, 1, 2, 3, 4); err != nil {
			t.Error(err)
		} else {
			rows.Ledger.Agree()
		}
		t.Logf("settled after %v", round(time.Since(began)))
		time.Sleep(10 * time.Second)
		out, _ := finish(t, "joined over a broken link", rows)
		noReadFailed(t, "joined over a broken link", out)
		if out.WriteErrors > 0 {
			t.Errorf("%d of %d writes failed", out.WriteErrors, out.Writes)
		}
		s.Net.Heal()
	})
}

// TestStartCutOff starts a member that reaches nobody, which it must say of what it
// writes: others know nothing of it.
func TestStartCutOff(t *testing.T) {
	underFault(t, 2, func(t *testing.T, seed uint64) {
		s := stage(t, seed, 2)
		all := keys("k", 200)
		each(all, func(i int, key string) {
			s.Origin.Write(key, 1)
			if _, err := s.Rows(i%2).Get(t.Context(), key); err != nil {
				t.Error(err)
			}
		})
		s.Net.Host(HostName(2))
		s.CutOff(2, 0, 1)
		if err := s.Join(2); err != nil {
			t.Fatal(err) // RequireJoin is not set: it serves alone
		}
		said := 0
		for _, key := range all {
			s.Origin.Write(key, 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := s.Rows(2).Delete(ctx, key); err != nil {
				said++
			}
			cancel()
		}
		time.Sleep(3 * maxStale)
		if n := olderThan(t, s, all, 2, 0, 1); n > 0 && said < len(all) {
			t.Errorf("%d of %d Deletes at a member that reached nobody returned nil; %v later others read %d old rows", len(all)-said, len(all), 3*maxStale, n)
		}
		s.Net.Heal()
		if err := s.AwaitSettled(t.Context(), 0, 1, 2); err != nil {
			t.Error(err)
		}
		time.Sleep(maxStale)
		if n := olderThan(t, s, all, 2, 0, 1, 2); n > 0 {
			t.Errorf("%d old rows are read %v after it joined", n, maxStale)
		}
	})
}

// olderThan counts the keys whose value at one of these members is older than a version.
func olderThan(t *testing.T, s *Stage, all []string, version int, members ...int) (n int) {
	t.Helper()
	for _, key := range all {
		for _, i := range members {
			if v, err := s.Rows(i).Get(t.Context(), key); err != nil {
				t.Error(err)
			} else if v < version {
				n++
				break
			}
		}
	}
	return n
}

// TestHostage leaves one of four members reachable by gossip alone for 50 s. The others
// go on without it after MaxStale and a few seconds; writes of their own keys never
// fail; and it comes back by itself.
func TestHostage(t *testing.T) {
	for _, fault := range []struct {
		name   string
		strike func(s *Stage)
	}{
		{"streams lost", func(s *Stage) { s.LoseStreams(3, 0, 1, 2) }},
		{"streams refused", func(s *Stage) { s.RefuseStreams(3, 0, 1, 2) }},
		{"full table of connections", func(s *Stage) { s.HangUp(3, 0, 1, 2) }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			underFault(t, 1, func(t *testing.T, seed uint64) { hostage(t, seed, 4, 1, fault.strike) })
		})
	}
}

// TestHostages is TestHostage in meshes of other sizes, and with two such members.
func TestHostages(t *testing.T) {
	for _, mesh := range []struct{ members, bad int }{{3, 1}, {10, 1}, {5, 2}} {
		t.Run(fmt.Sprintf("%d of %d", mesh.bad, mesh.members), func(t *testing.T) {
			underFault(t, 1, func(t *testing.T, seed uint64) {
				hostage(t, seed, mesh.members, mesh.bad, func(s *Stage) {
					for i := mesh.members - mesh.bad; i < mesh.members; i++ {
						s.LoseStreams(i, upTo(i)...)
					}
				})
			})
		})
	}
}

func hostage(t *testing.T, seed uint64, members, bad int, strike func(s *Stage)) {
	s := stageOf(t, Config{Seed: seed, Members: members, HotReads: noHotCopies})
	own := ownedBy(t, s, 1, 8)
	well := upTo(members - bad)
	healthy := onlyAt(s, well...)
	pause := time.Duration(max(4, members*members/4)) * 10 * time.Millisecond // of each of their readers
	edit := func(tr *Traffic) { tr.Pause, tr.Timeout = pause, 5*time.Second }
	rows := s.traffic(t, seed, healthy, edit)
	ours := s.traffic(t, seed+1, healthy, func(tr *Traffic) { edit(tr); tr.Keys = own })
	time.Sleep(time.Second)
	strike(s)
	time.Sleep(maxStale + 5*time.Second)
	before, loads := rows.Outcome(), s.loads(well...)
	time.Sleep(35 * time.Second)
	after, loaded := rows.Outcome(), s.loads(well...)-loads
	reads, failed := after.Reads-before.Reads, after.WriteErrors-before.WriteErrors
	writes := after.Writes - before.Writes
	t.Logf("from %v after the fault on: %d loads for %d reads, %d of %d writes failed", maxStale+5*time.Second, loaded, reads, failed, writes)
	if loaded > reads/2 { // a write has the row loaded again
		t.Error("the cache is off")
	}
	if failed > 0 {
		t.Errorf("%d of %d writes failed", failed, writes)
	}
	s.Net.Heal()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	healed := time.Now()
	if err := s.AwaitSettled(ctx, upTo(members)...); err != nil {
		t.Error(err)
	}
	t.Logf("back %v after healing", round(time.Since(healed)))
	if took := time.Since(healed); took > 5*time.Second {
		t.Errorf("back only %v after healing", took)
	}
	rows.Ledger.Agree()
	time.Sleep(maxStale)
	out, _ := finish(t, "one member a hostage", rows)
	noReadFailed(t, "one member a hostage", out)
	if out, _ := finish(t, "keys of a healthy member", ours); out.WriteErrors > 0 {
		t.Errorf("%d of %d writes of a healthy member's keys failed", out.WriteErrors, out.Writes)
	}
}

// loads adds up the calls of loaders at these members.
func (s *Stage) loads(members ...int) (n int) {
	for _, i := range members {
		n += int(s.Rows(i).Stats().Loads)
	}
	return n
}
