package memnet

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"
)

// conditions are what a link does to traffic while it is up.
type conditions struct {
	min, max time.Duration // latency
	loss     float64       // of packets, from 0 to 1
}

// latency draws one.
func (c conditions) latency(rng *rand.Rand) time.Duration {
	if c.max > c.min {
		return c.min + time.Duration(rng.Int64N(int64(c.max-c.min)+1))
	}
	return c.min
}

// A link is the way from one host to another. It outlives the hosts: it belongs
// to their names. Its fields are guarded by Network.mu.
type link struct {
	conditions
	packets *rand.Rand // fate of packets
	streams *rand.Rand // seeds of the streams' own generators
}

func newLink(seed uint64, from, to string) *link {
	h := fnv.New64a()
	io.WriteString(h, from+"\x00"+to)
	sum := h.Sum64()
	return &link{
		packets: rand.New(rand.NewPCG(seed, sum)),
		streams: rand.New(rand.NewPCG(^seed, sum)),
	}
}

// newStream returns the generator of one direction of a new stream.
func (l *link) newStream() *rand.Rand {
	return rand.New(rand.NewPCG(l.streams.Uint64(), l.streams.Uint64()))
}
