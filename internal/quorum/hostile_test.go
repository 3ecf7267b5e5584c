package quorum

import (
	"bytes"
	"math"
	"reflect"
	"testing"
)

// What one member says wrongly must not stop the others for ever.

// A number that leaves no room for a greater one would be the last ever voted with.
func TestNumbersLeaveRoom(t *testing.T) {
	for name, lie := range map[string]func(w *Word){
		"number":   func(w *Word) { w.Number, w.Vote = math.MaxUint64, Yes },
		"known":    func(w *Word) { w.Known = math.MaxUint64 },
		"last":     func(w *Word) { w.Last, w.LastView = math.MaxUint64, 7 },
		"great":    func(w *Word) { w.Number, w.Vote = 1<<62, Yes },
		"promised": func(w *Word) { w.Promised = math.MaxUint64 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "0", "1", "2")
			w.settle("0 1 2")
			liar, p := w.all["2"].core, w.all["0"]
			q := liar.Say("0#0", w.now)
			lie(&q)
			p.core.Asked(q, w.now)
			p.judge()
			w.talk("0 1 2")
			w.mode(Settled, "0 1 2")
			w.settle("0 1")
			w.mode(Settled, "0 1")
			w.settle("0 1 2")
			w.mode(Settled, "0 1 2")
			if n := p.core.last.Number; n > 1000 {
				t.Errorf("the number of the primary is %d", n)
			}
		})
	}
}

// Only a member of the view passes on what an operator said, and only of members
// that are missed: else the list could be filled with names of nobody.
func TestForgottenByStrangers(t *testing.T) {
	w := newWorld(t, "0", "1", "2", "3", "4")
	w.settle("0 1 2 3 4")
	w.settle("0 1")
	w.mode(Minority, "0 1")
	p := w.all["0"]
	p.core.Asked(Word{From: "x#9", Forgotten: []string{"2#0", "3#0", "4#0"}}, w.now)
	p.core.Asked(Word{From: "1#0", Forgotten: []string{"y#0", "z#0", "1#0"}}, w.now)
	if n := len(p.core.forgotten); n > 0 {
		t.Errorf("%d runs are forgotten", n)
	}
	p.core.Asked(Word{From: "1#0", Forgotten: []string{"2#0"}}, w.now)
	if n := len(p.core.forgotten); n != 1 {
		t.Errorf("%d runs are forgotten, want 1", n)
	}
}

func FuzzParse(f *testing.F) {
	w := newWorld(f, "0", "1", "2")
	w.settle("0 1 2")
	word := w.all["0"].core.Say("1#0", w.now)
	f.Add(word.Append(nil))
	word.Bases = []Primary{{Number: 3, View: 9, Set: w.view("0 1 2").Members}, {Number: 4}}
	word.Unreachable, word.Expelled, word.Forgotten = []string{"a"}, []string{"b", ""}, []string{"c"}
	f.Add(word.Append(nil))
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		word, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(word.Append(nil))
		if err != nil || !reflect.DeepEqual(again, word) {
			t.Errorf("%+v became %+v, %v", word, again, err)
		}
		if word.RightFor < 0 || word.RightLeft < 0 || word.WaitsLeft < 0 {
			t.Errorf("negative times: %+v", word)
		}
		if a, b := word.Append(nil), again.Append(nil); !bytes.Equal(a, b) {
			t.Error("two forms of one word")
		}
		w := newWorld(t, "0", "1", "2")
		w.settle("0 1 2")
		word.From = "1#0"
		p := w.all["0"]
		p.core.Asked(word, w.now)
		p.judge()
		if p.core.promised > 1<<40 {
			t.Errorf("promised %d", p.core.promised)
		}
	})
}
