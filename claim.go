package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A ClaimState is what a Claim found.
type ClaimState uint8

const (
	Busy     ClaimState = iota // another has the claim, and has not filled it in the time that ClaimOptions.Wait allows
	Hit                        // the key has a value
	Stale                      // it has one whose TTL has passed, and another loads it: see GroupOptions.StaleFor
	NotFound                   // it is known that there is none, or whoever had the claim said so
	Won                        // load the value, and then call Fill, NotFound or Fail
)

var claimStates = [...]string{"busy", "hit", "stale", "not found", "won"}

// String returns the state as a word.
func (s ClaimState) String() string {
	if int(s) < len(claimStates) {
		return claimStates[s]
	}
	return fmt.Sprint("ClaimState(", uint8(s), ")")
}

// ClaimOptions configure a Claim. The zero value is fit for use.
type ClaimOptions struct {
	// Wait is how long another's claim is waited for. Default: 0, not at all.
	Wait time.Duration

	// Hold is how long the claim stands, by the clock of the key's owner: then another may
	// have it. A minute at most; see Extend. Default: GroupOptions.LoadTimeout.
	Hold time.Duration
}

// A Claim is what a key has, or the right to load it: nobody else in the mesh has it at the
// same time, and what the claimant stores is stored only if nothing came in between. Its
// methods may be called concurrently; one of those that end it succeeds.
type Claim[V any] struct {
	State ClaimState

	// Value is what the key has: with Hit and Stale, and, if Old is set, with Won.
	Value V
	Old   bool          // Value's TTL has passed
	Age   time.Duration // since then

	group *Group[V]
	key   string
	won   *route.Won
}

// Claim asks the owner of a key whether its value may be loaded here: for callers whose loader
// is no function that GetOr can call, as in another process. Of all that claim a key one is
// Won, and loads it; the others wait for that as long as they like, or take what the key still
// has (Stale). One that is lost, because its process ended or its Hold is over, goes to the
// next that waits, within a second of a crash.
//
// The load must begin after Claim has returned, or it may be older than a Delete. A claim
// never holds up a write: that makes it void, and a value that comes then answers those who
// waited before, and is not stored.
//
// In a group with a loader plain Gets are loaded by that; one that comes while a claim stands
// waits for it. A plain map has no claims: see GroupOptions.Cache.
//
// Errors: *LoadError, what the claimant said with Fail, for all who waited; *OptionError;
// ErrNotCache; and those of Get.
func (g *Group[V]) Claim(ctx context.Context, key string, o ClaimOptions) (c Claim[V], err error) {
	if err := wire.CheckKey(key); err != nil {
		return c, err
	}
	switch {
	case o.Wait < 0:
		return c, errs.Option("Wait", o.Wait, errors.New("it must not be negative"))
	case o.Hold < 0 || o.Hold > maxHold:
		return c, errs.Option("Hold", o.Hold, fmt.Errorf("it must be from 0 to %v", maxHold))
	case g.core.Origin.Load == nil:
		return c, ErrNotCache
	}
	hash, now := ring.Hash(g.core.Seed, key), g.core.Clock.Now()
	c.group, c.key = g, key
	if e := g.core.Hit(hash, key, now); e != nil {
		if v, err := g.values.present(e); !errs.IsUnreadable(err) {
			return c.found(v, err)
		}
	}
	c.key = strings.Clone(key)
	ask := route.Bidding{Router: &g.core.Router, Hash: hash, Key: c.key, Bid: wire.Bid{Wait: o.Wait, Hold: o.Hold}}
	got := ask.Ask(ctx)
	v, _, err := g.values.answer(&got.Outcome)
	switch {
	case got.Busy:
		return c, nil
	case got.Won != nil:
		c.State, c.won = Won, got.Won
		if (got.Found || got.E != nil) && err == nil {
			c.Value, c.Old, c.Age = v, true, got.Age
		}
		return c, nil
	}
	return c.found(v, err)
}

// found makes the claim of what a Get would find.
func (c Claim[V]) found(v V, err error) (Claim[V], error) {
	if err == nil {
		c.State, c.Value = Hit, v
		return c, nil
	}
	if stale, ok := errors.AsType[*StaleError](err); ok {
		c.State, c.Value, c.Old, c.Age = Stale, v, true, stale.Age
		return c, nil
	}
	if errors.Is(err, ErrNotFound) && !errs.IsOutcome(err) {
		c.State = NotFound
		return c, nil
	}
	return c, err
}

// Fill stores the value, and ends the claim: all who wait have it. When it returns nil nothing
// was written since the claim was won. A ttl is as for Set, and GroupOptions.TTLJitter
// shortens it. Errors: ErrClaimVoid, ErrClaimOver, ErrNotWon, ErrInvalidTTL and those of the
// codec, and then nothing was stored; *PeerError, whose MaybeApplied says whether it may be.
func (c Claim[V]) Fill(ctx context.Context, v V, ttl time.Duration) error {
	switch {
	case c.won == nil:
		return ErrNotWon
	case ttl < 0:
		return fmt.Errorf("%w: %v is negative", errs.ErrInvalidTTL, ttl)
	}
	values := &c.group.values
	l := new(loading)
	if ttl > 0 {
		l.ttls = map[string]time.Duration{c.key: ttl}
	}
	e, err := values.loadedEntry(c.key, v, l)
	if err != nil {
		return err
	}
	if len(e.Data) > values.limit {
		return fmt.Errorf("%w: it has %d bytes, Options.MaxValueBytes is %d", errs.ErrTooLarge, len(e.Data), values.limit)
	}
	return c.won.Fill(ctx, e)
}

// NotFound says that there is no such value, which is remembered for GroupOptions.NotFoundTTL,
// and ends the claim. Errors: those of Fill.
func (c Claim[V]) NotFound(ctx context.Context) error {
	if c.won == nil {
		return ErrNotWon
	}
	return c.won.Fail(ctx, errs.ErrNotFound)
}

// Fail ends the claim without a value: all who wait fail with a *LoadError that wraps err, or
// have the old value if GroupOptions.StaleFor keeps it. Errors: those of Fill; *OptionError if
// err is nil.
func (c Claim[V]) Fail(ctx context.Context, err error) error {
	switch {
	case c.won == nil:
		return ErrNotWon
	case err == nil:
		return errs.Option("err", nil, errors.New("it is nil"))
	}
	o := c.group.core.Origin
	_, err = guard.Call(context.Background(), o.Known, func() (struct{}, error) { return struct{}{}, err }) // it is the user's: see there
	return c.won.Fail(ctx, o.LoadError(c.key, err))
}

// Release gives the claim up, for a claimant that cannot load after all: the next that waits has
// it, and nobody fails. Without a claim it does nothing, and if the owner cannot be told, it finds
// out within a second.
func (c Claim[V]) Release(ctx context.Context) {
	if c.won != nil {
		c.won.Release(ctx)
	}
}

// Extend lets the claim stand for d from now on, a minute at most; 0 is
// GroupOptions.LoadTimeout. Errors: ErrClaimOver, ErrNotWon; ErrClaimVoid, and then it
// stands, for those who waited before it became void; *PeerError.
func (c Claim[V]) Extend(ctx context.Context, d time.Duration) error {
	switch {
	case c.won == nil:
		return ErrNotWon
	case d < 0 || d > maxHold:
		return errs.Option("d", d, fmt.Errorf("it must be from 0 to %v", maxHold))
	}
	return c.won.Extend(ctx, d)
}
