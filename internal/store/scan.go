package store

// scanChunk is how many entries a scan copies at a time under the lock.
const scanChunk = 256

// Range calls f for the live entries until it returns false. f runs under no lock
// and may call the store. Entries that are set, replaced or removed meanwhile may
// be missed or met, and an entry may be met twice; all others are met.
func (s *held) Range(now int64, f func(hash uint64, e *Entry) bool) {
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
	var gone departures
	s.mu.Lock()
	for _, e := range es {
		if s.unlinkLocked(e) {
			s.discardLocked(e)
			s.tookLocked(e, Swept, &gone)
		}
	}
	full := s.deadFullLocked()
	s.mu.Unlock()
	if full {
		s.bury()
	}
	s.report(gone)
}

// scan passes all linked entries to visit, in chunks, until it returns false. It
// holds mu for one chunk at a time, and goes through each shard in the order of
// the hash, so that a table that is replaced meanwhile does not matter.
func (s *held) scan(visit func(chunk []*Entry) bool) {
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

// PeekHash is Peek for whichever key has the hash, where at most one has.
func (s *held) PeekHash(hash uint64, now int64) *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, bucket := s.chain(hash)
	for e := bucket.Load(); e != nil; e = e.next.Load() {
		if e.hash == hash {
			if e.expired(now) {
				return nil
			}
			return e
		}
	}
	return nil
}

// A Place is where a walk through the entries stands. The zero value is its begin.
type Place struct {
	Shard uint64
	From  uint64 // scattered hash
}

// Walk calls f for some hundred live entries from a place on, and returns where to go on;
// more says that there may be others. Over a whole walk it meets the entries that Range does.
func (s *held) Walk(at Place, now int64, f func(hash uint64, e *Entry)) (next Place, more bool) {
	var chunk []*Entry
	s.mu.Lock()
	for at.Shard < uint64(len(s.shards)) && len(chunk) < scanChunk {
		t := s.shards[at.Shard].Load()
		for e := t.bucket(at.From).Load(); e != nil; e = e.next.Load() {
			chunk = append(chunk, e)
		}
		if from, inShard := t.after(at.From); inShard {
			at.From = from
		} else {
			at = Place{Shard: at.Shard + 1}
		}
	}
	more = at.Shard < uint64(len(s.shards))
	s.mu.Unlock()
	for _, e := range chunk {
		if !e.expired(now) {
			f(e.hash, e)
		}
	}
	return at, more
}

// Twins appends to dst the live entries of a hash, maxTwins at most. It is no use of them.
func (s *held) Twins(hash uint64, now int64, dst []*Entry) []*Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, bucket := s.chain(hash)
	for e := bucket.Load(); e != nil; e = e.next.Load() {
		if e.hash == hash && !e.expired(now) {
			dst = append(dst, e)
		}
	}
	return dst
}
