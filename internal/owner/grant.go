package owner

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// grantLocked gives a claim to its holder: the flight may be loaded. It is as if it began.
func (c *loads) grantLocked(l *lane, f *flight) next {
	k, s := f.claim, f.shard
	cost := claimCost + store.Allocated(int64(len(f.key)))
	if len(s.claims) >= maxClaims || !c.notes.take(cost) {
		l.next = nil
		k.join(k.holder)
		f.publishLocked(landed{err: c.Origin.LoadError(f.key, errClaims)})
		return next{}
	}
	k.charged = cost
	l.next, l.current = nil, f
	l.countLocked(f)
	f.ctx, f.cancel = context.Background(), func() {} // what it would end is elsewhere
	f.began, f.era, f.removals = c.Clock.Now(), c.State.Era(), c.removals.count.Load()
	hold := holdOf(k.holder.Hold, c.LoadTimeout)
	k.token = wire.Token{ID: k.holder.ID, Run: c.Run, Number: c.grants.Add(1)}
	k.granted, k.heard, k.until = f.began, f.began, f.began+int64(hold)
	if s.claims == nil {
		s.claims = make(map[uint64]*flight)
	}
	s.claims[k.token.Number] = f
	c.Counts.ClaimsWon.Add(1)
	k.holder.answer(Claimed{Won: true, Token: k.token, Entry: c.oldOf(f.hash, f.key)})
	return next{claim: f}
}

// oldOf returns the value that a key still has though its TTL has passed, nil for none.
func (c *keys) oldOf(hash uint64, key string) *store.Entry {
	if c.StaleFor == 0 {
		return nil
	}
	now := c.Clock.Now()
	if e := c.Store.Peek(hash, key, now); e != nil && e.Care != nil && !e.Foreign && !e.Negative && e.Care.Fresh != 0 && now >= e.Care.Fresh {
		return e
	}
	return nil
}

// retireLocked takes a claim off the books: from here on whoever has its token comes too late.
func (c *loads) retireLocked(f *flight) {
	k := f.claim
	delete(f.shard.claims, k.token.Number)
	k.timer.Stop()
	c.notes.give(k.charged)
	k.charged = 0
}
