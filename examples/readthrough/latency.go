package main

import (
	"slices"
	"time"
)

// kind says how a look-up was answered.
type kind int

const (
	ownHit  kind = iota // from memory, the key is owned by the member that was asked
	peerHit             // from memory, the key is owned by a peer: a hot copy here or the owner's
	waited              // the row was read from the database while the look-up waited
	kinds
)

func (k kind) String() string {
	return [...]string{"from memory, key owned here", "from memory, key of a peer", "row read from the database"}[k]
}

func (l lookup) kind() kind {
	switch {
	case l.loaded:
		return waited
	case l.loadedBy == l.answered:
		return ownHit
	}
	return peerHit
}

// samples are all measured times of one kind of look-up.
type samples struct {
	get   []time.Duration // of Get, inside the member
	total []time.Duration // of the whole HTTP request
}

// quantile returns the smallest measured time that at least a share q of all do
// not exceed (the nearest-rank method), and 0 if there are none. times must be
// sorted.
func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	rank := int(q * float64(len(times)))
	if float64(rank) < q*float64(len(times)) {
		rank++
	}
	return times[max(rank, 1)-1]
}

func (s *samples) add(o samples) {
	s.get = append(s.get, o.get...)
	s.total = append(s.total, o.total...)
}

func (s *samples) sort() {
	slices.Sort(s.get)
	slices.Sort(s.total)
}
