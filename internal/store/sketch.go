package store

// sketch estimates how often the keys of a shard were used lately, whether they
// are in the store or not: a count-min sketch (Cormode and Muthukrishnan, 2005)
// of 4-bit counters that are halved from time to time (Einziger, Friedman, Manes,
// "TinyLFU: A Highly Efficient Cache Admission Policy", 2017). As in Caffeine, the
// four counters of a key lie in one block of 64 bytes, so that a look costs one
// miss of the CPU's caches. The store's mu guards it.
//
// Hashes are scattered ones. Blocks are picked by their high bits, like buckets: when a table
// doubles, the counters of a key go on in both halves of what was its block.
type sketch struct {
	words []uint64 // sixteen counters each; as many as the table has buckets
	shift uint8    // 64 − log2(number of blocks)
	added int      // uses, since the counters were last halved
}

const (
	blockWords = 8
	counterMax = 15
	lowBits    = 0x7777777777777777 // all bits of each counter but the highest

	// sampleUses is how many uses, for each entry of the shard, the counters take
	// in until they are halved. Caffeine has 10 and is told of every use; with 16
	// small stores do better, and large ones do not care.
	sampleUses = 16
)

// newSketch makes a sketch for a table with this many buckets, a power of two.
func newSketch(buckets int) *sketch {
	c := &sketch{words: make([]uint64, max(buckets, blockWords)), shift: 64}
	for n := len(c.words) / blockWords; n > 1; n >>= 1 {
		c.shift--
	}
	return c
}

// counter returns the word with the i-th of the four counters of a key, and how
// far the counter is from the word's lowest bit.
func (c *sketch) counter(hash uint64, i int) (word *uint64, at uint8) {
	h := spread(hash) >> (8 * i)
	return &c.words[hash>>c.shift*blockWords+uint64(2*i)+h&1], uint8(h>>1&15) * 4
}

// spread makes bits that depend on all of the hash: its own low ones are equal
// throughout a shard, and its high ones throughout a block.
func spread(hash uint64) uint64 { return hash * 0x9e3779b97f4a7c15 >> 32 }

// uses estimates how often a key was used, up to counterMax. It is seldom too low,
// but for the halving.
func (c *sketch) uses(hash uint64) int {
	least := uint64(counterMax)
	for i := range 4 {
		word, at := c.counter(hash, i)
		least = min(least, *word>>at&counterMax)
	}
	return int(least)
}

// add counts n uses of a key, in a shard of so many entries.
func (c *sketch) add(hash uint64, n, entries int) {
	for i := range 4 {
		word, at := c.counter(hash, i)
		*word += min(uint64(n), counterMax-*word>>at&counterMax) << at
	}
	if c.added += n; c.added >= sampleUses*max(entries, blockWords) {
		c.halve()
	}
}

func (c *sketch) halve() {
	for i, w := range c.words {
		c.words[i] = w >> 1 & lowBits
	}
	c.added /= 2
}

// resized returns the sketch for a table of twice or half the size. Where two
// blocks become one, its counters are the means of theirs.
func (c *sketch) resized(buckets int) *sketch {
	d := newSketch(buckets)
	d.added = c.added
	switch {
	case len(d.words) > len(c.words):
		for i := range d.words {
			d.words[i] = c.words[i/blockWords/2*blockWords+i%blockWords]
		}
	case len(d.words) < len(c.words):
		d.added /= 2
		for i := range d.words {
			j := i/blockWords*2*blockWords + i%blockWords
			d.words[i] = c.words[j]>>1&lowBits + c.words[j+blockWords]>>1&lowBits
		}
	}
	return d
}
