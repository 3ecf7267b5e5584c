package store

import "testing"

func TestSketchCounts(t *testing.T) {
	const n = 500
	_, hashes := testKeys(2 * n)
	c := newSketch(512)
	for i, hash := range hashes[:n] {
		for range i % 20 {
			c.add(hash, 1, 1<<20) // so many entries that nothing is halved
		}
	}
	tooHigh, unknown := 0, 0
	for i, hash := range hashes[:n] {
		got, want := c.uses(hash), min(i%20, counterMax)
		if got < want {
			t.Errorf("key %d: %d uses, want %d", i, got, want)
		}
		if got > want {
			tooHigh++
		}
	}
	for _, hash := range hashes[n:] {
		if c.uses(hash) != 0 {
			unknown++
		}
	}
	if tooHigh > n/20 || unknown > n/20 {
		t.Errorf("of %d keys each, %d have too high a count, and %d one that were never used", n, tooHigh, unknown)
	}
}

// TestSketchSpreads counts keys whose hashes differ in few bits, as those of one
// shard and one block do.
func TestSketchSpreads(t *testing.T) {
	c := newSketch(blockWords)
	places := map[[4]uint64]bool{}
	for i := range uint64(200) {
		var place [4]uint64
		for j := range 4 {
			word, at := c.counter(i<<12|7, j)
			for w := range c.words {
				if word == &c.words[w] {
					place[j] = uint64(w)<<8 | uint64(at)
				}
			}
			if place[j]>>9 != uint64(j) {
				t.Fatalf("counter %d is in word %d", j, place[j]>>8)
			}
		}
		places[place] = true
	}
	if len(places) < 195 {
		t.Errorf("200 keys have %d different sets of counters", len(places))
	}
}

func TestSketchHalves(t *testing.T) {
	const entries = 20
	c := newSketch(64)
	hash := hashOf("k")
	c.add(hash, 100, entries)
	if c.uses(hash) != counterMax {
		t.Fatalf("%d uses", c.uses(hash))
	}
	for uses := 100; uses < sampleUses*entries-1; uses++ {
		c.add(hash, 1, entries)
	}
	if c.uses(hash) != counterMax || c.added != sampleUses*entries-1 {
		t.Errorf("%d uses, %d added: halved too early", c.uses(hash), c.added)
	}
	c.add(hash, 1, entries)
	if c.uses(hash) != counterMax/2 || c.added != sampleUses*entries/2 {
		t.Errorf("%d uses, %d added after the sample was full", c.uses(hash), c.added)
	}
}

func TestSketchIsResized(t *testing.T) {
	_, hashes := testKeys(400)
	c := newSketch(256)
	for i, hash := range hashes {
		c.add(hash, i%16, 1<<20)
	}
	larger := c.resized(512)
	smaller := larger.resized(256)
	for _, hash := range hashes {
		if got, want := larger.uses(hash), c.uses(hash); got != want {
			t.Fatalf("twice the size: %d uses, want %d", got, want)
		}
		// The mean of two equal blocks, each rounded down.
		if got, want := smaller.uses(hash), c.uses(hash)/2*2; got != want {
			t.Fatalf("and half of it: %d uses, want %d", got, want)
		}
	}
	if larger.added != c.added || smaller.added != c.added/2 {
		t.Errorf("%d uses added, then %d, then %d", c.added, larger.added, smaller.added)
	}
}
