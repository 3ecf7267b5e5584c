package labels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// walk returns the keys that a walk meets, each once.
func walk(x *Index, tag string) []string {
	var keys []string
	w := x.Walk(tag)
	for more := true; more; {
		keys, more = w.Next(keys)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// TestAgainstAMap plays holds and releases against a map, with room for a few lists.
func TestAgainstAMap(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		var x Index
		x.SetRoom(int64(r.IntN(8)) * costOf("t0"))
		held := make(map[string]*Label)
		for step := range 2000 {
			key := fmt.Sprint("k", r.IntN(60))
			if l := held[key]; l != nil {
				l.Release()
				delete(held, key)
			}
			if r.IntN(3) > 0 {
				var tags []string
				for range r.IntN(4) {
					tags = append(tags, fmt.Sprint("t", r.IntN(12)))
				}
				l := x.New(key, tags)
				if r.IntN(20) == 0 {
					l = x.Unknown(key)
				}
				l.Hold()
				if held[key] = l; r.IntN(4) == 0 { // as a write does that leaves the value
					l.Hold()
					l.Release()
				}
			}
			if step%50 > 0 {
				continue
			}
			for i := range 12 {
				tag, want := fmt.Sprint("t", i), []string{}
				for key, l := range held {
					if l.Bears(tag) {
						want = append(want, key)
					}
				}
				slices.Sort(want)
				if got := walk(&x, tag); !slices.Equal(got, want) {
					t.Fatalf("seed %d step %d: %s is borne by %v, found %v", seed, step, tag, want, got)
				}
			}
		}
		for _, l := range held {
			l.Release()
		}
		if lists, labels := x.Bytes(); lists != 0 || labels != 0 || x.Tags() != 0 || x.others.oldest != nil || x.unknown.oldest != nil {
			t.Errorf("seed %d: %d and %d bytes, %d tags left", seed, lists, labels, x.Tags())
		}
	}
}

// TestWalkInParts walks through more labels than are looked at at a time, while those that it
// has met are released and others come.
func TestWalkInParts(t *testing.T) {
	for _, room := range []int64{0, 1 << 20} {
		var x Index
		x.SetRoom(room)
		held := make(map[string]*Label)
		for i := range 3 * walkChunk {
			key := fmt.Sprint(i)
			held[key] = x.New(key, []string{"a", "b"})
			held[key].Hold()
		}
		w, met := x.Walk("a"), 0
		for more := true; more; {
			var keys []string
			keys, more = w.Next(nil)
			for _, key := range keys {
				met++
				held[key].Release()
				x.New("new", []string{"a"}).Hold()
			}
		}
		if met != 3*walkChunk {
			t.Errorf("room %d: met %d of %d", room, met, 3*walkChunk)
		}
	}
}

// TestLimits: a value that bears too much bears everything.
func TestLimits(t *testing.T) {
	var x Index
	many := make([]string, MaxTags+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if l := x.New("k", many); !l.Bears("other") {
		t.Error("it has too many tags, and does not bear another")
	}
	if l := x.New("k", append(many[:MaxTags:MaxTags], "", "0")); l.Bears("other") || !l.Bears("63") {
		t.Error("tags that are empty or twice there count")
	}
	if l := x.New("k", []string{strings.Repeat("x", MaxTagLen+1)}); !l.Bears("other") {
		t.Error("it has a tag that is too long, and does not bear another")
	}
	if l := x.New("k", []string{""}); l != nil || l.Bears("") || l.Bytes() != 0 {
		t.Error("a value without tags has a label")
	}
}
