// Package claims keeps what the clients of a member have won, by tokens that they bring back with
// the value: a claim itself cannot leave the process.
//
// A client that has a connection for long gives its claims up when that breaks, see Holder; others
// lose theirs when the time that they hold them is over.
package claims

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

const (
	mostClaims  = 65536          // of a member
	mostLoose   = mostClaims / 2 // of these, of clients that are no holders
	mostHeld    = 1024           // of a holder
	sweepFrom   = 1024
	sweepPause  = time.Second      // so that a full table is not gone through for each claim
	defaultHold = 30 * time.Second // cachemesh.GroupOptions.LoadTimeout's
	spare       = time.Second      // that the owner's clock may be behind
	atOnce      = 16               // claims that are given up
)

// MostWait and MostHold bound what a client may ask for.
const (
	MostWait = time.Minute
	MostHold = time.Minute
)

// ErrTooMany means that a member, or a client of it, has as many claims as it may. This one was
// given up.
var ErrTooMany = errors.New("there are too many claims at once")

// A Claim is one of bytes.
type Claim = cachemesh.Claim[[]byte]

// A Table is a member's. Its methods are called concurrently.
type Table struct {
	mu      sync.Mutex // guards the fields below, and all Holders' claims
	open    map[string]*won
	loose   int // claims without a holder
	sweepAt int
	swept   time.Time
}

// won is a claim that stands.
type won struct {
	claim      Claim
	group, key string
	holder     *Holder // nil: none
	until      time.Time
}

// New returns a table of no claims.
func New() *Table { return &Table{open: make(map[string]*won), sweepAt: sweepFrom} }

// A Holder is a connection that gives its claims up when it ends.
type Holder struct {
	table *Table
	has   map[string]struct{}
}

// Holder returns one without claims.
func (t *Table) Holder() *Holder { return &Holder{table: t, has: make(map[string]struct{})} }

// Keep keeps a claim that was won and asked for with a time to hold it, 0 for none, and returns
// its token. Errors: ErrTooMany.
func (t *Table) Keep(ctx context.Context, h *Holder, group, key string, c Claim, hold time.Duration) (token string, err error) {
	c.Value = nil // its client has it
	token = rand.Text()
	t.mu.Lock()
	t.sweepLocked()
	if len(t.open) >= mostClaims || h != nil && len(h.has) >= mostHeld || h == nil && t.loose >= mostLoose {
		t.mu.Unlock()
		c.Release(ctx)
		return "", ErrTooMany
	}
	t.open[token] = &won{c, group, key, h, over(hold)}
	if h != nil {
		h.has[token] = struct{}{}
	} else {
		t.loose++
	}
	t.mu.Unlock()
	return token, nil
}

func over(hold time.Duration) time.Time {
	if hold <= 0 {
		hold = defaultHold
	}
	return time.Now().Add(hold + spare)
}

// sweepLocked forgets claims whose time is over, once there are twice as many as were left.
func (t *Table) sweepLocked() {
	now := time.Now()
	if len(t.open) < t.sweepAt || now.Sub(t.swept) < sweepPause {
		return
	}
	t.swept = now
	for token, w := range t.open {
		if w.until.Before(now) {
			t.removeLocked(token, w)
		}
	}
	t.sweepAt = min(max(2*len(t.open), sweepFrom), mostClaims)
}

func (t *Table) removeLocked(token string, w *won) {
	delete(t.open, token)
	if w.holder != nil {
		delete(w.holder.has, token)
	} else {
		t.loose--
	}
}

// Take returns the claim of a token, to be ended: it is nobody else's then. Errors:
// cachemesh.ErrClaimOver, also for a token of another key.
func (t *Table) Take(group, key, token string) (Claim, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.open[token]
	if w == nil || w.group != group || w.key != key {
		return Claim{}, cachemesh.ErrClaimOver
	}
	t.removeLocked(token, w)
	return w.claim, nil
}

// Extend lets a claim stand for a time from now on, 0 for the usual one. Errors: those of
// cachemesh.Claim.Extend.
func (t *Table) Extend(ctx context.Context, group, key, token string, hold time.Duration) error {
	t.mu.Lock()
	w := t.open[token]
	if w == nil || w.group != group || w.key != key {
		t.mu.Unlock()
		return cachemesh.ErrClaimOver
	}
	w.until = over(hold)
	claim := w.claim
	t.mu.Unlock()
	return claim.Extend(ctx, hold)
}

// End gives all claims of a holder up: who waits for them has them at once. It may be called
// again, and h may be nil.
func (h *Holder) End(ctx context.Context) {
	if h == nil {
		return
	}
	h.table.mu.Lock()
	given := make(chan Claim, len(h.has))
	for token := range h.has {
		w := h.table.open[token]
		h.table.removeLocked(token, w)
		given <- w.claim
	}
	h.table.mu.Unlock()
	close(given)
	var all sync.WaitGroup
	for range min(len(given), atOnce) {
		all.Go(func() {
			for c := range given {
				c.Release(ctx)
			}
		})
	}
	all.Wait()
}
