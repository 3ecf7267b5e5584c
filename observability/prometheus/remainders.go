package prometheus

import "github.com/praveenduddu/cachemesh"

// remainders are what is left of a total that is counted when something begins, less what is
// counted when it ends in another way. What is under way may pass for one until then; since a
// counter must not fall, each stays at the most that it was until it has grown beyond that.
type remainders struct {
	misses   uint64 // Gets that no memory answered
	loaded   uint64 // calls of the loader that did not fail
	answered uint64 // calls to peers that did not fail
}

// remainders returns those of each group. Groups that are not among them are forgotten.
func (c *Collector) remainders(groups []cachemesh.AnyGroup, stats []cachemesh.Stats) []remainders {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, now := make([]remainders, len(groups)), make(map[cachemesh.AnyGroup]remainders, len(groups))
	for i, g := range groups {
		s, r := &stats[i], c.last[g]
		r.misses = max(r.misses, less(s.Gets, s.OwnHits+s.HotHits+s.PeerHits))
		r.loaded = max(r.loaded, less(s.LoadLatency.Count(), s.LoadErrors))
		r.answered = max(r.answered, less(s.PeerLatency.Count(), s.PeerErrors))
		all[i], now[g] = r, r
	}
	c.last = now
	return all
}

// less returns a-b, or 0 if that is less: the two were not read at one time.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
