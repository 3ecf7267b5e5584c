package store

// Least is the smallest budget that the store can be resized to.
func (s *Store) Least() int64 { return s.base + MinBytes }

// Resize gives the store another budget. When it returns, no more than that is taken;
// what has to go for it is given up as for any other entry. A store that has a keeper,
// or is too small for one now, makes room without one from then on: the keeper's tables
// were made for the former budget. Other calls of Set and Delete wait meanwhile, for as
// long as it takes to look at each entry once. Its error is a *BudgetError, and then
// nothing was changed.
func (s *Store) Resize(maxBytes int64) error {
	if maxBytes < s.Least() {
		return &BudgetError{MaxBytes: maxBytes, Min: s.Least()}
	}
	s.moving.Lock()
	defer s.moving.Unlock()
	k := s.keeper.Swap(nil)
	if k != nil {
		k.close()
	}
	var gone departures
	s.mu.Lock()
	s.max = maxBytes
	s.maxEntry.Store(maxBytes / entryShare)
	if k != nil {
		s.takeBackLocked()
	}
	if !s.clock && k == nil && maxBytes >= keeperFrom && s.windowUsed <= maxBytes/windowShare {
		s.room = maxBytes / windowShare // it has not chosen yet
	} else {
		s.withoutKeeperLocked()
		s.makeRoomLocked(0, &gone)
	}
	s.mu.Unlock()
	s.report(gone)
	return nil
}

// takeBackLocked moves what the keeper held to the main area. The caller holds moving,
// so no entry is inMove.
func (s *held) takeBackLocked() {
	for i := range s.shards {
		t := s.shards[i].Load()
		for b := range t.buckets {
			for e := t.buckets[b].Load(); e != nil; e = e.next.Load() {
				if e.place == inKeeper {
					e.place = inMain
					s.main.push(e)
					s.mainUsed += e.Size()
				}
			}
		}
	}
	for _, e := range s.dead {
		e.place = nowhere
	}
	s.dead, s.deadBytes, s.keeperUsed, s.keeperBase = nil, 0, 0, 0
}
