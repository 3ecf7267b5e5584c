package owner

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	watchEvery = time.Second
	watchPause = 10 * time.Millisecond // before whoever could not be asked is asked again

	// refusedIn is the time in which a call fails that nobody is there to take.
	refusedIn = 100 * time.Millisecond
)

// A watch is a claim for which somebody waits.
type watch struct {
	f     *flight
	token wire.Token
}

// watchLocked sees to it that those are asked who have claims on a key: somebody waits.
func (c *loads) watchLocked(s *shard, key string) {
	if l := s.lanes[key]; l != nil && l.current != nil && l.current.claim != nil {
		watcher{c, l.current.claim.holder.From}.start()
		return
	}
	for _, f := range s.claims { // all are void, and the lane is full
		if f.key == key {
			watcher{c, f.claim.holder.From}.start()
		}
	}
}

// A watcher asks one member for its claims.
type watcher struct {
	*loads
	member string
}

// start lets the watcher run, if none does for its member.
func (c watcher) start() {
	w := &c.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, runs := w.members[c.member]; runs {
		w.members[c.member] = true
		return
	}
	if w.members == nil {
		w.members = make(map[string]bool)
	}
	w.members[c.member] = false
	if !c.Life.Go(c.run) {
		delete(w.members, c.member)
	}
}

// run asks the member, again and again, as long as somebody waits for one. What
// was granted and never came there, what was given up, and what a process had that has ended,
// the next in line has.
func (c watcher) run() {
	failed := false
	for {
		asked := c.list()
		if len(asked) == 0 {
			if c.watched.isOver(c.member) {
				return
			}
			continue
		}
		wait := watchEvery
		if failed {
			wait = 0
		}
		began := time.Now()
		held, gone, err := c.ask(asked, wait)
		switch {
		case gone || failed && errs.IsUnreachable(err) && time.Since(began) < refusedIn:
			c.loseAll(asked, func(int, *flight) bool { return true })
		case err != nil:
			silent := c.Clock.Now() - int64(c.Lease)
			c.loseAll(asked, func(_ int, f *flight) bool { return f.claim.heard <= silent })
		default:
			now := c.Clock.Now()
			c.loseAll(asked, func(i int, f *flight) bool {
				if held[i] {
					f.claim.heard = now
				}
				return !held[i]
			})
		}
		if failed = err != nil && !gone; failed || time.Since(began) < watchPause {
			if c.Life.Pause(context.Background(), watchPause) != nil {
				return
			}
		}
	}
}

// ask asks the member which of its claims it has.
func (c watcher) ask(asked []watch, wait time.Duration) (held []bool, gone bool, err error) {
	ids := make([]uint64, len(asked))
	for i := range asked {
		ids[i] = asked[i].token.ID
	}
	ctx, cancel := context.WithTimeout(c.Life.Context(), wait+c.Lease)
	defer cancel()
	return c.Others.Holding(ctx, c.member, ids, wait)
}

// list returns the claims of the member for which somebody waits, wire.MaxHolding at most.
func (c watcher) list() (list []watch) {
	c.eachShard(func(s *shard) {
		for _, f := range s.claims {
			if k := f.claim; k.holder.From == c.member && len(list) < wire.MaxHolding && s.isAwaited(f) {
				list = append(list, watch{f, k.token})
			}
		}
	})
	return list
}

// isAwaited reports whether somebody waits for the claim of a flight, or for its end.
func (s *shard) isAwaited(f *flight) bool {
	l := s.lanes[f.key]
	return f.waiters > 0 || len(f.claim.line) > 0 || l != nil && l.next != nil
}

// loseAll ends those of the claims that are lost, if they stand yet.
func (c watcher) loseAll(asked []watch, isLost func(i int, f *flight) bool) {
	for i, w := range asked {
		s := w.f.shard
		s.mu.Lock()
		if s.claims[w.token.Number] == w.f && isLost(i, w.f) {
			c.loseLocked(w.f)
		}
		s.mu.Unlock()
	}
}

// standLocked sees to a claim that was granted: it ends when its Hold is over.
func (c *loads) standLocked(f *flight) {
	k := f.claim
	stands := []watch{{f, k.token}}
	k.timer = time.AfterFunc(time.Duration(k.until-k.granted), func() {
		watcher{loads: c}.loseAll(stands, func(int, *flight) bool { return c.Clock.Now() >= k.until })
	})
	if len(k.line) > 0 || f.waiters > 0 {
		c.watchLocked(f.shard, f.key)
	}
}

// endLocked ends a claim's flight. Its key's lane goes on.
func (c *loads) endLocked(f *flight) {
	s := f.shard
	s.lanes.unlink(f)
	if l := s.lanes[f.key]; l != nil {
		l.landLocked(f)
	}
	c.advanceLocked(s, f.hash, f.key)
}

// loseLocked takes a claim from its holder, of whom nothing is heard, or who takes too long:
// the next in line has it. Those who waited for one that is void look again.
func (c *loads) loseLocked(f *flight) {
	c.Counts.ClaimsLost.Add(1)
	c.retireLocked(f)
	s, k := f.shard, f.claim
	if !f.void && len(k.line) > 0 {
		heir := newFlight(context.Background(), s, f.hash, f.key)
		heir.claim = &claim{}
		for _, b := range k.line {
			heir.claim.join(b)
		}
		k.line = nil
		s.lanes.of(f.key).next = heir // nothing waits beside a flight that may be joined
	}
	f.void = true
	f.publishLocked(landed{err: errVoid})
	c.endLocked(f)
}

// dropClaimsLocked ends the claims of keys, whose holders and those who wait hear why.
func (c *loads) dropClaimsLocked(s *shard, of func(key string) bool, why error) {
	if c.Faults.KeepClaims && why == errs.ErrUnsettled {
		return
	}
	for _, f := range s.claims {
		if of(f.key) {
			c.Counts.ClaimsVoid.Add(1)
			c.retireLocked(f)
			f.void = true
			f.publishLocked(landed{err: why})
			c.endLocked(f)
		}
	}
}
