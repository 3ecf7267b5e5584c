package dashboard

import "github.com/praveenduddu/cachemesh"

// counts are what is drawn over time.
type counts struct{ own, copied, peer, miss, loads, errors uint32 }

func countsOf(s *cachemesh.Stats) counts {
	return counts{own: uint32(s.OwnHits), copied: uint32(s.HotHits), peer: uint32(s.PeerHits),
		miss:  uint32(s.Gets - s.OwnHits - s.HotHits - s.PeerHits),
		loads: uint32(s.LoadLatency.Count()), errors: uint32(s.LoadErrors)}
}

// minus returns what was counted since. Counters of 32 bits wrap, differences do not mind; one
// that fell, as a Get that was under way turned out to be a hit, has no difference.
func (c counts) minus(b counts) counts {
	return counts{step(c.own, b.own), step(c.copied, b.copied), step(c.peer, b.peer), step(c.miss, b.miss),
		step(c.loads, b.loads), step(c.errors, b.errors)}
}

func step(now, before uint32) uint32 {
	if d := now - before; d < 1<<31 {
		return d
	}
	return 0
}

func (c counts) plus(b counts) counts {
	return counts{c.own + b.own, c.copied + b.copied, c.peer + b.peer, c.miss + b.miss, c.loads + b.loads, c.errors + b.errors}
}

// gets returns all Gets.
func (c counts) gets() uint32 { return c.own + c.copied + c.peer + c.miss }

// series are the counts of the last looks.
type series struct {
	ring []counts // at most history
	next int      // where the next goes, once the ring is full
}

func (s *series) add(c counts) {
	if len(s.ring) < history {
		s.ring = append(s.ring, c)
		return
	}
	s.ring[s.next] = c
	s.next = (s.next + 1) % history
}

// all returns a copy, oldest first.
func (s *series) all() []counts {
	return append(append(make([]counts, 0, len(s.ring)), s.ring[s.next:]...), s.ring[:s.next]...)
}

// sumOf returns the sum of the last n looks, and how many there were of them.
func sumOf(all []counts, n int) (sum counts, looks int) {
	for _, c := range all[max(0, len(all)-n):] {
		sum = sum.plus(c)
		looks++
	}
	return sum, looks
}
