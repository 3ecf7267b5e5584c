package ring

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestHashGolden pins the protocol. The values were computed by a separate implementation, written from the
// XXH64 specification in another language. If this fails, do not update the values: the hash has been broken.
func TestHashGolden(t *testing.T) {
	const long = "tenant/7/region/eu-central-1/catalogue/products/by-id/00000042"
	for _, tt := range []struct {
		group, key string
		seed, hash uint64
	}{
		{"", "", 0x977072f874faaf22, 0x42d847a354d66b70},
		{"", "a", 0x977072f874faaf22, 0xb2935c03c8ed01a2},
		{"users", "", 0x4ad2d6eee298328a, 0xaf4c21242cfe8167},
		{"users", "user:1", 0x4ad2d6eee298328a, 0x6f9f02d4b08e7f28},
		{"users", "user:2", 0x4ad2d6eee298328a, 0xdf20bac0c5a901e0},
		{"users", "0123456789abcdef", 0x4ad2d6eee298328a, 0xc79e0887bc18e93e},
		{"users", long, 0x4ad2d6eee298328a, 0x307ed4ff8bc931d0},
		{"ab", "c", 0x2270be0073c9f5a5, 0xcbfff80162d881c1},
		{"a", "bc", 0x24d0edfcff8cf234, 0x316942dd4509d0c9},
		{"größe", "\x00\xff\x80\xfe", 0x9f0356b09af5dbcc, 0x50280cf33daca528},
	} {
		if got := Seed(tt.group); got != tt.seed {
			t.Errorf("Seed(%q) = %#016x, want %#016x", tt.group, got, tt.seed)
		}
		if got := Hash(Seed(tt.group), tt.key); got != tt.hash {
			t.Errorf("Hash(Seed(%q), %q) = %#016x, want %#016x", tt.group, tt.key, got, tt.hash)
		}
	}
}

// TestHashIsDelimited moves the border between group and key, and pads both: no two pairs may meet.
func TestHashIsDelimited(t *testing.T) {
	seen := make(map[uint64]string)
	for _, text := range []string{"users:1/2", strings.Repeat("a", 70), strings.Repeat("\x00", 70)} {
		for cut := range len(text) + 1 {
			for end := cut; end <= len(text); end++ {
				group, key := text[:cut], text[cut:end]
				pair := fmt.Sprintf("%q %q", group, key)
				h := Hash(Seed(group), key)
				if other, ok := seen[h]; ok && other != pair {
					t.Fatalf("%s and %s have the same hash", pair, other)
				}
				seen[h] = pair
			}
		}
	}
}

// TestHashMixesEveryBit flips each bit of keys and counts, for each bit of the hash, how often it flips too. It should
// be half of the time; 4000 flips allow for 6 standard deviations of chance, over all 8192 pairs of bits.
func TestHashMixesEveryBit(t *testing.T) {
	const samples = 4000
	limit := 6 * math.Sqrt(samples) / 2
	rng := rand.New(rand.NewPCG(3, 3))
	seed := Seed("users")
	for bit := range 128 {
		var flips [64]int
		for range samples {
			key := binaryKey(rng.Uint64(), rng.Uint64())
			before := Hash(seed, string(key))
			key[bit/8] ^= 1 << (bit % 8)
			for d := before ^ Hash(seed, string(key)); d != 0; d &= d - 1 {
				flips[bits.TrailingZeros64(d)]++
			}
		}
		for out, n := range flips {
			if math.Abs(float64(n)-samples/2) > limit {
				t.Errorf("key bit %d flips hash bit %d in %d of %d", bit, out, n, samples)
			}
		}
	}
}

// TestHashFillsShards checks what the store relies on: the keys of one member, taken by the low bits of the hash or by
// the bits above those, fall evenly into shards, though its arcs fix the high bits.
func TestHashFillsShards(t *testing.T) {
	const members, shards, keys = 10, 64, 640_000
	r := New(hostPorts(members))
	for _, kind := range keyKinds {
		rng := rand.New(rand.NewPCG(4, 4))
		var low, middle [shards]float64
		for i := range keys {
			if h := Hash(Seed("users"), kind.key(i, rng)); r.Owner(h) == 0 {
				low[h%shards]++
				middle[h>>32%shards]++
			}
		}
		for name, counts := range map[string][]float64{"low": low[:], "middle": middle[:]} {
			// About 1000 keys a shard: 3.2 % is one standard deviation.
			if busiest, idlest := spread(counts); busiest > 1.16 || idlest < 0.84 {
				t.Errorf("%s keys, %s bits: busiest shard %.3f, idlest %.3f of the mean", kind.name, name, busiest, idlest)
			}
		}
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	long := strings.Repeat("k", 300)
	n := testing.AllocsPerRun(100, func() { sink = int(Hash(Seed(long), long)) })
	if n != 0 {
		t.Errorf("Seed and Hash allocate %v times", n)
	}
}
