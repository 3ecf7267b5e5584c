package store

// Clear removes all entries. Gets that start after it returned find none of those
// whose Set returned before Clear was called. The index changes at once; Clear
// then unties the entries, 0.1 to 0.2 µs each, and waits while ristretto drops what it
// held, up to 0.4 µs each. Calls of Set that find the window full wait too.
// OnEvict is not called.
func (s *Store) Clear() {
	s.moving.Lock()
	defer s.moving.Unlock()
	s.mu.Lock()
	window, main := s.emptyLocked()
	s.mu.Unlock()
	release(window)
	release(main)
	k := s.keeper.Load()
	if k == nil {
		return
	}
	k.clear()
	s.mu.Lock()
	s.keeperUsed = 0
	s.mu.Unlock()
}

// Close removes all entries and ends the store's goroutines: none is left when it
// returns. Gets that start later return nil, and Sets ErrClosed. It may be called
// at any time, and more than once.
func (s *Store) Close() {
	s.moving.Lock()
	defer s.moving.Unlock()
	s.mu.Lock()
	s.closed = true
	window, main := s.emptyLocked()
	s.mu.Unlock()
	release(window)
	release(main)
	k := s.keeper.Swap(nil)
	if k == nil {
		return
	}
	k.close()
	s.mu.Lock()
	s.keeperUsed, s.keeperBase = 0, 0
	s.mu.Unlock()
}

// emptyLocked replaces all tables and both queues by empty ones and returns the
// oldest entry of each. The caller holds moving, so no entry is inMove.
func (s *Store) emptyLocked() (window, main *Entry) {
	for i := range s.shards {
		s.shards[i].Store(emptyTable)
	}
	window, s.window = s.window.oldest, queue{}
	main, s.main = s.main.oldest, queue{}
	s.windowUsed, s.mainUsed, s.entries, s.mortal = 0, 0, 0, 0
	s.dead, s.deadBytes = nil, 0
	s.hand = hand{}
	return window, main
}

// release unties the entries of a window that nobody can reach any more, so that
// a reader who keeps one does not keep them all.
func release(e *Entry) {
	for e != nil {
		next := e.newer
		e.newer, e.older = nil, nil
		e = next
	}
}
