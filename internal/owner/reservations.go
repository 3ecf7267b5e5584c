package owner

import "strings"

// reservations are the keys that a write has, or a load, which waits until nobody serves a copy
// any more, each with what is closed when that is over. Until then no copy is granted of it, no load
// starts and no other write; hits see the former value. Guarded by the shard's lock.
type reservations map[string]chan struct{}

// isTaken reports whether a key is reserved.
func (m reservations) isTaken(key string) bool { return m[key] != nil }

// reserve takes a key that nobody has.
func (m reservations) reserve(key string) { m[strings.Clone(key)] = make(chan struct{}) }

// release ends the reservation of a key. It reports false if there was none.
func (s *shard) release(hash uint64, key string, room *allowance) bool {
	over := s.reserved[key]
	if over == nil {
		return false
	}
	close(over)
	delete(s.reserved, key)
	s.unlabel(hash, room)
	return true
}

// unlabel forgets the label of a hash of which nobody holds a copy, and no key of which is
// reserved: while holders are told, the copies that they still serve bear the label.
func (s *shard) unlabel(hash uint64, room *allowance) {
	if l := s.registered.labelOf(hash); l != nil && !s.reserved.isTaken(l.Key()) {
		s.registered.unlabel(hash, room)
	}
}
