package store

import "math"

// A Version names one value that a key has had: no other value of the key has it. The
// zero Version names none.
type Version struct {
	Clock   uint64 // of a hybrid clock: greater than all that the giver gave or saw
	Primary uint32 // in which it was given
	Run     uint32 // of the giver: two members whose clocks say the same are told apart
}

// After reports whether a value was written after another: by a later primary, or by the
// same one and a later clock. So what a majority wrote counts more than what a minority,
// or an owner that was cut off, wrote meanwhile, whatever their clocks.
func (v Version) After(w Version) bool {
	switch {
	case v.Primary != w.Primary:
		return v.Primary > w.Primary
	case v.Clock != w.Clock:
		return v.Clock > w.Clock
	}
	return v.Run > w.Run
}

// An Extra is a number of bytes, rounded up to sixteens, in half the room.
type Extra uint32

// ExtraOf returns as many bytes; what is beyond 64 GiB counts as more than anybody has.
func ExtraOf(bytes int64) Extra {
	if bytes > math.MaxUint32<<4-16 {
		return math.MaxUint32
	}
	return Extra((max(bytes, 0) + 15) >> 4)
}

// Bytes returns how many they are.
func (x Extra) Bytes() int64 {
	if x == math.MaxUint32 {
		return math.MaxInt64
	}
	return int64(x) << 4
}
