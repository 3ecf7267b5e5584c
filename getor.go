package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/origin"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

const (
	maxHold = owner.MaxHold

	// holdMargin is how long after LoadTimeout a claim of GetOr stands: its failure is told, too.
	holdMargin = time.Second
)

// GetOr is Get with a loader of the call's own, which runs here, in this process: of all that
// call GetOr for a key that has no value, on all members, one runs its loader, and the others
// have what that returned. All loaders of a key must mean the same value. It is for loaders
// that need what only their caller has; a hit costs what Get's costs.
//
// load is guarded, counted and bounded as the group's loader is, in ctx has KeepFor and
// Former, and the same errors and options go for what it returns. Its context is ctx with
// GroupOptions.LoadTimeout, and ends with it: then the next who waits runs its own. With
// FinishLoads it goes on without its caller. If this process dies meanwhile, that too: within
// a second or so.
//
// A value that was loaded before a Delete or Set of the key, and comes after it, is returned to
// those who had asked by then, and not stored; in a group with a Writer they ask again.
//
// Errors: *LoadError, for all who waited for the load; ErrNotCache in a plain map; *OptionError
// if load is nil; and those of Get.
func (g *Group[V]) GetOr(ctx context.Context, key string, load LoaderFunc[V]) (v V, err error) {
	if err := wire.CheckKey(key); err != nil {
		return v, err
	}
	if load == nil {
		return v, errs.Option("load", nil, errors.New("it is nil"))
	}
	c := g.core
	hash, now := ring.Hash(c.Seed, key), c.Clock.Now()
	if e := c.Hit(hash, key, now); e != nil {
		if e.Inline {
			return *(*V)(unsafe.Add(unsafe.Pointer(e), unsafe.Sizeof(*e))), nil // see Get
		}
		if v, err = g.values.present(e); !errs.IsUnreadable(err) {
			return v, err
		}
		c.NoteUnreadable(key, err)
		c.Discard(hash, key, e)
	}
	if c.Origin.Load == nil {
		return v, ErrNotCache
	}
	if c.Faults.JoinAtMember {
		v, err = g.values.joinOr(ctx, hash, strings.Clone(key), load)
	} else {
		v, err = g.values.getOr(ctx, hash, strings.Clone(key), load)
	}
	return v, g.values.told(ctx, err)
}

// joinOr is getOr with a safeguard left out: it joins one that runs here.
func (g *values[V]) joinOr(ctx context.Context, hash uint64, key string, load LoaderFunc[V]) (v V, err error) {
	mine := &joined[V]{done: make(chan struct{})}
	if running, runs := g.core.Joining.LoadOrStore(key, mine); runs {
		mine = running.(*joined[V])
		<-mine.done
		return mine.v, mine.err
	}
	mine.v, mine.err = g.getOr(ctx, hash, key, load)
	g.core.Joining.Delete(key)
	close(mine.done)
	return mine.v, mine.err
}

// joined is what a GetOr comes to, for joinOr.
type joined[V any] struct {
	done chan struct{}
	v    V
	err  error
}

// getOr answers a GetOr that is no hit here.
func (g *values[V]) getOr(ctx context.Context, hash uint64, key string, load LoaderFunc[V]) (v V, err error) {
	for {
		bid := wire.Bid{Wait: maxHold, Hold: min(g.opts.LoadTimeout, maxHold-holdMargin) + holdMargin}
		ask := route.Bidding{Router: &g.core.Router, Hash: hash, Key: key, Bid: bid}
		got := ask.Ask(ctx)
		switch {
		case got.Busy:
			if err := ctx.Err(); err != nil {
				return v, err
			}
			continue
		case got.Won == nil:
			v, _, err := g.answer(&got.Outcome)
			if !errs.IsUnreadable(err) {
				return v, err
			}
			g.core.NoteUnreadable(key, err)
			return g.loadAlone(ctx, hash, key, false, load)
		}
		if got.Won.IsAlone() {
			return g.loadAlone(ctx, hash, key, got.Won.StandIn, load)
		}
		call := &ownLoad[V]{g, key, load, got}
		if v, again, err := call.run(ctx); !again {
			return v, err
		}
	}
}

// loadAlone answers a GetOr of which nobody could tell the owner of the key, by a load whose
// value is not stored. Those who come to this member meanwhile share the next one.
func (g *values[V]) loadAlone(ctx context.Context, hash uint64, key string, standIn bool, load LoaderFunc[V]) (V, error) {
	o := route.OutcomeOf(g.core.LoadUnstoredBy(ctx, hash, key, standIn, func(ctx context.Context, key string) (*store.Entry, error) {
		ctx, l := g.loading(ctx, key)
		v, err := load(ctx, key)
		if err != nil {
			return nil, err
		}
		return g.loadedEntry(key, v, l)
	}))
	v, _, err := g.answer(&o)
	return v, err
}

// An ownLoad is the call of a loader by GetOr, which has the claim on the key.
type ownLoad[V any] struct {
	*values[V]
	key  string
	load LoaderFunc[V]
	got  route.Claimed
}

// run calls the loader and stores what it returns. It reports again if that answers nobody.
func (c *ownLoad[V]) run(ctx context.Context) (v V, again bool, err error) {
	type outcome struct {
		e     *store.Entry
		again bool
		err   error
	}
	done := make(chan outcome, 1)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.LoadTimeout)
	if !c.core.Life.Go(func() {
		defer cancel()
		var out outcome
		out.e, out.again, out.err = c.loadAndFill(within)
		done <- out
	}) {
		cancel()
		return v, false, errs.ErrClosed
	}
	old, hasOld := c.old()
	var soft <-chan time.Time
	if hasOld && c.opts.StaleWait < c.opts.LoadTimeout {
		t := time.NewTimer(c.opts.StaleWait)
		defer t.Stop()
		soft = t.C
	}
	select {
	case out := <-done:
		if _, failed := out.err.(*errs.LoadError); failed && hasOld {
			return old, false, &errs.StaleError{Group: c.core.Name, Key: c.key, Age: c.got.Age, Err: out.err}
		}
		o := route.OutcomeOf(out.e, out.err)
		v, _, err = c.answer(&o)
		return v, out.again, err
	case <-soft:
		return old, false, &errs.StaleError{Group: c.core.Name, Key: c.key, Age: c.got.Age, Err: c.core.Origin.LoadError(c.key, errSlow)}
	case <-ctx.Done():
		if !c.opts.FinishLoads {
			cancel()
		}
		return v, false, ctx.Err()
	}
}

var errSlow = fmt.Errorf("it has not returned within StaleWait, and goes on: %w", context.DeadlineExceeded)

// old returns the value that the key still has.
func (c *ownLoad[V]) old() (v V, ok bool) {
	if c.got.E == nil && !c.got.Found {
		return v, false
	}
	v, err := c.decoded(&c.got.Outcome)
	return v, err == nil
}

// loadAndFill calls the loader under the guard that all loaders run in, and says what it
// returned to the owner of the key, for all who wait.
func (c *ownLoad[V]) loadAndFill(ctx context.Context) (e *store.Entry, again bool, err error) {
	won, o := c.got.Won, c.core.Origin
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.core.Loading, cancel)()
	defer c.extend(ctx)()
	lctx, l := c.loading(ctx, c.key)
	l.former = func(key string) (v V, ok bool) {
		if key != c.key {
			return v, false
		}
		return c.old()
	}
	place := new(origin.Place)
	o.HurryUp(ctx, place)
	e, err = o.Call(lctx, c.key, place, func(ctx context.Context, key string) (*store.Entry, error) {
		v, err := c.load(ctx, key)
		if err != nil {
			return nil, err
		}
		return c.loadedEntry(key, v, l)
	}, func() {})
	after := context.WithoutCancel(ctx)
	var told error
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled): // its caller has gone, or this member goes
		won.Release(after)
		return nil, false, err
	case err == nil:
		told = won.Fill(after, e)
	default:
		told = won.Fail(after, err)
	}
	// With a Writer what was read beside a write may be newer than what others still see.
	again = told != nil && o.Write != nil && !won.IsAlone() && (err == nil || guard.IsAbsence(err))
	return e, again, err
}

// extend lets the claim stand as long as the loader may run, which may be longer than claims do.
func (c *ownLoad[V]) extend(ctx context.Context) (stop func()) {
	if c.opts.LoadTimeout <= maxHold {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	c.core.Life.Go(func() {
		for c.core.Life.Pause(ctx, maxHold/2) == nil {
			if err := c.got.Won.Extend(ctx, maxHold); errors.Is(err, errs.ErrClaimOver) {
				return
			}
		}
	})
	return cancel
}
