package ring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

func TestEmpty(t *testing.T) {
	for name, r := range map[string]*Ring{"nil": New(nil), "none": New([]string{}), "zero": {}} {
		if got := r.Len(); got != 0 {
			t.Errorf("%s: Len() = %d", name, got)
		}
		if got := r.Members(); len(got) != 0 {
			t.Errorf("%s: Members() = %q", name, got)
		}
		if got := r.Owner(42); got != -1 {
			t.Errorf("%s: Owner() = %d", name, got)
		}
		if got := r.Successors([]int{7}, 42, 3); !slices.Equal(got, []int{7}) {
			t.Errorf("%s: Successors() = %v", name, got)
		}
	}
}

func TestSingle(t *testing.T) {
	r := New([]string{""})
	for _, h := range []uint64{0, 1, 1 << 63, math.MaxUint64} {
		if got := r.Owner(h); got != 0 {
			t.Errorf("Owner(%#x) = %d", h, got)
		}
		if got := r.Successors(nil, h, 3); !slices.Equal(got, []int{0}) {
			t.Errorf("Successors(%#x) = %v", h, got)
		}
	}
}

func TestMembersAreSortedAndDistinct(t *testing.T) {
	ids := []string{"b", "a-10", "", "a-2", "b", "a", "a"}
	given := slices.Clone(ids)
	r := New(ids)
	want := []string{"", "a", "a-10", "a-2", "b"}
	if got := r.Members(); !slices.Equal(got, want) || r.Len() != len(want) {
		t.Errorf("Members() = %q, Len() = %d, want %q", got, r.Len(), want)
	}
	if !slices.Equal(ids, given) {
		t.Errorf("New changed its argument to %q", ids)
	}
	ids[0] = "z"
	if got := r.Members(); !slices.Equal(got, want) {
		t.Errorf("the ring follows the caller's slice: %q", got)
	}
}

// TestRingGolden pins which members a key falls to. The values are from the same separate implementation as the hash's.
func TestRingGolden(t *testing.T) {
	r := New([]string{"alpha", "beta", "gamma", "delta", "epsilon"})
	seed := Seed("users")
	for key, want := range map[string][]string{
		"user:1": {"epsilon", "delta", "alpha"},
		"user:2": {"gamma", "epsilon", "beta"},
		"user:3": {"epsilon", "beta", "alpha"},
		"user:4": {"epsilon", "beta", "alpha"},
		"user:5": {"epsilon", "delta", "gamma"},
		"user:6": {"beta", "gamma", "epsilon"},
		"user:7": {"beta", "delta", "epsilon"},
		"user:8": {"epsilon", "gamma", "alpha"},
	} {
		if got := named(r, r.Successors(nil, Hash(seed, key), 3)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	for _, h := range []uint64{0, math.MaxUint64} {
		want := []string{"beta", "alpha", "epsilon", "gamma", "delta"}
		if got := named(r, r.Successors(nil, h, 5)); !slices.Equal(got, want) {
			t.Errorf("%#x: %q, want %q", h, got, want)
		}
	}
}

func named(r *Ring, members []int) []string {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = r.Members()[m]
	}
	return ids
}

func TestOrderOfIDsDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, names := range namings {
		ids := names.ids(20, 0)
		want := New(ids)
		for range 5 {
			rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			got := New(append(ids, ids[:rng.IntN(len(ids))]...)) // with duplicates
			if !slices.Equal(got.members, want.members) || !slices.Equal(got.table.packed, want.table.packed) ||
				!slices.Equal(got.table.start, want.table.start) {
				t.Fatalf("%s: another order gave another ring", names.name)
			}
		}
	}
}

func TestSuccessorsAppends(t *testing.T) {
	r := New(hostPorts(5))
	h := Hash(Seed(""), "key")
	all := r.Successors(nil, h, 5)
	for n := -1; n <= 7; n++ {
		// What dst holds already must stay, and must not be taken for members already chosen.
		got := r.Successors([]int{all[0], all[1]}, h, n)
		want := slices.Concat(all[:2], all[:min(max(n, 0), 5)])
		if !slices.Equal(got, want) {
			t.Errorf("n = %d: %v, want %v", n, got, want)
		}
	}
	if sorted := slices.Sorted(slices.Values(all)); !slices.Equal(sorted, []int{0, 1, 2, 3, 4}) {
		t.Errorf("all successors: %v", all)
	}
	if got := r.Successors(nil, h, math.MaxInt); !slices.Equal(got, all) {
		t.Errorf("n = MaxInt: %v, want %v", got, all)
	}
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	r := New(hostPorts(100))
	dst := make([]int, 1, 4)
	var h uint64
	n := testing.AllocsPerRun(1000, func() {
		h += golden
		sink = r.Owner(h)
		sink = len(r.Successors(dst, h, 3))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func Example() {
	r := New([]string{"alpha", "beta", "gamma"})
	h := Hash(Seed("users"), "user:6")
	fmt.Println(r.Members()[r.Owner(h)])
	for _, m := range r.Successors(nil, h, 2) {
		fmt.Println(r.Members()[m])
	}
	// Output:
	// beta
	// beta
	// gamma
}

// The arcs must say what the points say, around every point.
func TestArcs(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 12, 13} {
		r := New(hostPorts(n))
		if got := len(r.table.arcs) > 0; got != (n <= 12) {
			t.Fatalf("%d members: arcs %v", n, got)
		}
		for i, packed := range r.table.packed[:len(r.table.packed)-1] {
			b := sort.Search(len(r.table.start), func(b int) bool { return int(r.table.start[b]) > i }) - 1
			place := uint64(b)<<(64-r.table.bits) | packed>>r.table.bits
			for _, p := range []uint64{place - 1, place, place + 1} {
				if got, want := r.Owner(p), r.table.member(r.table.find(p)); got != want {
					t.Fatalf("%d members, place %#x: owner %d, by the points %d", n, p, got, want)
				}
			}
		}
	}
}
