package store

// scanChunk is how many entries a scan copies at a time under the lock.
const scanChunk = 256

// after returns the first hash of the bucket that follows the one of hash, and
// false if there is none.
func (t *table) after(hash uint64) (uint64, bool) {
	next := (hash>>t.shift + 1) << t.shift
	return next, next != 0
}

// Range calls f for the live entries until it returns false. f runs under no lock
// and may call the store. Entries that are set, replaced or removed meanwhile may
// be missed or met, and an entry may be met twice; all others are met.
func (s *Store) Range(now int64, f func(hash uint64, e *Entry) bool) {
	s.scan(func(chunk []*Entry) bool {
		for _, e := range chunk {
			if !e.expired(now) && !f(e.hash, e) {
				return false
			}
		}
		return true
	})
}

// DeleteIf removes every entry for which f returns true among those whose Set
// returned before DeleteIf was called. It is final when it returns. f runs under
// no lock, must not depend on when it runs, and may be asked about entries that
// are set meanwhile, about expired ones, and twice about one that stays.
func (s *Store) DeleteIf(f func(hash uint64, e *Entry) bool) {
	s.scan(func(chunk []*Entry) bool {
		matching := chunk[:0]
		for _, e := range chunk {
			if f(e.hash, e) {
				matching = append(matching, e)
			}
		}
		s.deleteAll(matching)
		return true
	})
}

func (s *Store) deleteAll(es []*Entry) {
	s.mu.Lock()
	for _, e := range es {
		if s.unlinkLocked(e) {
			s.discardLocked(e)
		}
	}
	full := s.deadFullLocked()
	s.mu.Unlock()
	if full {
		s.bury()
	}
}

// scan passes all linked entries to visit, in chunks, until it returns false. It
// holds mu for one chunk at a time, and goes through each shard in the order of
// the hash, so that a table that is replaced meanwhile does not matter.
func (s *Store) scan(visit func(chunk []*Entry) bool) {
	chunk := make([]*Entry, 0, scanChunk)
	for i := range s.shards {
		for from, more := uint64(0), true; more; {
			s.mu.Lock()
			t := s.shards[i].Load()
			for more && len(chunk) < scanChunk {
				for e := t.bucket(from).Load(); e != nil; e = e.next.Load() {
					chunk = append(chunk, e)
				}
				from, more = t.after(from)
			}
			s.mu.Unlock()
			if !visit(chunk) {
				return
			}
			clear(chunk[:cap(chunk)])
			chunk = chunk[:0]
		}
	}
}
