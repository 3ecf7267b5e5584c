package store

const (
	// moveBatch bounds how many entries one exchange with the keeper adds. Its
	// fixed cost, two switches of goroutine, is then small beside the rest.
	moveBatch = 64
)

// batch is what one exchange with the keeper is about.
type batch struct{ dead, added []*Entry }

// batchLocked takes the dead entries, and the oldest of the window out of the
// queue: enough for size bytes and a little for the Sets to come.
func (s *held) batchLocked(size int64, gone *departures) (b batch) {
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
func (s *held) settleLocked(b batch, refused, victims []*Entry, gone *departures) {
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

func (s *held) leaveKeeperLocked(left []*Entry, why Cause, gone *departures) {
	for _, e := range left {
		e.place = nowhere
		s.keeperUsed -= e.keptSize()
		if s.unlinkLocked(e) {
			s.countLocked(e, why, gone)
		}
	}
}
