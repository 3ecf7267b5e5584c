// Package origin calls the functions that a user gave a group: guarded, so that nothing
// of theirs harms this module, and in turn, so that the database behind them is not asked
// too much at once.
//
// An [Origin] has them; a [Place] is where one load stands in the queue for its turn. What
// may be stored of what they return is the owner's to decide.
//
// What holds: a turn that was taken is given back when the function returns, and not when its
// caller gave it up; whoever waits goes before those for whom nobody waits.
//
// Caveats: a function that ignores its context goes on after the caller was answered; returned
// says when it is over.
package origin

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/tally"
)

// Funcs are the user's functions. What they return and take is entries. nil: none.
type Funcs struct {
	Load     func(ctx context.Context, key string) (*store.Entry, error)
	LoadMany func(ctx context.Context, keys []string) (map[string]Loaded, error)
	Write    func(ctx context.Context, key string, e *store.Entry) error // e nil: delete
}

// Loaded is what a load came to.
type Loaded struct {
	Entry *store.Entry
	Err   error
}

// An Origin is where the values of a group come from: it calls the user's functions,
// guarded and in turn, and counts what came of it. Its methods are called concurrently.
type Origin struct {
	Funcs         // set before the first call
	Group, Member string
	Known         []guard.Known // errors that other members are to recognise
	Turn          *Turns        // nil: any number of loads may run
	Counts        Counts

	// OnPanic is told, where the user's function ran, that it panicked; it must be quick. Set
	// before the first call; nil: nobody is told.
	OnPanic func(function, key string, p *guard.PanicError)
}

// Counts are what an origin counts of its loads.
type Counts struct {
	Loads, Failed atomic.Uint64 // calls, and those that failed otherwise than with ErrNotFound
	Took          tally.Times   // what they took
	Most          atomic.Int64  // what the longest took, in nanoseconds
}

// add counts one call.
func (k *Counts) add(took time.Duration, failed bool) {
	k.Took.Add(took)
	for last := k.Most.Load(); int64(took) > last && !k.Most.CompareAndSwap(last, int64(took)); {
		last = k.Most.Load()
	}
	if failed {
		k.Failed.Add(1)
	}
}

// CallLoad calls the loader for one key, when it is its turn. returned is called when the
// loader has returned, which may be later, or if it is not called. Errors: ErrNotFound,
// wrapped or not, and *LoadError.
func (o *Origin) CallLoad(ctx context.Context, key string, p *Place, returned func()) (*store.Entry, error) {
	return o.Call(ctx, key, p, o.Load, returned)
}

// Call is CallLoad with another loader.
func (o *Origin) Call(ctx context.Context, key string, p *Place, load func(context.Context, string) (*store.Entry, error),
	returned func()) (*store.Entry, error) {
	if err := o.Turn.take(ctx, p); err != nil {
		returned()
		return nil, o.LoadError(key, err)
	}
	start := time.Now()
	o.Counts.Loads.Add(1)
	e, err := guard.Call(ctx, o.Known, func() (*store.Entry, error) {
		defer returned()
		defer o.Turn.give(p) // when it returns, and not when it is given up
		return load(o.withTurn(ctx), key)
	})
	failed := err != nil && !guard.IsAbsence(err)
	o.Counts.add(time.Since(start), failed)
	if failed {
		return nil, o.LoadError(key, err)
	}
	return e, err
}

// CallLoadMany calls LoadMany, as CallLoad does the loader. Its error is the function's own.
func (o *Origin) CallLoadMany(ctx context.Context, keys []string, p *Place, returned func()) (map[string]Loaded, error) {
	if err := o.Turn.take(ctx, p); err != nil {
		returned()
		return nil, err
	}
	start := time.Now()
	o.Counts.Loads.Add(1)
	outcomes, err := guard.Call(ctx, o.Known, func() (map[string]Loaded, error) {
		defer returned()
		defer o.Turn.give(p)
		return o.LoadMany(o.withTurn(ctx), keys)
	})
	o.Counts.add(time.Since(start), anyFailed(outcomes, err))
	return outcomes, err
}

// anyFailed reports whether a call of LoadMany, or a key of it, failed otherwise than
// with ErrNotFound.
func anyFailed(outcomes map[string]Loaded, err error) bool {
	if err != nil && !guard.IsAbsence(err) {
		return true
	}
	for _, out := range outcomes {
		if out.Err != nil && !guard.IsAbsence(out.Err) {
			return true
		}
	}
	return false
}

// CallWriter calls the Writer: Delete if e is nil, else Store. returned is called when it
// has returned, which may be later. Its error is a *WriteError.
func (o *Origin) CallWriter(ctx context.Context, key string, e *store.Entry, returned func()) error {
	_, err := guard.Call(ctx, o.Known, func() (struct{}, error) {
		defer returned()
		return struct{}{}, o.Write(ctx, key, e)
	})
	if err == nil {
		return nil
	}
	panicked := o.panicked("Writer", key, err)
	return &errs.WriteError{Group: o.Group, Key: key, Member: o.Member, Panic: panicked, Err: err}
}

// LoadError says that a load of a key failed.
func (o *Origin) LoadError(key string, err error) *errs.LoadError {
	panics := o.panicked("loader", key, err)
	return &errs.LoadError{Group: o.Group, Key: key, Member: o.Member, Panic: panics, Err: errs.AsFailure(err)}
}

// panicked reports whether a function of the user's has panicked, and tells OnPanic.
func (o *Origin) panicked(function, key string, err error) bool {
	p, ok := errors.AsType[*guard.PanicError](err)
	if ok && o.OnPanic != nil && p.Stack() != "" {
		o.OnPanic(function, key, p)
	}
	return ok
}

// HurryUp notes that one who came with ctx waits for loads at these places.
func (o *Origin) HurryUp(ctx context.Context, places ...*Place) {
	if o.Turn == nil {
		return
	}
	free := HoldsTurn(ctx, o.Group)
	for _, p := range places {
		o.Turn.hurry(p, free)
	}
}

// withTurn returns a context for a loader of the group.
func (o *Origin) withTurn(ctx context.Context) context.Context {
	if o.Turn == nil || HoldsTurn(ctx, o.Group) {
		return ctx
	}
	return WithHeld(ctx, &HeldTurns{o.Group, Held(ctx)})
}

// LastCall returns a channel that is closed a little before ctx's deadline if
// loads may have to wait for their turn: it is time to say that they still do, or
// a peer that asked would hear nothing but that its time is up.
func (o *Origin) LastCall(ctx context.Context) (<-chan struct{}, context.CancelFunc) {
	if o.Turn == nil {
		return nil, func() {}
	}
	return ShortlyBefore(ctx)
}
