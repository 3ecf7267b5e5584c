package httppool

import "sync/atomic"

// When answers are large on average: see spread.go.
const (
	bulkyFrom  = 1024 // mean bytes of an answer from which a connection is bulky
	bulkyUntil = 512  // below, it is not any more
	meanOf     = 8    // answers, about, that make up the mean
)

// incoming is what the reading goroutine of a connection has.
type incoming struct {
	rd    *frameReader
	woken int         // calls answered since it last ran out of bytes
	mean  int         // of the sizes of answers
	bulky atomic.Bool // answers are large on average; read by all
}

// weigh notes the size of an answer. Only the reading goroutine calls it.
func (in *incoming) weigh(size int) {
	in.mean += (size - in.mean) / meanOf
	if bulky := in.bulky.Load(); !bulky && in.mean >= bulkyFrom || bulky && in.mean < bulkyUntil {
		in.bulky.Store(!bulky)
	}
}
