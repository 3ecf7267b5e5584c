package store

// secondChances bounds how many entries one Set may spare.
const secondChances = 64

// makeRoomLocked gives up entries of a store without a keeper until size bytes
// fit: the oldest, but one that was used since it was last looked at becomes the
// newest again. This is the CLOCK policy (Corbató, "A paging experiment with the
// Multics system", 1968), on a list.
func (s *Store) makeRoomLocked(size int64, gone *departures) {
	for spared := 0; s.windowUsed+size > s.room && s.window.oldest != nil; {
		e := s.window.oldest
		if spared < secondChances && cool(e) {
			spared++
			s.window.remove(e)
			s.window.push(e)
			continue
		}
		s.giveUpLocked(e, Capacity, gone)
	}
}
