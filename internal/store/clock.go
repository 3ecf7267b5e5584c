package store

import "math/rand/v2"

// A store without a keeper has two queues. What is set joins the window, and the
// oldest of the window has to win a place in the main area against the entry that
// would be given up there: the one used more often lately, by the sketch, stays.
// That is W-TinyLFU (Einziger, Friedman, Manes, 2017). The main area is a CLOCK
// (Corbató, "A paging experiment with the Multics system", 1968): whoever was used
// since it was last looked at becomes the newest again. Segments instead would be
// ordered by each hit, and a hit must not take a lock.
const (
	// smallWindowShare is the part of the room below which the window gives up
	// nothing, and from which it does not grow while there is room in the main area
	// as well. In a full store it has between one and two of these parts. Twice the
	// window costs loops up to three points of hit ratio, and half of it costs as
	// much where the set of hot keys keeps changing.
	smallWindowShare = 32

	// windowLeast is how many entries the window keeps, whatever their size: at an
	// eighth of the budget each, they and the next one fit.
	windowLeast = 3

	// secondChances bounds how many entries of the main area one Set may spare.
	secondChances = 64

	// spillBatch bounds how many entries of the window one Set moves on to a main
	// area that has room.
	spillBatch = 8

	// An entry that was used luckyUses times wins against any once in luckyOdds:
	// else forged keys that share the counters of some victim could make it, and
	// all that is behind it, stay for good. The figures are those of Caffeine.
	luckyUses = 6
	luckyOdds = 128
)

// makeRoomLocked gives up entries of a store without a keeper until size bytes
// fit.
func (s *held) makeRoomLocked(size int64, gone *departures) {
	chances := secondChances
	for s.queuedLocked()+size > s.room {
		candidate, victim := s.window.oldest, s.victimLocked(&chances)
		switch {
		case victim == nil && candidate == nil:
			return
		case victim == nil:
			s.giveUpLocked(candidate, Capacity, gone)
		case s.window.n <= windowLeast || s.windowUsed <= s.room/smallWindowShare:
			s.giveUpLocked(victim, Capacity, gone)
		case s.beatsLocked(candidate, victim):
			s.giveUpLocked(victim, Capacity, gone)
			s.promoteLocked(candidate)
		default:
			s.giveUpLocked(candidate, Rejected, gone)
		}
	}
}

// victimLocked returns the entry that the main area should give up first, or nil
// if it is empty, and spares those that were used while there are chances.
func (s *held) victimLocked(chances *int) *Entry {
	for s.main.oldest != nil && *chances > 0 {
		e := s.main.oldest
		uses := takeUses(e)
		if uses == 0 {
			break
		}
		*chances--
		s.countUsesLocked(e.hash, uses)
		s.main.remove(e)
		s.main.push(e)
	}
	return s.main.oldest
}

// beatsLocked reports whether the candidate is worth more than the victim. A use
// while it was in the window is enough: the victim had none in a whole round.
func (s *held) beatsLocked(candidate, victim *Entry) bool {
	if uses := takeUses(candidate); uses > 0 {
		s.countUsesLocked(candidate.hash, uses)
		return true
	}
	place, theirPlace := s.scatter.Of(candidate.hash), s.scatter.Of(victim.hash)
	sketch, theirs := s.shard(place).Load().sketch, s.shard(theirPlace).Load().sketch
	if sketch == nil || theirs == nil {
		return theirs == nil
	}
	uses := sketch.uses(place)
	return uses > theirs.uses(theirPlace) || uses >= luckyUses && rand.Uint32()%luckyOdds == 0
}

// spillLocked keeps the window small while there is room.
func (s *held) spillLocked() {
	part := s.room / smallWindowShare
	for range spillBatch {
		if s.window.n <= windowLeast || s.windowUsed <= part || s.queuedLocked() > s.room-part {
			return
		}
		s.promoteLocked(s.window.oldest)
	}
}

// promoteLocked moves an entry from the window to the main area.
func (s *held) promoteLocked(e *Entry) {
	s.window.remove(e)
	s.windowUsed -= e.Size()
	e.place = inMain
	s.main.push(e)
	s.mainUsed += e.Size()
}
