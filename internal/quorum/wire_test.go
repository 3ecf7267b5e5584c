package quorum

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// fullWord has another value in each field.
func fullWord() Word {
	return Word{
		From: "a#1", View: 1 << 60, Number: 300, Vote: Half, Last: 301, LastView: 302, Known: 303, Promised: 304,
		RightFor: 305, RightLeft: 306, WaitsLeft: 307, TakenIn: 308,
		Unreachable: []string{"b", "c"}, Expelled: []string{"d"}, Forgotten: []string{"", "e", "f"},
		Bases: []Primary{{Number: 9, View: 10, Set: []Member{{ID: "g#1", Name: "g", Addr: "g:1"}, {ID: "h#1", Name: "h", Addr: "h:1"}}},
			{Number: 11, View: 12}},
	}
}

func TestWordThereAndBack(t *testing.T) {
	words := []Word{{}, fullWord()}
	for _, flag := range []func(w *Word){
		func(w *Word) { w.Base = true }, func(w *Word) { w.WantsBase = true },
		func(w *Word) { w.Stands = true }, func(w *Word) { w.Handing = true },
	} {
		w := fullWord()
		flag(&w)
		words = append(words, w)
	}
	for vote := NoVote; vote <= Yes; vote++ {
		words = append(words, Word{From: "a", Vote: vote})
	}
	for _, w := range words {
		got, err := Parse(append(w.Append([]byte{}), "of a later release"...))
		if err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%+v\nbecame %+v, %v", w, got, err)
		}
	}
	if got, err := Parse(Word{RightFor: -5, RightLeft: -6, WaitsLeft: -7}.Append(nil)); err != nil || !reflect.DeepEqual(got, Word{}) {
		t.Errorf("times that have passed became %+v, %v", got, err)
	}
	if b := (Word{}).Append([]byte("before")); !bytes.HasPrefix(b, []byte("before\x01")) {
		t.Errorf("%q", b)
	}
}

// A word that is cut anywhere, of another version, or with a vote that there is not, is
// none, and neither is one that promises more than it has.
func TestMalformedWords(t *testing.T) {
	b := fullWord().Append(nil)
	malformed := map[string][]byte{"nothing": nil, "too long": append(bytes.Clone(b), make([]byte, MaxWord)...)}
	for n := range b {
		malformed[string(b[:n])] = b[:n]
	}
	last := Word{Bases: []Primary{{Set: members("b")}}}.Append(nil) // it ends in a text
	for n := range last {
		malformed["of another: "+string(last[:n])] = last[:n]
	}
	for at, value := range map[int]byte{0: wordVersion + 1, 1: byte(Yes) + 1} {
		other := bytes.Clone(b)
		other[at] = value
		malformed[string(other)] = other
	}
	list := func(n int) []byte {
		return Word{Unreachable: strings.Split(strings.Repeat("x,", n-1)+"x", ",")}.Append(nil)
	}
	bases := func(n int) []byte { return Word{Bases: make([]Primary, n)}.Append(nil) }
	malformed["a list"], malformed["bases"] = list(maxListed+1), bases(maxTried+2)
	malformed["a text"] = append([]byte{wordVersion, 0, 0}, binary.AppendUvarint(nil, 1<<40)...)
	many := Word{}.Append(nil)
	malformed["as many as a number can say"] = append(binary.AppendUvarint(many[:len(many)-4:len(many)-4], 1<<40), many...)
	for name, b := range malformed {
		if w, err := Parse(b); !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(w, Word{}) {
			t.Errorf("%q: %+v, %v", name, w, err)
		}
	}
	for name, b := range map[string][]byte{"a full list": list(maxListed), "as many bases as there may be": bases(maxTried + 1),
		"as long as may be": append(bytes.Clone(b), make([]byte, MaxWord-len(b))...)} {
		if _, err := Parse(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nobody makes another wait for more than a day.
func TestLongestTime(t *testing.T) {
	w, err := Parse(Word{RightFor: maxLeft + 1, RightLeft: maxLeft, WaitsLeft: 1 << 62}.Append(nil))
	if err != nil || w.RightFor != maxLeft || w.RightLeft != maxLeft || w.WaitsLeft != maxLeft {
		t.Errorf("%+v, %v", w, err)
	}
	over := append([]byte{wordVersion, 0, 0, 0}, bytes.Repeat([]byte{0}, 6)...)
	over = append(binary.AppendUvarint(over, 1<<64-1), bytes.Repeat([]byte{0}, 7)...)
	if w, err := Parse(over); err != nil || w.RightFor != maxLeft {
		t.Errorf("%+v, %v", w, err)
	}
}

// Bases that do not fit are left out, and nothing else.
func TestBasesThatDoNotFit(t *testing.T) {
	const frame = 16 + 6 // all else, and the numbers of the base
	for _, c := range []struct{ id, bases int }{{MaxWord - frame - 10, 1}, {MaxWord, 0}} {
		w := Word{From: "a", Number: 7, Bases: []Primary{{Number: 1, Set: []Member{{ID: strings.Repeat("x", c.id)}}}}}
		b := w.Append(nil)
		got, err := Parse(b)
		if err != nil || len(got.Bases) != c.bases || got.Number != 7 {
			t.Errorf("%d bytes: %d bases, %v", len(b), len(got.Bases), err)
		}
	}
	// To the byte.
	for n := MaxWord - 60; n < MaxWord; n++ {
		w := Word{From: "a", Bases: []Primary{{Set: []Member{{ID: strings.Repeat("x", n)}}}}}
		whole := len(Word{From: "a"}.Append(nil)) - 1 + len(appendBases(nil, w.Bases))
		if got := len(w.Append(nil)); (got == whole) != (whole <= MaxWord) || got > MaxWord {
			t.Errorf("%d bytes are written as %d", whole, got)
		}
	}
}
