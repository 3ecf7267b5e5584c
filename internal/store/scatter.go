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
// secret, folded, as in wyhash (Wang Yi, 2019). All of them depend on all of the
// hash. Equal hashes stay equal, and different ones can become equal, so it does not
// tell keys apart.
func (s Scatter) Of(hash uint64) uint64 {
	hi, lo := bits.Mul64(hash^s.before, s.factor)
	return hi ^ lo
}

// unique is Of for whoever tells keys apart by what it returns: different hashes
// stay different.
func (s Scatter) unique(hash uint64) uint64 {
	h := (hash ^ s.before) * s.factor
	return h ^ h>>32
}
