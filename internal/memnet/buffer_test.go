package memnet

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// FuzzBuffer compares a buffer with a slice under random writes and reads.
func FuzzBuffer(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var b buffer
		var want []byte
		scratch := make([]byte, bufferMax)
		for range 200 {
			size := rng.IntN(1 << rng.IntN(18))
			if rng.IntN(2) == 0 {
				p := scratch[:min(size, b.space())]
				for i := range p {
					p[i] = byte(rng.Uint32())
				}
				b.write(p)
				want = append(want, p...)
			} else {
				limit := rng.IntN(b.size + 1)
				n := b.read(scratch[:size], limit)
				if n != min(size, limit) || !bytes.Equal(scratch[:n], want[:n]) {
					t.Fatalf("read(%d, limit %d) of %d bytes = %d bytes, or wrong ones", size, limit, len(want), n)
				}
				want = want[n:]
			}
			if b.size != len(want) || len(b.data) > bufferMax {
				t.Fatalf("size %d, want %d; %d bytes are allocated", b.size, len(want), len(b.data))
			}
		}
	})
}
