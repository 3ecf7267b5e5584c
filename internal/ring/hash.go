package ring

import "github.com/cespare/xxhash/v2"

// The hash of a key and the points of a member are part of the protocol: members that compute them
// differently disagree about owners. Changing a constant or a step below needs a new protocol version.
//
// Both start from XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), which is defined over
// bytes and so does not depend on the machine. The two XXH64 seeds keep a group and a member of the same name apart.
const (
	groupDomain  uint64 = 0x67726f7570000001 // "group", version 1
	memberDomain uint64 = 0x6d656d6265720001 // "member", version 1
)

// Seed returns the seed of a group's hash, to be computed once per group and passed to Hash.
// Any string is a valid group, the empty one included. Safe for concurrent use; does not allocate.
func Seed(group string) uint64 {
	return hashString(groupDomain, group)
}

// Hash returns the 64-bit hash of key in the group that seed was made for. All 64 bits are well mixed. It is the
// same in every process and version, and on every architecture. Safe for concurrent use; does not allocate.
//
// Group and key are hashed apart, so no pair of them runs into another ("ab"+"c" is not "a"+"bc"). Within a group the
// last step is a bijection: keys collide as rarely as under XXH64, but do collide, so whoever stores by
// hash must compare keys. The hash is not secret: whoever chooses keys can choose their owner.
//
// A Ring places by the high bits. To spread the keys of one member over shards, use the low ones.
func Hash(seed uint64, key string) uint64 {
	return mix(xxhash.Sum64String(key) ^ seed)
}

// hashString is XXH64 of s with a seed.
func hashString(seed uint64, s string) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(seed)
	_, _ = d.WriteString(s) // never fails, by contract
	return d.Sum64()
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014, in Stafford's variant 13). It is a bijection in which every input bit flips each output bit with
// probability close to 1/2.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
