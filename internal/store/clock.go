package store

// secondChances bounds how many entries one Set may spare. An eighth of the queue
// and half of its bytes do so too: then a Set cannot come round to the newest
// entry, even if all others are hot.
const secondChances = 64

// makeRoomLocked gives up entries of a store without a keeper until size bytes
// fit: the oldest, but one that was used since it was last looked at becomes the
// newest again. This is the second-chance form of CLOCK (Corbató, "A paging
// experiment with the Multics system", 1968).
func (s *Store) makeRoomLocked(size int64, gone *departures) {
	chances, bytes := min(secondChances, s.window.n/8), s.room/2
	for s.windowUsed+size > s.room && s.window.oldest != nil {
		e := s.window.oldest
		if chances > 0 && bytes >= e.Size() && cool(e) {
			chances--
			bytes -= e.Size()
			s.window.remove(e)
			s.window.push(e)
			continue
		}
		s.giveUpLocked(e, Capacity, gone)
	}
}
