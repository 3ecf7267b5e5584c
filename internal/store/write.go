package store

// Set makes e the entry of its key: when it returns nil, every Get that starts
// later finds e, or an entry set after it, until e is deleted, expires or is
// given up for later ones. It takes two later Sets at least to bring that about,
// and in a store of usual size hundreds. The store keeps e and the slices in it. An
// entry that has expired at now only deletes the older one.
//
// hash and now are those of Get. When the window is full, Set waits while older
// entries move on to the keeper: some ten microseconds, once in some dozen calls.
//
// Errors are a *SizeError, which matches ErrTooLarge, if e.Size() is more than
// MaxEntry(); ErrReused; and ErrClosed. Then nothing was changed: an older entry
// of the key is still there, and a caller for whom it is not current any more has
// to Delete it.
func (s *Store) Set(hash uint64, e *Entry, now int64) error {
	size := e.Size()
	if limit := s.MaxEntry(); size > limit {
		return &SizeError{Size: size, Max: limit}
	}
	if !s.claim(e) {
		return ErrReused
	}
	e.hash = hash
	if e.expired(now) {
		s.Delete(hash, e.Key)
		return s.open()
	}
	var gone departures
	s.mu.Lock()
	s.sweepLocked(now, sweepPerSet, &gone)
	done, err := s.tryInstallLocked(e, size, &gone)
	s.mu.Unlock()
	if !done {
		err = s.installSlowly(e, size, now, &gone)
	}
	s.report(gone)
	return err
}

func (s *Store) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	return nil
}

// installSlowly moves the oldest entries of the window on until e fits.
func (s *Store) installSlowly(e *Entry, size, now int64, gone *departures) error {
	s.moving.Lock()
	defer s.moving.Unlock()
	for {
		s.mu.Lock()
		done, err := s.tryInstallLocked(e, size, gone)
		s.mu.Unlock()
		if done {
			return err
		}
		s.moveOn(size, now, gone)
	}
}

// Delete removes the entry of the key and reports whether there was one that had
// not been given up. No Get that starts after it returned finds it. The key may
// alias a buffer of the caller.
func (s *Store) Delete(hash uint64, key string) bool { return s.Remove(hash, key, Deleted) }

// Remove is Delete for a reason that OnGone is told.
func (s *Store) Remove(hash uint64, key string, why Cause) bool {
	var gone departures
	s.mu.Lock()
	_, e := s.findLocked(hash, key)
	if e != nil {
		s.unlinkLocked(e)
		s.discardLocked(e)
		s.tookLocked(e, why, &gone)
	}
	full := s.deadFullLocked()
	s.mu.Unlock()
	if full {
		s.bury()
	}
	s.report(gone)
	return e != nil
}

// tryInstallLocked puts e into the index and the window if there is room.
func (s *held) tryInstallLocked(e *Entry, size int64, gone *departures) (done bool, err error) {
	if s.closed {
		return true, ErrClosed
	}
	if s.clock {
		s.makeRoomLocked(size, gone)
	}
	if s.queuedLocked()+size > s.room || s.deadFullLocked() {
		return false, nil
	}
	if n, oldest := s.twinsLocked(e.hash); n >= maxTwins {
		s.giveUpLocked(oldest, Collision, gone)
	}
	uses := 1
	if old := s.linkLocked(e); old != nil {
		uses += takeUses(old)
		s.discardLocked(old)
		s.tookLocked(old, Replaced, gone)
	}
	e.place = inWindow
	s.window.push(e)
	s.windowUsed += size
	if s.clock {
		s.countUsesLocked(e.hash, uses)
		s.spillLocked()
	}
	return true, nil
}
