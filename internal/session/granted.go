package session

import (
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A Peer is one life of one run of a member.
type Peer struct {
	ID   string
	Life uint32
}

// A Slot names a session in a registration; 0: none. It is given anew when nobody can serve by the session
// any more: a registration that still has it costs whoever has it then a needless invalidation.
type Slot uint16

const maxSlots = 1<<16 - 1

// A Session is one that this member granted. Only Granted changes it.
type Session struct {
	Holder Peer

	number uint64
	era    uint32 // of the owner, in which it was granted
	slot   Slot
	until  atomic.Int64 // the holder serves until then at the latest; read without a lock

	// Guarded by Granted.mu.
	ended, broken bool
	first, last   *Call // invalidations without an answer, the oldest first
}

// Until returns when the session lapses, unless it is renewed.
func (s *Session) Until() int64 { return s.until.Load() }

// A Call is an invalidation that a holder has not answered yet.
type Call struct {
	began      int64
	prev, next *Call
}

// Granted are the sessions that this member grants as an owner. Its methods are called
// concurrently, and none waits.
type Granted struct {
	term   int64
	faults faultinject.Sessions

	mu        sync.Mutex // guards what follows
	number    uint64     // given last
	standing  map[string]*Session
	slots     []*Session          // by Slot-1; nil: free
	free      []Slot              // of slots
	unreached map[string]struct{} // holders whose session was broken, and that were not reached by a call since
	probing   map[string]struct{} // of these, those that are being called
}

// NewGranted returns the sessions of a member that has granted none. term is how long a renewal
// extends one, in nanoseconds.
func NewGranted(term int64, faults faultinject.Sessions) *Granted {
	return &Granted{term: term, faults: faults, standing: make(map[string]*Session),
		unreached: make(map[string]struct{}), probing: make(map[string]struct{})}
}

// Term returns how long a renewal extends a session, in nanoseconds.
func (g *Granted) Term() int64 { return g.term }

// Renew extends the session of a holder that asked for it, or grants one. It must be in the view
// of this member. received is a time after the request came and before the answer leaves,
// confirmed the end of this member's own right, era its present one. A term of 0: the session is not extended; a number of 0: there
// is none.
//
// A holder whose session was broken must have been reached by a call since, or each write would wait for one
// that can call and cannot be called; and one that owes an answer for a third of the term gets no more time, so that no write
// waits for longer than four thirds of it.
func (g *Granted) Renew(h Peer, era uint32, received, confirmed int64) (number uint64, term int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.standing[h.ID]
	if s != nil && (s.Holder.Life != h.Life || s.era != era && !g.faults.RenewEnded) {
		g.endLocked(s)
		s = nil
	}
	term = min(g.term, confirmed-received)
	if term <= 0 {
		return 0, 0
	}
	if s == nil {
		if _, is := g.unreached[h.ID]; is && !g.faults.RenewUnreached {
			return 0, 0
		}
		if s = g.openLocked(h, era, received); s == nil {
			return 0, 0
		}
	}
	if s.first != nil && received-s.first.began >= g.term/3 && !g.faults.RenewUnreached {
		return s.number, 0
	}
	s.until.Store(max(s.until.Load(), received+term+term/32))
	return s.number, term
}

func (g *Granted) openLocked(h Peer, era uint32, now int64) *Session {
	slot := g.slotLocked(now)
	if slot == 0 {
		return nil
	}
	g.number++
	s := &Session{Holder: h, number: g.number, era: era, slot: slot}
	g.slots[slot-1] = s
	g.standing[h.ID] = s
	return s
}

func (g *Granted) slotLocked(now int64) Slot {
	if len(g.free) == 0 {
		g.sweepLocked(now)
	}
	if n := len(g.free); n > 0 {
		slot := g.free[n-1]
		g.free = g.free[:n-1]
		return slot
	}
	if len(g.slots) == maxSlots {
		return 0
	}
	g.slots = append(g.slots, nil)
	return Slot(len(g.slots))
}

// Standing returns the session under which a copy is granted to a holder in an era, whether it has
// lapsed or not. number 0: it has none.
func (g *Granted) Standing(id string, era uint32) (slot Slot, number uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.standing[id]
	if s == nil || s.era != era && !g.faults.RenewEnded {
		return 0, 0
	}
	return s.slot, s.number
}

// At returns the session of a slot, nil if nobody can serve by it.
func (g *Granted) At(slot Slot) *Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.atLocked(slot)
}

func (g *Granted) atLocked(slot Slot) *Session {
	if i := int(slot) - 1; i >= 0 && i < len(g.slots) {
		return g.slots[i]
	}
	return nil
}

// Serves reports whether copies may be served by the session of a slot at a time. One that has
// lapsed is broken: the caller goes on without its holder's word.
func (g *Granted) Serves(slot Slot, now int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.atLocked(slot)
	return s != nil && !g.lapseLocked(s, now)
}

// Lapse breaks a session if it has lapsed, and reports whether it has: the caller goes on without
// its holder's word.
func (g *Granted) Lapse(s *Session, now int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lapseLocked(s, now)
}

func (g *Granted) lapseLocked(s *Session, now int64) bool {
	if s.until.Load() > now {
		return false
	}
	if s.broken || g.faults.KeepLapsed {
		return true
	}
	if s.broken = true; g.standing[s.Holder.ID] == s {
		delete(g.standing, s.Holder.ID)
		g.unreached[s.Holder.ID] = struct{}{}
	}
	g.freeLocked(s)
	return true
}

// freeLocked gives the slot of a session back by which nobody can serve.
func (g *Granted) freeLocked(s *Session) {
	if g.atLocked(s.slot) == s {
		g.slots[s.slot-1] = nil
		g.free = append(g.free, s.slot)
	}
}

// endLocked lets a session be renewed no more. It counts until it lapses.
func (g *Granted) endLocked(s *Session) {
	s.ended = true
	delete(g.standing, s.Holder.ID)
	if g.faults.ForgetEnded {
		s.until.Store(0)
		g.freeLocked(s)
	}
}
