package ring

import (
	"math"
	"slices"
	"testing"
)

// unpack returns the whole places of a table's points in order, and their members.
func unpack(t table) (places []uint64, members []int) {
	for b := range len(t.start) - 1 {
		for i := t.start[b]; i < t.start[b+1]; i++ {
			places = append(places, uint64(b)<<(64-t.bits)|t.packed[i]>>t.bits)
			members = append(members, t.member(int(i)))
		}
	}
	return places, members
}

// TestPointsGolden pins the protocol, as TestHashGolden does.
func TestPointsGolden(t *testing.T) {
	for _, tt := range []struct {
		id                  string
		first, second, last uint64
	}{
		{"", 0x70732d247f6514c3, 0xddca1cd37b9e089b, 0x2b5823d397a60e96},
		{"10.0.0.1:3000", 0x5b7aa5b4b96aa58e, 0x6ec412d2483cc932, 0x3a723bd980f817c6},
		{"web-0.web.prod.svc.cluster.local:3000", 0x2eaeef9e0a173036, 0x0c5d84841748f743, 0x32a54b63aabfa19d},
	} {
		p := appendPoints(nil, tt.id, pointsPerMember)
		if len(p) != 2560 || p[0] != tt.first || p[1] != tt.second || p[len(p)-1] != tt.last {
			t.Errorf("%q: %d points, %#016x %#016x … %#016x", tt.id, len(p), p[0], p[1], p[len(p)-1])
		}
	}
}

// TestPointsOfMembersDiffer covers ids that differ only by where an index might run into them, and a group's seed.
func TestPointsOfMembersDiffer(t *testing.T) {
	seen := make(map[uint64]string)
	for _, id := range []string{"", "a", "a1", "a11", "a-1", "a-11", "a\x00", "a\x00\x00", "users"} {
		for _, p := range appendPoints(nil, id, pointsPerMember) {
			if other, ok := seen[p]; ok {
				t.Fatalf("%q and %q share point %#x", id, other, p)
			}
			seen[p] = id
		}
		if _, ok := seen[Seed(id)]; ok {
			t.Errorf("the seed of group %q is a point", id)
		}
	}
}

func TestMakeTableOrdersPoints(t *testing.T) {
	const top = math.MaxUint64
	for _, tt := range []struct {
		name      string
		points    []uint64
		perMember int
		places    []uint64
		members   []int
	}{
		{"one", []uint64{7}, 1, []uint64{7}, []int{0}},
		{"ends of the circle", []uint64{top, 0}, 1, []uint64{0, top}, []int{1, 0}},
		{"equal places go by member", []uint64{9, 5, 5, 0, 5, top}, 2, []uint64{0, 5, 5, 5, 9, top}, []int{1, 0, 1, 2, 0, 2}},
		{"all equal", []uint64{3, 3, 3, 3}, 1, []uint64{3, 3, 3, 3}, []int{0, 1, 2, 3}},
		{"one crowded bucket", []uint64{1<<63 + 3, 1<<63 + 1, 1<<63 + 2, 1 << 63}, 1,
			[]uint64{1 << 63, 1<<63 + 1, 1<<63 + 2, 1<<63 + 3}, []int{3, 1, 2, 0}},
	} {
		table := makeTable(tt.points, tt.perMember)
		places, members := unpack(table)
		if !slices.Equal(places, tt.places) || !slices.Equal(members, tt.members) {
			t.Errorf("%s: places %#x of members %v, want %#x of %v", tt.name, places, members, tt.places, tt.members)
		}
		for _, p := range tt.places {
			for _, at := range []uint64{p - 1, p, p + 1} {
				want, _ := slices.BinarySearch(tt.places, at)
				if got := table.find(at); got != want {
					t.Errorf("%s: find(%#x) = %d, want %d", tt.name, at, got, want)
				}
			}
		}
		if got := table.member(len(tt.points)); got != tt.members[0] {
			t.Errorf("%s: the circle closes at member %d, want %d", tt.name, got, tt.members[0])
		}
	}
}

// TestLongestBucket bounds how far a look-up may have to scan.
func TestLongestBucket(t *testing.T) {
	for _, names := range namings {
		for _, n := range []int{1, 3, 10, 51, 100} {
			start := New(names.ids(n, 0)).table.start
			longest := uint32(0)
			for b := range len(start) - 1 {
				longest = max(longest, start[b+1]-start[b])
			}
			if longest > 12 {
				t.Errorf("%d members named by %s: a bucket of %d points", n, names.name, longest)
			}
		}
	}
}
