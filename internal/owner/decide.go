package owner

import (
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// changes are what changes the keys of a part in the store: writes, which may be on a
// condition, and loaded values.
type changes struct{ keys }

// decideLocked looks whether a change's condition is met, notes what is wanted back, and
// makes the entry that the change stores. A change without one goes ahead.
//
// The schedule it defends against: two members read a counter, each adds one, both store
// the sum. So the condition is looked at in the critical section that changes the store.
func (c *changes) decideLocked(hash uint64, key string, ch *Change) (decision, error) {
	cond := ch.If
	if cond.isNone() {
		return goesAhead, nil
	}
	old, known := c.valueNow(hash, key)
	if !known {
		if !cond.known {
			return mustLoad, nil
		}
		old = cond.row
	}
	if old != nil && !c.Reads(old, cond.Encoding) || cond.Add && cond.Encoding != c.Encoding {
		return isNotMet, errs.ErrOtherVersion
	}
	if cond.Answered && cond.Former && old != nil && !c.fitsVerdict(old) {
		return isNotMet, errTooLargeToSend
	}
	cond.Got = Got{}
	if old != nil {
		cond.Got.Entry, cond.Got.Version = old, old.Version
	}
	if !cond.isMetBy(old) {
		if cond.If == wire.IfPresent && cond.Remove && c.Cache && !c.WritesOrigin(*ch) {
			return goesAhead, nil // whoever claims the key may hold what is to be forgotten
		}
		return isNotMet, nil
	}
	if cond.Add && c.Add != nil && !cond.sum.isOf(old) {
		cond.sum = sum{wanted: true, of: old}
		return mustAdd, nil
	}
	return goesAhead, c.makeEntry(ch, old)
}

// addUp makes the sum that decideLocked found missing. It runs under no lock.
func (c *changes) addUp(key string, cond *Conditional) {
	s := &cond.sum
	if s.is, s.err = c.Add(key, s.of, cond.Delta); s.err != nil {
		s.err = errs.AsFailure(s.err)
	} else {
		c.label(s.is)
	}
	s.made, s.wanted = true, false
}

// fitsVerdict reports whether an entry's value can be sent to a peer that asked for a change.
func (c *changes) fitsVerdict(e *store.Entry) bool {
	return len(e.Data)+wire.VerdictBytes <= c.AnswerLimit
}

// valueNow returns what a key has, as a Get would find it, nil for nothing. It is not known
// if only a load would tell.
func (c *changes) valueNow(hash uint64, key string) (e *store.Entry, known bool) {
	now := c.Clock.Now()
	e = c.Store.Peek(hash, key, now)
	if e != nil {
		if until := FreshUntil(e); until != 0 && now >= until {
			e = nil // StaleFor keeps it
		}
	}
	switch {
	case e == nil:
		return nil, c.Origin.Load == nil || c.Cache
	case e.Negative:
		return nil, true
	}
	return e, true
}

// makeEntry makes the entry that a change stores whose condition is met by what is there.
func (c *changes) makeEntry(ch *Change, old *store.Entry) error {
	cond := ch.If
	switch {
	case cond.Add && c.Add == nil:
		return errNoNumber
	case cond.Add:
		if cond.sum.err != nil {
			return cond.sum.err
		}
		ch.E = cond.sum.is
		ch.E.Expires = 0
		c.SetTTL(ch.E, cond.TTL)
	case cond.Touch:
		ch.E = &store.Entry{Key: old.Key, Data: old.Data}
		c.Allow(ch.E)
		c.Mark(ch.E, c.EncodingOf(old))
		c.SetTTL(ch.E, cond.TTL)
		if l := labelOf(old); l != nil {
			c.stick(ch.E, l)
		}
		return nil
	}
	if ch.E == nil || !cond.KeepTTL && !cond.Add {
		return nil
	}
	if !cond.Add && !cond.hasTTL {
		cond.ttl, cond.hasTTL = ch.E.Expires, true
	} else if !cond.Add {
		ch.E.Expires = cond.ttl
	}
	if old != nil && old.Expires != DoNotStore {
		ch.E.Expires = FreshUntil(old)
	}
	return nil
}
