package ring

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// model is the ring as the textbook has it: all points in one sorted list, walked from the first at or after the hash.
type model []modelPoint

type modelPoint struct {
	place uint64
	id    string
}

func newModel(ids []string, perMember int) model {
	var m model
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		for _, p := range appendPoints(nil, id, perMember) {
			m = append(m, modelPoint{p, id})
		}
	}
	slices.SortFunc(m, func(a, b modelPoint) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.id, b.id))
	})
	return m
}

func (m model) successors(hash uint64) []string {
	first, _ := slices.BinarySearchFunc(m, hash, func(p modelPoint, h uint64) int { return cmp.Compare(p.place, h) })
	var ids []string
	for _, p := range slices.Concat(m[first:], m[:first]) {
		if !slices.Contains(ids, p.id) {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// checkAgainstModel compares the whole order of successors at hash, then takes members away, owner first, and checks that
// the order of the others stays: what failover and replicas rely on.
func checkAgainstModel(t *testing.T, ids []string, perMember int, hash uint64) {
	t.Helper()
	r := build(ids, perMember)
	want := newModel(ids, perMember).successors(hash)
	got := named(r, r.Successors(nil, hash, r.Len()))
	if !slices.Equal(got, want) {
		t.Fatalf("%q, %d points, %#x: successors %q, want %q", ids, perMember, hash, got, want)
	}
	for n := range len(want) {
		if short := named(r, r.Successors(nil, hash, n)); !slices.Equal(short, want[:n]) {
			t.Fatalf("%q, %d points, %#x: %d successors %q, want %q", ids, perMember, hash, n, short, want[:n])
		}
	}
	for len(want) > 0 {
		if owner := r.Members()[r.Owner(hash)]; owner != want[0] {
			t.Fatalf("%q, %d points, %#x: owner %q, want %q", ids, perMember, hash, owner, want[0])
		}
		want = want[1:]
		r = build(want, perMember)
		if left := named(r, r.Successors(nil, hash, r.Len())); !slices.Equal(left, want) {
			t.Fatalf("%q, %d points, %#x: %q are left, want %q", ids, perMember, hash, left, want)
		}
	}
	if got := r.Owner(hash); got != -1 {
		t.Fatalf("Owner = %d when all have left", got)
	}
}

func TestAgreesWithModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, names := range namings {
		for _, n := range []int{1, 2, 3, 9} {
			for _, perMember := range []int{1, 2, 7, 64} {
				ids := names.ids(n, rng.IntN(8))
				m := newModel(ids, perMember)
				at := m[rng.IntN(len(m))].place
				for _, hash := range []uint64{0, math.MaxUint64, at - 1, at, at + 1, m[0].place, m[len(m)-1].place + 1, rng.Uint64()} {
					checkAgainstModel(t, ids, perMember, hash)
				}
			}
		}
	}
	m := newModel(hostPorts(10), pointsPerMember)
	r := New(hostPorts(10))
	for i, p := range m {
		if got := r.Members()[r.Owner(p.place)]; got != p.id {
			t.Fatalf("point %d: owner %q, want %q", i, got, p.id)
		}
		if got, want := r.Members()[r.Owner(p.place+1)], m[(i+1)%len(m)].id; got != want {
			t.Fatalf("after point %d: owner %q, want %q", i, got, want)
		}
	}
}

// FuzzRing takes any ids, separated by newlines, and any hash.
func FuzzRing(f *testing.F) {
	f.Add("a\nb\nc", uint64(1), uint8(3))
	f.Add("", uint64(0), uint8(0))
	f.Add("a-1\na-11\na-1\n\na", uint64(math.MaxUint64), uint8(40))
	f.Add("10.0.0.1:3000\n10.0.0.1:3001\n\xff\x00\n\x00", uint64(1)<<63, uint8(1))
	f.Fuzz(func(t *testing.T, text string, hash uint64, points uint8) {
		ids := strings.Split(text, "\n")
		ids = ids[:min(len(ids), 24)]
		perMember := int(points%64) + 1
		checkAgainstModel(t, ids, perMember, hash)
		m := newModel(ids, perMember)
		checkAgainstModel(t, ids, perMember, m[hash%uint64(len(m))].place)
	})
}
