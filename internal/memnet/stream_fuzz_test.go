package memnet

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzStreamUnderFaults: whatever is done to the network while a stream is
// written, what arrives is a beginning of what was sent; all of it and then EOF,
// unless a host was killed.
func FuzzStreamUnderFaults(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) { streamUnderFaults(t, seed) })
	})
}

func streamUnderFaults(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	n := New(seed)
	n.SetLatency(0, time.Duration(rng.IntN(3))*time.Millisecond)
	near, far := pair(t, n)
	sent := make([]byte, rng.IntN(2*bufferMax))
	for i := range sent {
		sent[i] = byte(rng.Uint32())
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(seed, 1))
		for rest := sent; len(rest) > 0; {
			k, err := near.Write(rest[:min(len(rest), 1+rng.IntN(bufferMax))])
			if rest = rest[k:]; err != nil {
				return
			}
			time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
		}
		near.Close()
	})
	var got []byte
	var end error
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(seed, 2))
		buf := make([]byte, bufferMax)
		for end == nil {
			var k int
			k, end = far.Read(buf[:1+rng.IntN(len(buf))])
			got = append(got, buf[:k]...)
		}
	})
	killed := inflict(n, rng)
	n.Resume("a")
	n.Resume("b")
	n.Heal()
	wg.Wait()
	if !bytes.HasPrefix(sent, got) {
		t.Fatalf("what arrived is not what was sent")
	}
	if !killed && (end != io.EOF || len(got) != len(sent)) {
		t.Fatalf("%d of %d bytes arrived, then %v", len(got), len(sent), end)
	}
	if killed && end == nil {
		t.Fatal("a stream of a killed host did not end")
	}
	near.Close()
	far.Close()
}

// inflict applies faults for a while. It reports whether it killed a host.
func inflict(n *Network, rng *rand.Rand) (killed bool) {
	hosts := []string{"a", "b"}
	for range rng.IntN(12) {
		i := rng.IntN(2)
		switch rng.IntN(8) {
		case 0, 1:
			n.Cut(hosts[i], hosts[1-i])
		case 2, 3:
			n.Heal()
		case 4:
			n.Pause(hosts[i])
		case 5:
			n.Resume(hosts[i])
		case 6:
			n.SetLatency(0, time.Duration(rng.IntN(5))*time.Millisecond)
		case 7:
			if rng.IntN(8) == 0 {
				n.Kill(hosts[i])
				killed = true
			}
		}
		time.Sleep(time.Duration(rng.IntN(6)) * time.Millisecond)
	}
	return killed
}
