package store

// How many buckets of the index a call looks through for expired entries. While a
// quarter of the entries it meets are expired, a move goes on to sweepAtMost, so
// that many that expire together go soon, and yet no call stalls.
const (
	sweepPerSet  = 2
	sweepPerMove = 64
	sweepAtMost  = 512
)

// sweepLocked unlinks expired entries in at least the given number of buckets.
func (s *held) sweepLocked(now int64, buckets int, gone *departures) {
	if s.mortal == 0 || s.closed {
		return
	}
	most := buckets
	if buckets >= sweepPerMove {
		most = sweepAtMost
	}
	var met, found int
	for n := 0; n < buckets || n < most && found*4 > met; n++ {
		t := s.shards[s.hand.shard].Load()
		for e := t.bucket(s.hand.from).Load(); e != nil; {
			next := e.next.Load()
			met++
			if e.expired(now) {
				found++
				s.giveUpLocked(e, Expired, gone)
				if s.shards[s.hand.shard].Load() != t {
					break // the shard shrank: the rest of the bucket has to wait for the next round
				}
			}
			e = next
		}
		s.stepLocked(&s.hand)
	}
}

// dropExpired unlinks e, which a Get found expired, unless that had to wait.
func (s *Store) dropExpired(e *Entry) {
	if !s.mu.TryLock() {
		return
	}
	var gone departures
	if len(s.dead) < deadBatch {
		s.giveUpLocked(e, Expired, &gone)
	}
	s.mu.Unlock()
	s.report(gone)
}
