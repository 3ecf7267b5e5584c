package store

// moveOn makes one exchange with the keeper: it drops the dead entries and offers
// the oldest of the window, so that size bytes fit into it or a batch is full.
// The offered entries are found by Gets and paid for by the window until it is
// settled what becomes of them. The caller holds moving.
func (s *Store) moveOn(size, now int64, gone *departures) {
	s.choose()
	s.mu.Lock()
	if s.closed || s.clock {
		s.mu.Unlock()
		return
	}
	s.sweepLocked(now, sweepPerMove, gone)
	b := s.batchLocked(size, gone)
	s.mu.Unlock()
	s.exchange(b, gone)
}

// bury drops the dead entries. It must not be called under a lock.
func (s *Store) bury() {
	s.moving.Lock()
	defer s.moving.Unlock()
	s.mu.Lock()
	b := batch{dead: s.takeDeadLocked()}
	s.mu.Unlock()
	s.exchange(b, nil) // that adds nothing, so nothing is given up
}

// exchange carries out a batch and books what became of it. The caller holds
// moving.
func (s *Store) exchange(b batch, gone *departures) {
	if len(b.dead)+len(b.added) == 0 {
		return
	}
	k := s.keeper.Load()
	k.exchange(b.dead, b.added)
	s.mu.Lock()
	s.settleLocked(b, k.refused, k.victims, gone)
	s.mu.Unlock()
	k.refused, k.victims = forget(k.refused), forget(k.victims)
}

// forget empties a slice and keeps its memory for the next batch if it is small.
func forget(es []*Entry) []*Entry {
	if cap(es) > 4*moveBatch {
		return nil
	}
	clear(es)
	return es[:0]
}

// choose starts the keeper, now that it is known how large entries are. If they
// are too small for a keeper to pay, or there can be none, it lets window and main
// area take the whole budget. It does so once. The caller holds moving.
func (s *Store) choose() {
	if s.keeper.Load() != nil {
		return
	}
	s.mu.Lock()
	mean := s.windowUsed / max(int64(s.window.n), 1)
	if mean < s.mean && s.window.n > 0 {
		s.withoutKeeperLocked()
	}
	chosen := s.clock || s.closed
	s.mu.Unlock()
	if chosen {
		return
	}
	k, base, err := newKeeper(s.max-s.base-s.max/windowShare, mean-sketchBytes+keeperBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.withoutKeeperLocked()
		return
	}
	s.keeperBase = base
	nextEpoch(&s.epoch) // it has not heard of anything yet
	s.keeper.Store(k)
}
