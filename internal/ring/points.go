package ring

import (
	"math"
	"math/bits"
	"slices"
)

// pointsPerMember is chosen by measurement (BenchmarkPointsPerMember). A member's share varies by about
// 1/sqrt(points) around the mean, here 2 %, so 10 % is five
// standard deviations: even the busiest of 100 stays within it, whatever the names. With 1024, one ring of 100 in nine did not.
// It is part of the protocol, as the hash is.
const pointsPerMember = 2560

// golden is the increment of SplitMix64: 2^64 divided by the golden ratio, odd.
const golden uint64 = 0x9e3779b97f4a7c15

// appendPoints appends the n points of a member: the SplitMix64 stream that starts at the hash of its id.
// The id is hashed whole, length included, before the index comes in, so that "a" with index 11 is not "a1" with
// index 1, and no point of a member depends on any other member.
func appendPoints(dst []uint64, id string, n int) []uint64 {
	state := hashString(memberDomain, id)
	for range n {
		state += golden
		dst = append(dst, mix(state))
	}
	return dst
}

// table holds the points of a ring in order, for look-ups that cost two memory accesses.
//
// The circle of 2^64 places is cut into 2^bits equal buckets by the top bits of the place. All points in a bucket share
// these bits, so a packed point leaves them out and has room for its member instead: the rest of the place on
// top, the member's index in the low bits. Packed points of one bucket compare as (place, member), so equal
// places are ordered by member, whatever the order they came in.
type table struct {
	packed []uint64 // by place; one more at the end repeats the first, where the circle closes
	start  []uint32 // start[b] is the index of the first packed point in bucket b or after it; 2^bits + 1 long
	bits   uint8    // 1 to 32; at least enough for a member's index

	// arcs says who owns a piece of the circle: one more than the member's index, 0 if it is not one member's alone.
	// Most look-ups end there, with one memory access and a branch that the CPU foresees. Nil for large rings.
	arcs    []uint8
	arcBits uint8 // the circle is cut into 2^arcBits pieces
}

const (
	arcsPerBucket = 3  // as a power of two: eight pieces a point leave one look-up in twelve to the points
	maxArcBits    = 18 // 256 KiB; beyond, a look-up waits for memory either way
)

// makeTable orders points, where points[i] belongs to member i/perMember. It takes time linear in their number: a
// counting sort by bucket, then insertion within the buckets, which hold one point on average or less.
// There must be at least one point and fewer than 2^31. It does not keep or change points.
func makeTable(points []uint64, perMember int) table {
	t := table{bits: uint8(max(1, bits.Len(uint(len(points)-1))))}
	t.start = make([]uint32, 1<<t.bits+1)
	shift := 64 - t.bits
	for _, p := range points {
		t.start[p>>shift]++
	}
	var sum uint32
	for b, count := range t.start {
		sum += count
		t.start[b] = sum // the end of bucket b, which filling it from behind moves to its start
	}
	t.packed = make([]uint64, len(points)+1)
	for i, p := range points {
		b := p >> shift
		t.start[b]--
		t.packed[t.start[b]] = p<<t.bits | uint64(i/perMember)
	}
	for b := range len(t.start) - 1 {
		if bucket := t.packed[t.start[b]:t.start[b+1]]; len(bucket) > 1 {
			slices.Sort(bucket)
		}
	}
	t.packed[len(points)] = t.packed[0]
	if members := len(points) / perMember; members < math.MaxUint8 && t.bits+arcsPerBucket <= maxArcBits {
		t.cutArcs()
	}
	return t
}

// cutArcs fills in arcs.
func (t *table) cutArcs() {
	t.arcBits = t.bits + arcsPerBucket
	arcs := make([]uint8, 1<<t.arcBits)
	width := uint64(1) << (64 - t.arcBits)
	for a := range arcs {
		first := uint64(a) * width
		i, end := t.find(first), t.find(first+(width-1))
		owner := t.member(i)
		for i < end && t.member(i+1) == owner {
			i++
		}
		if i == end {
			arcs[a] = uint8(owner + 1)
		}
	}
	t.arcs = arcs
}

// owner returns the index of the member that owns a place.
func (t *table) owner(place uint64) int {
	if len(t.arcs) > 0 {
		if m := t.arcs[place>>((64-t.arcBits)&63)]; m > 0 {
			return int(m) - 1
		}
	}
	return t.member(t.find(place))
}

// find returns the index in packed of the first point at or after place.
func (t *table) find(place uint64) int {
	b := place >> ((64 - t.bits) & 63) // the masks spare the compiler a check for shifts past 63
	rest := place << (t.bits & 63)
	i, end := t.start[b], t.start[b+1]
	for i < end && t.packed[i] < rest {
		i++
	}
	return int(i)
}

// member returns the index of the member that the packed point at i belongs to.
func (t *table) member(i int) int {
	return int(t.packed[i] & (1<<(t.bits&63) - 1))
}
