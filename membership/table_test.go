package membership

import (
	"testing"
	"time"
)

func tableOf(names ...string) *table {
	t := newTable(Member{Name: "self", Boot: 7, Life: 2})
	for i, name := range names {
		t.put(peer{Member: Member{Name: name, Boot: 1, Life: 1, Addr: addrOf(i + 1).String()}, gossip: addrOf(i + 1)}, time.Now())
	}
	return t
}

// TestDeathsOfOthers: only the death of this very life of this run is news to it. A report of an earlier run under its
// name, which a restart leaves behind, must not make it drop what it holds.
func TestDeathsOfOthers(t *testing.T) {
	for _, test := range []struct {
		absence
		returned bool
	}{
		{absence{"self", 7, 2}, true},
		{absence{"self", 8, 2}, false}, // another run
		{absence{"self", 7, 1}, false}, // an earlier life, which it knows of
		{absence{"other", 7, 2}, false},
	} {
		tab := tableOf()
		tab.told([]absence{test.absence})
		if v := tab.take(); v.Returned != test.returned || v.Members[0].Life != 2+map[bool]uint32{true: 1}[test.returned] {
			t.Errorf("%+v: Returned %t, life %d, want Returned %t", test.absence, v.Returned, v.Members[0].Life, test.returned)
		}
	}
}

// TestDepartureOfTheUnseen: who came and went between two views was in none, and is in no Gone.
func TestDepartureOfTheUnseen(t *testing.T) {
	tab := tableOf("seen")
	tab.take()
	tab.put(peer{Member: Member{Name: "unseen", Boot: 1, Life: 1}, gossip: addrOf(9)}, time.Now())
	tab.drop("unseen", time.Now())
	if v := tab.take(); len(v.Gone) != 0 {
		t.Errorf("Gone %v", v.Gone)
	}
	tab.drop("seen", time.Now())
	if v := tab.take(); len(v.Gone) != 1 || v.Gone[0].Member.Name != "seen" {
		t.Errorf("Gone %v, want seen", v.Gone)
	}
}

// TestPacketsOfTheDead: a packet from where a member was lost is worth an attempt at once, but not each of many.
func TestPacketsOfTheDead(t *testing.T) {
	tab, now := tableOf("a", "b"), time.Now()
	if tab.heard(addrOf(1), now) {
		t.Error("a live member counts as lost")
	}
	tab.drop("a", now)
	tab.missing(now, time.Hour) // tried once, and not due for long
	for _, step := range []struct {
		from  int
		after time.Duration
		want  bool
	}{{2, 0, false}, {1, 0, true}, {1, heardPause - 1, false}, {1, heardPause, true}} {
		at := now.Add(time.Second + step.after)
		if got := tab.heard(addrOf(step.from), at); got != step.want {
			t.Errorf("a packet from %v after %v: %t, want %t", addrOf(step.from), step.after, got, step.want)
		}
		if due := len(tab.missing(at, time.Hour)) == 1; due != step.want {
			t.Errorf("a packet from %v after %v makes it due: %t, want %t", addrOf(step.from), step.after, due, step.want)
		}
	}
}
