package store_test

import (
	"context"
	"encoding/binary"
	"math/bits"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/ring"
)

// The primes of XXH64.
const (
	prime1 uint64 = 11400714785074694791
	prime2 uint64 = 14029467366897019727
	prime3 uint64 = 1609587929392839161
	prime4 uint64 = 9650029242287828579
	prime5 uint64 = 2870177450012600261
)

// inverse is that of an odd number, modulo 2^64.
func inverse(n uint64) uint64 {
	x := n
	for range 6 {
		x *= 2 - n*x
	}
	return x
}

func unshift(h uint64, by int) uint64 {
	out := h
	for range 64 / by {
		out = h ^ out>>by
	}
	return out
}

// keyWithHash returns the key of 8 bytes with this hash in a group: what XXH64 and
// the ring's mixing do to 8 bytes can be undone.
func keyWithHash(group string, hash uint64) string {
	h := unshift(hash, 31) * inverse(0x94d049bb133111eb)
	h = unshift(h, 27) * inverse(0xbf58476d1ce4e5b9)
	h = unshift(h, 30) ^ ring.Seed(group)
	h = unshift(h, 32) * inverse(prime3)
	h = unshift(h, 29) * inverse(prime2)
	h = unshift(h, 33)
	h = bits.RotateLeft64((h-prime4)*inverse(prime1), -27) ^ (prime5 + 8)
	h = bits.RotateLeft64(h*inverse(prime1), -31) * inverse(prime2)
	return string(binary.LittleEndian.AppendUint64(nil, h))
}

// twinOf returns one of many keys of 64 bytes with one hash: the second block of 32
// bytes takes back what the first did to the state.
func twinOf(i int) string {
	key, one, two := make([]byte, 64), prime1, prime2
	for lane, start := range [4]uint64{one + two, two, 0, -one} {
		first := uint64(i) + 1
		acc := bits.RotateLeft64(start+first*prime2, 31) * prime1
		second := (bits.RotateLeft64(42*inverse(prime1), -31) - acc) * inverse(prime2)
		binary.LittleEndian.PutUint64(key[8*lane:], first)
		binary.LittleEndian.PutUint64(key[32+8*lane:], second)
	}
	return string(key)
}

// TestForgedKeys sets and gets keys that somebody chose for what their hashes have
// in common. They cost what others cost: the figures say so, and what is demanded
// only tells that from a table that has become a list.
func TestForgedKeys(t *testing.T) {
	const n = 20_000
	node, err := cachemesh.New(cachemesh.Options{})
	kit.Must(t, err)
	defer node.Close()
	kit.Must(t, node.Start())
	kinds := map[string]func(i int) string{
		"random": func(i int) string { return keyWithHash("random", uint64(i)*0x9e3779b97f4a7c15) },
		"forged": func(i int) string { return keyWithHash("forged", 0xabcde<<44|uint64(i)<<20|0x12345) },
		"twins":  twinOf,
	}
	sets, hits := map[string]time.Duration{}, map[string]time.Duration{}
	for kind, keyOf := range kinds {
		g, err := cachemesh.NewGroup[string](node, kind, nil, cachemesh.GroupOptions[string]{Replicas: 1})
		kit.Must(t, err)
		keys := make([]string, n)
		for i := range keys {
			keys[i] = keyOf(i)
		}
		checkForged(t, kind, keys)
		sets[kind], hits[kind] = timeKeys(t, g, keys, kind == "twins")
		if s := g.Stats(); kind != "twins" && s.Entries != n || kind == "twins" && (s.Entries > 8 || s.Collided < n-8) {
			t.Errorf("%s: %d entries, %d collided", kind, s.Entries, s.Collided)
		}
	}
	for kind := range kinds {
		t.Logf("%s: a Set takes %v, a hit %v", kind, sets[kind], hits[kind])
		if sets[kind] > 20*sets["random"] || hits[kind] > 20*hits["random"] {
			t.Errorf("%s: much more than random keys", kind)
		}
	}
}

// checkForged checks that the keys have in common what they should.
func checkForged(t *testing.T, kind string, keys []string) {
	for i, key := range keys {
		h := ring.Hash(ring.Seed(kind), key)
		if kind == "forged" && h != 0xabcde<<44|uint64(i)<<20|0x12345 || kind == "twins" && xxhash.Sum64String(key) != xxhash.Sum64String(keys[0]) {
			t.Fatalf("%s: key %d has the hash %x", kind, i, h)
		}
	}
}

// timeKeys returns the least that a Set, and a hit, took.
func timeKeys(t *testing.T, g *cachemesh.Group[string], keys []string, twins bool) (set, hit time.Duration) {
	ctx, live := context.Background(), keys
	if twins {
		live = keys[len(keys)-8:]
	}
	set, hit = time.Hour, time.Hour
	for range 3 {
		start := time.Now()
		for _, key := range keys {
			kit.Must(t, g.Set(ctx, key, "v", 0))
		}
		set = min(set, time.Since(start)/time.Duration(len(keys)))
		start = time.Now()
		for i := range keys {
			if v, err := g.Get(ctx, live[i%len(live)]); err != nil || v != "v" {
				t.Fatalf("Get = %q, %v", v, err)
			}
		}
		hit = min(hit, time.Since(start)/time.Duration(len(keys)))
	}
	return set, hit
}
