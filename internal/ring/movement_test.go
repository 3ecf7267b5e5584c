package ring

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const maxMoved = 1.15 // times the ideal share

// TestJoinAndLeaveMoveLittle compares rings with and without one member. Between two neighbouring points of either,
// nothing changes hands, so looking at the points alone covers every key there is.
func TestJoinAndLeaveMoveLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	most := 0.0
	for _, names := range namings {
		for _, n := range []int{2, 3, 10, 31, 100} {
			ids := names.ids(n+1, 0)
			slices.Sort(ids)
			// The first, the last and one of those between shift the indexes of the others in different ways.
			which := []int{0, 1 + rng.IntN(n-1), n}
			if n == 100 {
				which = which[1:2] // a large ring takes long
			}
			for _, i := range which {
				id := ids[i]
				large, small := New(ids), New(slices.Delete(slices.Clone(ids), i, i+1))
				moved := movedShare(t, small, large, id) * float64(n+1)
				most = max(most, moved)
				if moved > maxMoved || moved < 2-maxMoved {
					t.Errorf("%s: %q among %d moves %.3f of the ideal share", names.name, id, n+1, moved)
				}
			}
		}
	}
	t.Logf("at most %.3f of the ideal share moved", most)
}

// movedShare returns the part of the circle that changes owner when id joins small or leaves large. It fails the test if
// anything moves between other members, or if losing id leaves a key to anyone but its second successor.
func movedShare(t *testing.T, small, large *Ring, id string) float64 {
	t.Helper()
	placesOfSmall, _ := unpack(small.table)
	placesOfLarge, _ := unpack(large.table)
	places := append(placesOfSmall, placesOfLarge...)
	slices.Sort(places)
	before := places[len(places)-1]
	var moved uint64
	var next []int
	for _, p := range places {
		arc := p - before
		before = p
		without, with := small.members[small.Owner(p)], large.members[large.Owner(p)]
		if without == with {
			continue
		}
		moved += arc
		if with != id {
			t.Fatalf("%#x moves from %q to %q, though only %q came or went", p, without, with, id)
		}
		next = large.Successors(next[:0], p, 2)
		if second := large.members[next[1]]; second != without {
			t.Fatalf("%#x: second successor %q, but %q owns it without the owner", p, second, without)
		}
	}
	return float64(moved) / math.Exp2(64)
}

// TestLossesSpread checks that the keys of a crashed member fall to all others, and leave them balanced.
func TestLossesSpread(t *testing.T) {
	for _, n := range []int{4, 10, 50} {
		r := New(hostPorts(n))
		counts := make([][]float64, n) // by owner, then by next successor
		for i := range counts {
			counts[i] = make([]float64, n)
		}
		var next []int
		for h, i := uint64(0), 0; i < 2000*n*n; i++ {
			h += golden
			next = r.Successors(next[:0], h, 2)
			counts[next[0]][next[1]]++
		}
		for owner, heirs := range counts {
			heirs := slices.Delete(heirs, owner, owner+1)
			// A pair shares about points/(n-1) arcs, so it varies far more than a whole share.
			tolerance := 6 * math.Sqrt(2*float64(n-1)/pointsPerMember)
			if busiest, idlest := spread(heirs); busiest > 1+tolerance || idlest < max(1-tolerance, 0.1) {
				t.Errorf("%d members: %s leaves its heirs %.2f to %.2f of the mean, tolerance %.2f",
					n, r.Members()[owner], idlest, busiest, tolerance)
			}
		}
	}
}
