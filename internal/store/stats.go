package store

// Stats is a snapshot of a store. Rejected, Expired and Collided are entries that
// were given up, as is Evicted, which counts all those that had to go for others:
// it includes Rejected and Collided.
type Stats struct {
	Entries     int    // that a Get could find, and expired ones not yet come across
	Bytes       int64  // as Store.Bytes
	Unmade      int64  // the part of Bytes that is set aside for tables and not allocated yet
	WindowBytes int64  // the part of Bytes that is in the window
	Evicted     uint64 // for want of room or for a collision
	Rejected    uint64 // of these, on leaving the window
	Collided    uint64 // of these, for another key with the same hash
	Expired     uint64
}

// Stats returns figures that belong to one moment.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	unmade := int64(0)
	for i := range s.shards {
		if s.shards[i].Load() == emptyTable {
			unmade += s.perTable
		}
	}
	return Stats{
		Entries: s.entries, Bytes: s.bytesLocked(), Unmade: unmade, WindowBytes: s.windowUsed,
		Evicted:  c[Capacity] + c[Rejected] + c[Collision],
		Rejected: c[Rejected], Collided: c[Collision], Expired: c[Expired],
	}
}

// Len is the number of entries, expired ones that nobody came across included.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries
}

// Bytes is what the store takes: the sizes of its entries, those that were
// replaced or deleted and that ristretto has not dropped yet, and the bookkeeping.
// It is never more than Options.MaxBytes.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytesLocked()
}
