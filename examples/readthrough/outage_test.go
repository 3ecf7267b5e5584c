package main

import (
	"testing"
	"time"
)

func TestCrashIsHardlyNoticed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		victim int
	}{
		{"of the member that all others joined", 0},
		{"of the last member", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			places := fewPlaces(t, 500)
			dsn := sqliteDSN(t)
			filled(t, dsn, places)
			m, err := startMesh(t.Context(), 3, dsn, "")
			if err != nil {
				t.Fatal(err)
			}
			defer m.stop()
			o, err := crash(t.Context(), m, tc.victim, places)
			if err != nil {
				t.Fatal(err)
			}
			if o.longest > outageLimit {
				t.Errorf("a look-up took %v, want at most %v", o.longest, outageLimit)
			}
			if o.gets < int64(2*len(places)) {
				t.Errorf("only %d look-ups met the crash", o.gets)
			}
			t.Logf("every key answered %v after the crash; longest of %d look-ups %v; whole after %v; longest look-up then %v",
				o.answered.Round(time.Millisecond), o.gets, o.longest, o.whole.Round(time.Millisecond), o.after)
		})
	}
}

func TestJudgeOutage(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	made := []pass{
		{begun: at(0), ended: at(1), gets: 1, longest: 9 * time.Second}, // before the crash
		{begun: at(1), ended: at(4), gets: 2, longest: 2 * time.Second}, // around it
		{begun: at(4), ended: at(6), gets: 4, longest: time.Second},
		{begun: at(6), ended: at(7), gets: 8, longest: time.Millisecond}, // whole again
	}
	var got outage
	got.judge(made, at(3))
	want := outage{gets: 6, answered: 3 * time.Second, longest: 2 * time.Second, after: time.Millisecond}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
