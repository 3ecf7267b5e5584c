package session

import (
	"maps"
	"math"
	"sync"
	"sync/atomic"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A Held is a session as its holder sees it. Copies that were granted under it point to it. Its
// methods are called concurrently.
type Held struct {
	until   atomic.Int64 // no copy is served from then on
	renewAt atomic.Int64 // from then on whoever reads a copy is to renew it
	number  uint64
	term    int64

	Owner string // its ID
}

// NewHeld returns a session that lapses at a time and is renewed by nobody, for tests.
func NewHeld(owner string, until int64) *Held {
	h := &Held{Owner: owner}
	h.until.Store(until)
	h.renewAt.Store(math.MaxInt64)
	return h
}

// Until returns until when copies may be served.
func (h *Held) Until() int64 { return h.until.Load() }

// Due reports whether the session is to be renewed, to one caller each sixth of a term: renewals
// follow reads, so that they cost nothing while nobody reads.
func (h *Held) Due(now int64) bool {
	at := h.renewAt.Load()
	return now >= at && h.renewAt.CompareAndSwap(at, now+h.term/6)
}

// IsDead reports whether no copy is served by the session any more, whatever its owner says.
func (h *Held) IsDead() bool { return h.until.Load() == math.MinInt64 }

// Kill lets no copy be served by the session any more.
func (h *Held) Kill() { h.until.Store(math.MinInt64) }

// A Holder has the sessions that this member holds, one of each owner. Its methods are called
// concurrently, and none waits.
type Holder struct {
	Term   int64 // nanoseconds that a renewal extends a session by, as this member grants it
	faults faultinject.Sessions

	mu     sync.Mutex                       // guards writes of what follows
	of     atomic.Pointer[map[string]*Held] // by the owner's ID; the map is not changed
	killed atomic.Uint64                    // counts KillAll
}

// NewHolder returns the sessions of a member that holds none.
func NewHolder(term int64, faults faultinject.Sessions) *Holder {
	h := &Holder{Term: term, faults: faults}
	h.of.Store(new(map[string]*Held))
	return h
}

// Of returns the session that is held of an owner, nil for none. It may have lapsed.
func (h *Holder) Of(owner string) *Held { return (*h.of.Load())[owner] }

// OfNumber returns the session of an owner by which a copy is kept that was granted under this number, nil
// if it must not be kept. sent is when it was asked for.
func (h *Holder) OfNumber(owner string, number uint64, sent int64) *Held {
	s := h.Of(owner)
	if s == nil || number == 0 || s.number != number {
		return nil
	}
	if h.faults.GrantsExtend {
		s.until.Store(max(s.until.Load(), sent+s.term))
	}
	return s
}

// IsDue reports whether a call to an owner is to renew the session that is held of it: there is
// none, or it is due.
func (h *Holder) IsDue(owner string, now int64) bool {
	s := h.Of(owner)
	return s == nil || s.Due(now)
}

// NotRenewed says that an owner was asked for a renewal and gave none, as one that has to reach this member first:
// the next call asks again.
func (h *Holder) NotRenewed(owner string) {
	if s := h.Of(owner); s != nil && !s.IsDead() {
		s.renewAt.Store(math.MinInt64)
	}
}

// Stamp is taken before a renewal is sent: see Renewed.
func (h *Holder) Stamp() uint64 { return h.killed.Load() }

// Renewed takes the answer to a renewal: the number of the session, and for how long it was extended; 0: it
// was not. sent is a time before the request was sent, on this member's clock. An answer to what was sent
// before all sessions were killed says nothing: it may have lain in a socket while the machine
// was suspended.
func (h *Holder) Renewed(owner string, number uint64, term, sent int64, stamp uint64) {
	if number == 0 || term <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if stamp != h.killed.Load() && !h.faults.LateRenewals {
		return
	}
	until, renewAt := sent+term, sent+min(term, h.Term)/3
	s := h.Of(owner)
	switch {
	case s == nil || number > s.number:
		if s != nil {
			s.Kill()
		}
		s = &Held{number: number, Owner: owner, term: h.Term}
		s.until.Store(until)
		s.renewAt.Store(renewAt)
		h.putLocked(owner, s)
	case number == s.number && until > s.until.Load():
		s.until.Store(until)
		s.renewAt.Store(renewAt)
	}
}

func (h *Holder) putLocked(owner string, s *Held) {
	all := maps.Clone(*h.of.Load())
	if all == nil {
		all = make(map[string]*Held)
	}
	all[owner] = s
	h.of.Store(&all)
}

// KillAll drops all copies: after a suspension, and when others went on without this member.
func (h *Holder) KillAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.killed.Add(1)
	if h.faults.LateRenewals {
		return // the copies are dropped by the caches, and the sessions live on
	}
	for _, s := range *h.of.Load() {
		s.Kill()
	}
	h.of.Store(new(map[string]*Held))
}

// Retain drops the sessions of owners that are not members any more.
func (h *Holder) Retain(isMember func(id string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string]*Held)
	for id, s := range *h.of.Load() {
		if isMember(id) {
			all[id] = s
		} else {
			s.Kill()
		}
	}
	h.of.Store(&all)
}

// Count returns how many sessions are held.
func (h *Holder) Count() int { return len(*h.of.Load()) }
