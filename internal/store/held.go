package store

import (
	"slices"
	"sync"
)

// deadBatch is how many dead entries the keeper may hold before the call that
// makes one more has to drop them.
const deadBatch = 128

// Cause says why the store gave up an entry.
type Cause uint8

const (
	Capacity Cause = iota // to make room for others
	Rejected              // when it left the window, used less than what it would have replaced
	Expired
	Collision // for another entry with the same hash

	// What follows a call did, and only OnGone hears of.

	Replaced // by Set
	Deleted  // by Delete
	Picked   // by Remove, as are those below that its caller names
	Moved    // by Remove
	Swept    // by DeleteIf
	Cleared  // by Clear or Close
	causes
)

func (c Cause) String() string {
	return [causes]string{"capacity", "rejected", "expired", "collision", "replaced", "deleted", "picked", "moved", "swept", "cleared"}[c%causes]
}

// held is what a store holds: window, main area, and what the keeper has.
type held struct {
	index

	// mu guards the fields below, what changes in the index, all tables and the place and
	// neighbours of every entry. It is held for short and bounded work only.
	mu         sync.Mutex
	closed     bool
	clock      bool  // there is no keeper and never will be: see clock.go
	room       int64 // bytes that window and main area may take
	window     queue
	main       queue // empty in a store with a keeper
	windowUsed int64 // bytes of entries inWindow and inMove
	mainUsed   int64 // bytes of entries inMain; with windowUsed at most room
	keeperUsed int64 // bytes of entries inKeeper, dead ones included
	keeperBase int64 // bytes that ristretto takes when it is empty; 0 without a keeper
	dead       []*Entry
	deadBytes  int64
	hand       hand
	counts     [causes]uint64 // entries that are gone by cause, of those that evict is told of
	base       int64          // bytes set aside for an empty store
	max        int64          // MaxBytes; written under moving and mu, read under either
	evict      func(*Entry, Cause)
	tellAll    bool // evict is told of what calls remove, too
}

// queuedLocked is how much of the room is taken.
func (s *held) queuedLocked() int64 { return s.windowUsed + s.mainUsed }

// bytesLocked is what all takes.
func (s *held) bytesLocked() int64 {
	return s.base + s.queuedLocked() + s.keeperUsed + s.keeperBase
}

// withoutKeeperLocked lets the store do without a keeper for good.
func (s *held) withoutKeeperLocked() { s.clock, s.room = true, s.max-s.base }

// discardLocked lets go of an entry that is not linked any more.
func (s *held) discardLocked(e *Entry) {
	switch e.place {
	case inWindow:
		s.window.remove(e)
		s.windowUsed -= e.Size()
		e.place = nowhere
	case inMain:
		s.main.remove(e)
		s.mainUsed -= e.Size()
		e.place = nowhere
	case inKeeper:
		s.dead = append(s.dead, e)
		s.deadBytes += e.keptSize()
	case inMove: // whoever moves it will find that it is not linked
	}
}

// deadFullLocked reports whether the keeper has to drop the dead.
func (s *held) deadFullLocked() bool { return len(s.dead) >= deadBatch || s.deadBytes > s.room }

// giveUpLocked unlinks e, if it is still linked, on the store's own account.
func (s *held) giveUpLocked(e *Entry, why Cause, gone *departures) {
	if s.unlinkLocked(e) {
		s.discardLocked(e)
		s.countLocked(e, why, gone)
	}
}

func (s *held) countLocked(e *Entry, why Cause, gone *departures) {
	s.counts[why]++
	if s.evict != nil {
		*gone = append(*gone, departure{e, why})
	}
}

// tookLocked notes that a call has unlinked e.
func (s *held) tookLocked(e *Entry, why Cause, gone *departures) {
	if s.tellAll {
		s.countLocked(e, why, gone)
	}
}

// departures are the entries to tell OnEvict or OnGone about, once no lock is held.
type departures []departure

type departure struct {
	e   *Entry
	why Cause
}

// takeDeadLocked empties the list of the dead. It leaves out those that ristretto
// gave up since they were listed: an entry set later may have their hash there.
func (s *held) takeDeadLocked() []*Entry {
	dead := slices.DeleteFunc(s.dead, func(e *Entry) bool { return e.place != inKeeper })
	s.dead, s.deadBytes = nil, 0
	return dead
}

// emptyLocked replaces all tables and both queues by empty ones and returns the
// oldest entry of each, and the tables if OnGone is to be told what was in them. The caller
// holds moving, so no entry is inMove.
func (s *held) emptyLocked() (window, main *Entry, left []*table) {
	for i := range s.shards {
		if t := s.shards[i].Swap(emptyTable); s.tellAll && t != emptyTable {
			left = append(left, t)
		}
	}
	window, s.window = s.window.oldest, queue{}
	main, s.main = s.main.oldest, queue{}
	s.windowUsed, s.mainUsed, s.entries, s.mortal = 0, 0, 0, 0
	s.dead, s.deadBytes = nil, 0
	s.hand = hand{}
	return window, main, left
}
