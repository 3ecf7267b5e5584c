package store

import "slices"

const (
	// moveBatch bounds how many entries one exchange with the keeper adds. Its
	// fixed cost, two switches of goroutine, is then small beside the rest.
	moveBatch = 64

	// deadBatch is how many dead entries the keeper may hold before the call that
	// makes one more has to drop them.
	deadBatch = 128
)

// batch is what one exchange with the keeper is about.
type batch struct{ dead, added []*Entry }

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

// takeDeadLocked empties the list of the dead. It leaves out those that ristretto
// gave up since they were listed: an entry set later may have their hash there.
func (s *Store) takeDeadLocked() []*Entry {
	dead := slices.DeleteFunc(s.dead, func(e *Entry) bool { return e.place != inKeeper })
	s.dead, s.deadBytes = nil, 0
	return dead
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

// withoutKeeperLocked lets the store do without a keeper for good.
func (s *Store) withoutKeeperLocked() { s.clock, s.room = true, s.max-s.base }

// batchLocked takes the dead entries, and the oldest of the window out of the
// queue: enough for size bytes and a little for the Sets to come.
func (s *Store) batchLocked(size int64, gone *departures) (b batch) {
	b.dead = s.takeDeadLocked()
	excess := s.windowUsed + size + s.room/64 - s.room
	if s.windowUsed+size <= s.room {
		return b // only the dead are too many
	}
	b.added = make([]*Entry, 0, moveBatch)
	for s.window.oldest != nil && excess > 0 && len(b.added) < moveBatch {
		e := s.window.oldest
		excess -= e.Size()
		if n, _ := s.twinsLocked(e.hash); n > 1 {
			s.giveUpLocked(e, Collision, gone) // the keeper tells entries apart by hash
			continue
		}
		s.window.remove(e)
		e.place = inMove
		b.added = append(b.added, e)
	}
	return b
}

// settleLocked books what became of a batch. An entry that was replaced, deleted
// or found expired meanwhile is not linked any more: if the keeper took it, it is
// dead.
func (s *Store) settleLocked(b batch, refused, victims []*Entry, gone *departures) {
	for _, e := range b.dead {
		e.place = nowhere
		s.keeperUsed -= e.keptSize()
	}
	for _, e := range b.added {
		e.place = inKeeper
		s.windowUsed -= e.Size()
		s.keeperUsed += e.keptSize()
	}
	s.leaveKeeperLocked(refused, Rejected, gone)
	s.leaveKeeperLocked(victims, Capacity, gone)
	for _, e := range b.added {
		if e.place == inKeeper && e.next.Load() == severed {
			s.discardLocked(e)
		}
	}
}

func (s *Store) leaveKeeperLocked(left []*Entry, why Cause, gone *departures) {
	for _, e := range left {
		e.place = nowhere
		s.keeperUsed -= e.keptSize()
		if s.unlinkLocked(e) {
			s.countLocked(e, why, gone)
		}
	}
}
