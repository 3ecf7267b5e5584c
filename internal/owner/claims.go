package owner

import (
	"context"
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// claims are those who ask whether they may load a key themselves, and what they bring.
type claims struct{ *loads }

// Claim answers a bid: with what the key has, with the claim, or, when nobody has filled it in
// the time that the bid waits, with neither. The key must not alias a buffer. Its errors are
// ctx's own, errs.ErrNotOwner, ErrUnsettled, ErrClosed, ErrGroupClosed and ErrNotCache; those
// of a load are the claim's.
func (c *claims) Claim(ctx context.Context, hash uint64, key string, bid wire.Bid) (Claimed, error) {
	if c.Origin.Load == nil || bid.Cache != c.Cache {
		return Claimed{}, errs.ErrNotCache
	}
	var wait <-chan time.Time
	if bid.Wait > 0 {
		t := time.NewTimer(bid.Wait)
		defer t.Stop()
		wait = t.C
	}
	for {
		b := &bidder{Bid: bid, ready: make(chan struct{})}
		got, f, err := c.bid(ctx, hash, key, b)
		if f != nil {
			got, err = c.awaitClaim(ctx, wait, f, b)
		}
		if err == errVoid {
			continue
		}
		if e := got.Err; err == nil && got.Entry == nil && e != nil && !errs.IsOutcome(e) && !errors.Is(e, errs.ErrNotFound) {
			err = e
		}
		return got, err
	}
}

// bid answers a bid at once, or returns the flight that it waits for.
func (c *claims) bid(ctx context.Context, hash uint64, key string, b *bidder) (Claimed, *flight, error) {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, due, err := c.presentLocked(s, hash, key)
	if due && err == nil {
		c.refreshDue(e, nil)
	}
	switch {
	case e != nil && (err == nil || !due), e == nil && errs.IsOutcome(err):
		return Claimed{Entry: e, Hit: err == nil, Err: err}, nil, nil
	case e == nil && err != nil:
		return Claimed{}, nil, err
	}
	busy, recall := c.busyLocked(s, hash, key)
	l := s.lanes.of(key)
	defer s.lanes.close(key, l)
	f, n := l.joinable(), next{recall: recall}
	switch {
	case f == nil && (b.Wait > 0 || !busy && !l.isFull()):
		f = newFlight(ctx, s, hash, key)
		f.claim = new(claim)
		f.claim.join(b)
		l.next = f
		if !busy {
			n = c.beginLocked(l, f, nil)
		}
	case f == nil:
	case l.current == f && c.oldOf(hash, key) != nil:
		return c.staleClaimed(c.oldOf(hash, key)), nil, nil
	case b.Wait == 0:
		f = nil
	case f.claim != nil && len(f.claim.line) >= maxLine:
		return Claimed{Err: c.Origin.LoadError(key, errLine)}, nil, nil
	case f.claim != nil:
		f.claim.join(b)
	default:
		c.Counts.Deduplicated.Add(1)
		b.joins = true
		f.waiters++
		f.hurry(ctx, c.Origin)
	}
	c.doLocked(s, hash, key, n)
	if f == nil {
		return Claimed{Busy: true}, nil, nil
	}
	if b.isAnswered() {
		return b.got, nil, asVoid(b.got.Err)
	}
	c.watchLocked(s, key)
	return Claimed{}, f, nil
}

// staleClaimed answers with a value past its TTL, while another loads the key.
func (c *claims) staleClaimed(e *store.Entry) Claimed {
	c.Counts.StaleServed.Add(1)
	age := time.Duration(c.Clock.Now() - e.Care.Fresh)
	return Claimed{Entry: e, Err: &errs.StaleError{Group: c.Name, Key: e.Key, Age: age, Err: c.Origin.LoadError(e.Key, errSlowClaim)}}
}

// awaitClaim waits for what comes of a bid that stands in the line of a flight, or waits for
// the group's loader.
func (c *claims) awaitClaim(ctx context.Context, wait <-chan time.Time, f *flight, b *bidder) (Claimed, error) {
	c.Counts.ClaimsWaiting.Add(1)
	defer c.Counts.ClaimsWaiting.Add(-1)
	var loaded <-chan struct{} // nil: the line is told
	if b.joins {
		loaded = f.done
	}
	select {
	case <-b.ready:
		return b.got, asVoid(b.got.Err)
	case <-loaded:
		return Claimed{Entry: f.out.entry, Hit: f.out.hit, Err: f.out.err}, asVoid(f.out.err)
	case <-wait:
		got, won := c.withdraw(f, b, false)
		if won || got.Entry != nil || got.Err != nil {
			return got, asVoid(got.Err)
		}
		return Claimed{Busy: true}, nil
	case <-ctx.Done():
		c.withdraw(f, b, true)
		return Claimed{}, ctx.Err()
	case <-c.Life.Closing():
		return Claimed{}, errs.ErrClosed
	}
}

// asVoid sends those back whose flight is void.
func asVoid(err error) error {
	if err == errVoid {
		return err
	}
	return nil
}

// withdraw takes a bid back. If it was answered a moment ago it returns that; one who is gone
// gives back what it has won.
func (c *claims) withdraw(f *flight, b *bidder, gone bool) (got Claimed, won bool) {
	s := f.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.isAnswered() {
		if held := s.claims[b.got.Token.Number]; gone && b.got.Won && held != nil {
			c.loseLocked(held)
		}
		return b.got, b.got.Won
	}
	switch k := b.of; {
	case k == nil:
		waits := gets{c.loads}
		waits.leaveLocked(f)
	default:
		k.leave(b)
		if l := s.lanes[f.key]; l != nil && l.next != nil && l.next.claim == k && len(k.line) == 0 && l.next.waiters == 0 {
			s.lanes.dropNext(l.next)
		}
	}
	return Claimed{}, false
}

// standing returns the flight of a claim that is not over, nil if there is none.
func (c *claims) standing(s *shard, key string, t wire.Token) *flight {
	f := s.claims[t.Number]
	switch {
	case f == nil || f.key != key || c.Clock.Now() >= f.claim.until:
		return nil
	case f.claim.token != t && !c.Faults.ClaimNumbers:
		return nil
	}
	return f
}

// FillClaim stores what a claimant has loaded, and answers those who wait: with e, or by err, which
// is ErrNotFound, wrapped or not, or a *LoadError. It returns what that came to, the value
// that is still kept with a *StaleError if the load failed; and errs.ErrClaimOver, or
// ErrClaimVoid, and then nothing was stored.
func (c *claims) FillClaim(hash uint64, key string, t wire.Token, e *store.Entry, err error) (Claimed, error) {
	memo := c.memoOf(err)
	c.label(e)
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := c.standing(s, key, t)
	if f == nil {
		return Claimed{}, errs.ErrClaimOver
	}
	c.retireLocked(f)
	f.memo = memo
	if e != nil {
		e.Key = f.key
	}
	failed := err
	e, err = c.storeLocked(f, e, err)
	void := f.void || f.era != c.State.Era() || c.State.MayServe(hash, c.Clock.Now()) != nil
	f.publishLocked(landed{entry: e, err: err, failed: failed})
	c.endLocked(f)
	if void {
		c.Counts.ClaimsVoid.Add(1)
		return Claimed{Entry: e, Err: err}, errs.ErrClaimVoid
	}
	c.Counts.ClaimsFilled.Add(1)
	return Claimed{Entry: e, Err: err}, nil
}

// ExtendClaim lets a claim stand for d from now on, MaxHold at most. Errors: errs.ErrClaimOver, and
// ErrClaimVoid, and then it stands all the same, for those who wait.
func (c *claims) ExtendClaim(hash uint64, key string, t wire.Token, d time.Duration) error {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := c.standing(s, key, t)
	if f == nil {
		return errs.ErrClaimOver
	}
	hold := holdOf(d, c.LoadTimeout)
	f.claim.until = c.Clock.Now() + int64(hold)
	f.claim.timer.Reset(hold)
	if f.void {
		return errs.ErrClaimVoid
	}
	return nil
}

// errValueTooLarge says that a claimant's value cannot be sent.
var errValueTooLarge = &errs.RemoteError{Text: "the value is larger than members send each other: see Options.MaxValueBytes", Known: errs.ErrTooLarge}

// RefuseClaim ends a claim whose value cannot be sent: whoever waits loads for itself. Errors:
// errs.ErrClaimOver.
func (c *claims) RefuseClaim(hash uint64, key string, t wire.Token) error {
	s := c.shard(hash)
	s.mu.Lock()
	f := c.standing(s, key, t)
	if f == nil {
		s.mu.Unlock()
		return errs.ErrClaimOver
	}
	c.retireLocked(f)
	f.publishLocked(landed{err: errValueTooLarge})
	c.endLocked(f)
	s.mu.Unlock()
	c.NoteTooLarge(f.key)
	return nil
}

// ReleaseClaim gives a claim back: the next in line has it. Errors: errs.ErrClaimOver.
func (c *claims) ReleaseClaim(hash uint64, key string, t wire.Token) error {
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := c.standing(s, key, t)
	if f == nil {
		return errs.ErrClaimOver
	}
	c.loseLocked(f)
	return nil
}
