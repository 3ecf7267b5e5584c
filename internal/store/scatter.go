package store

import (
	"math/bits"
	"math/rand/v2"
)

// A Scatter spreads hashes over the places of a table in a way that differs from
// process to process. The hash of a key is the same everywhere and is no secret:
// whoever chooses keys can choose some of its bits, and so could have all of them in
// one place. Make one with NewScatter; it is read-only then.
type Scatter struct{ before, factor uint64 }

// NewScatter makes a Scatter from the system's randomness.
func NewScatter() Scatter { return Scatter{rand.Uint64(), rand.Uint64() | 1} }

// Of returns the bits by which to place a hash: both halves of the product with a
// secret, multiplied with each other and folded, as wyhash64 does (Wang Yi, 2019). One
// product would be too little: of hashes that are a fixed step apart it makes places that
// are a fixed step apart too, and one secret in thirty puts those into few shards. Equal
// hashes stay equal, and different ones can become equal, so it does not tell keys apart.
func (s Scatter) Of(hash uint64) uint64 {
	hi, lo := bits.Mul64(hash^s.before, s.factor)
	hi, lo = bits.Mul64(hi^s.before, lo^s.factor)
	return hi ^ lo
}

// unique is Of for whoever tells keys apart by what it returns: different hashes
// stay different.
func (s Scatter) unique(hash uint64) uint64 {
	h := (hash ^ s.before) * s.factor
	h = (h ^ h>>32) * s.factor
	return h ^ h>>32
}
