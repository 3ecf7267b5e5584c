package store

// Get returns the entry of the key, or nil if it is missing or expired, and
// counts as a use of the key. hash must be a well mixed 64-bit hash of the key
// and now the reading of the monotonic clock that Expires refers to, in
// nanoseconds. The key may alias a buffer of the caller. The entry is shared and
// read-only. Get allocates nothing, and a hit takes no lock.
func (s *Store) Get(hash uint64, key string, now int64) *Entry {
	e := s.find(hash, key)
	if e == nil || e.expired(now) {
		s.missed(hash, e)
		return nil
	}
	if h, epoch := e.heat.Load(), s.epoch.Load(); h^epoch > heatMask || h&heatMask < heatEnd {
		s.warm(e, h, epoch)
	}
	return e
}

// find returns the linked entry of the key, or nil. It takes mu only where the
// chain changed under its feet.
func (s *Store) find(hash uint64, key string) *Entry {
	t, bucket := s.chain(hash)
	var last *Entry
	for e := bucket.Load(); e != nil; e = e.next.Load() {
		if e.hash == hash && e.Key == key && e != severed {
			return e
		}
		last = e
	}
	if last != severed && !t.retired.Load() {
		return nil
	}
	return s.findAgain(hash, key)
}

// findAgain is find where the chain changed under a reader's feet.
func (s *Store) findAgain(hash uint64, key string) *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, e := s.findLocked(hash, key)
	return e
}

// missed counts a use of a key that has no entry, or an expired one.
func (s *Store) missed(hash uint64, expired *Entry) {
	if expired != nil {
		s.dropExpired(expired)
	}
	s.record(hash)
}

// Peek is Get without counting as a use: for a second look within one request.
func (s *Store) Peek(hash uint64, key string, now int64) *Entry {
	e := s.find(hash, key)
	if e == nil || e.expired(now) {
		return nil
	}
	return e
}
