package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// KeepTTL, as the TTL of a conditional write, leaves the new value the time that the one
// before it had left. A key that had none gets the group's TTL.
const KeepTTL time.Duration = math.MinInt64

// A Condition says when SetIf changes a key. The zero Condition is always met; of Absent,
// Present and Version one may be set.
type Condition struct {
	Absent  bool    // the key has no value
	Present bool    // it has one
	Version Version // it has this one

	Former bool // the value before is wanted back, whether or not the condition is met
}

// Written is what came of a conditional write.
type Written[V any] struct {
	Done    bool    // the condition was met, and the change is made
	Version Version // of what the key has now, zero for nothing

	// Former is the value before, if Condition.Former asked for it and Had says that there
	// was one.
	Former V
	Had    bool
}

// SetIf is Set on a condition, which is looked at where the value is stored, and where no
// other write comes in between: of any number of members that set a key if it is absent, or
// if it has a version, one succeeds. That a condition is not met is no error.
//
// In a group with a loader a key has what a Get would find: it is loaded first if need be.
// In one without, values are evicted when the cache is full: what is absent may have been
// there, so SetIf is no lock.
//
// ttl is as for Set, or KeepTTL. A write that was sent and whose answer is lost is not
// repeated, for its own first try may have changed what it finds: that is a *PeerError with
// MaybeApplied. Other errors: those of Set; *OptionError for a Condition that says two
// things; *LoadError, ErrOtherVersion, and then nothing was changed.
func (g *Group[V]) SetIf(ctx context.Context, key string, v V, ttl time.Duration, c Condition) (w Written[V], err error) {
	cond, err := c.packed()
	if err != nil {
		return w, err
	}
	return at(g, key).write(ctx, v, ttl, cond)
}

// SetIfAbsent sets a key that has no value, and reports whether it did: see SetIf.
func (g *Group[V]) SetIfAbsent(ctx context.Context, key string, v V, ttl time.Duration) (bool, error) {
	w, err := g.SetIf(ctx, key, v, ttl, Condition{Absent: true})
	return w.Done, err
}

// packed checks a condition.
func (c Condition) packed() (wire.Condition, error) {
	w, said := wire.Condition{Former: c.Former, Version: c.Version.v}, 0
	for is, says := range map[wire.If]bool{wire.IfAbsent: c.Absent, wire.IfPresent: c.Present, wire.IfVersion: !c.Version.IsZero()} {
		if says {
			w.If, said = is, said+1
		}
	}
	if said > 1 {
		return w, errs.Option("Condition", c, errors.New("set one of Absent, Present and Version"))
	}
	return w, nil
}

// A conditional makes the conditional writes of one key.
type conditional[V any] struct {
	*values[V]
	key string
}

func at[V any](g *Group[V], key string) conditional[V] { return conditional[V]{&g.values, key} }

// write sets a value on a condition.
func (k conditional[V]) write(ctx context.Context, v V, ttl time.Duration, c wire.Condition) (w Written[V], err error) {
	if err := wire.CheckKey(k.key); err != nil {
		return w, err
	}
	if ttl == KeepTTL {
		c.KeepTTL, ttl = true, 0
	}
	e, err := k.newEntry(k.key, v, ttl)
	if err != nil {
		return w, err
	}
	if e == nil {
		c.Remove = true
	}
	return k.change(ctx, owner.Change{E: e, If: &owner.Conditional{Condition: c}})
}

// change carries out a conditional change.
func (k conditional[V]) change(ctx context.Context, ch owner.Change) (w Written[V], err error) {
	if err := k.core.Open(); err != nil {
		return w, err
	}
	hash := ring.Hash(k.core.Seed, k.key)
	switch stats := k.core.Stats.Of(hash); {
	case ch.If.Remove:
		stats.Deletes.Add(1)
	case !ch.If.OnlyLooks():
		stats.Sets.Add(1)
	}
	ch.If.Encoding = k.core.Encoding
	if err := k.core.Change(ctx, hash, strings.Clone(k.key), ch); err != nil {
		return w, err
	}
	got := ch.If.Got
	w.Done, w.Version = got.Met, Version{got.Version}
	if got.Entry != nil && (ch.If.Former || ch.If.Add) {
		w.Had = true
		if w.Former, err = k.value(got.Entry); err != nil {
			return w, &errs.PeerError{Op: wire.OpNames[wire.OpUpdate], Member: k.core.Member, Addr: k.core.Addr, MaybeApplied: got.Met, Err: err}
		}
	}
	return w, nil
}

// GetDelete forgets a key and returns what it had. Of several calls at once one has the
// value. Claims of the key become void, as by a Delete. It returns ErrNotFound if there was none; other errors are those of SetIf.
func (g *Group[V]) GetDelete(ctx context.Context, key string) (V, error) {
	var zero V
	if err := wire.CheckKey(key); err != nil {
		return zero, err
	}
	w, err := at(g, key).change(ctx, owner.Change{If: &owner.Conditional{
		Condition: wire.Condition{If: wire.IfPresent, Former: true, Remove: true}}})
	if err == nil && !w.Had {
		err = ErrNotFound
	}
	return w.Former, err
}

// Touch gives the value of a key another time to live from now on, and reports whether there
// was one. Forever lets it live until it is evicted; a ttl must be positive else. The Writer
// is not called. It is a write like any other, and its version is new; copies that other
// members hold stay valid if it lengthens the time. Errors: ErrInvalidTTL, and those of SetIf.
func (g *Group[V]) Touch(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	if err := wire.CheckKey(key); err != nil {
		return false, err
	}
	if ttl <= 0 {
		return false, fmt.Errorf("%w: %v is not positive", errs.ErrInvalidTTL, ttl)
	}
	w, err := at(g, key).change(ctx, owner.Change{If: &owner.Conditional{Condition: wire.Condition{Touch: true}, TTL: ttl}})
	return w.Done, err
}

// An Action is what the function of an Update wants done.
type Action uint8

const (
	Keep    Action = iota // nothing
	Replace               // the key gets the function's value
	Remove                // the key is forgotten
)

// Update changes the value of a key by a function of it, which runs here, and which no other
// write comes between: f is called with what the key has, found false for nothing, and if
// the key was changed meanwhile, again. It must not change what old refers to. Update returns
// the value that the key has then: what f returned with Replace, old with Keep, the zero
// value with Remove.
//
// ttl is as for SetIf. Errors: f's own, as it is; ctx's; those of Get and SetIf. A value of
// the loader that the group does not keep, as when it is too large, cannot be updated.
func (g *Group[V]) Update(ctx context.Context, key string, ttl time.Duration, f func(old V, found bool) (V, Action, error)) (v V, err error) {
	var former Written[V]
	for try := 0; ; try++ {
		if try == 0 {
			if former, err = at(g, key).present(ctx); err != nil {
				return v, err
			}
		}
		next, action, err := f(former.Former, former.Had)
		if err != nil || action == Keep {
			return former.Former, err
		}
		if former.Had && former.Version.IsZero() {
			return v, fmt.Errorf("%w: the loader's value is not kept, so it cannot be updated", ErrTooLarge)
		}
		w, err := at(g, key).replace(ctx, next, ttl, action, former)
		if err != nil {
			return v, err
		}
		if w.Done {
			if action == Remove {
				return v, nil
			}
			return next, nil
		}
		if err := context.Cause(ctx); err != nil {
			return v, err
		}
		former = w
	}
}

// replace makes the change that Update's function wants, if the key has what that was told.
func (k conditional[V]) replace(ctx context.Context, v V, ttl time.Duration, action Action, former Written[V]) (Written[V], error) {
	cond := wire.Condition{If: wire.IfAbsent, Former: true}
	if former.Had {
		cond.If, cond.Version = wire.IfVersion, former.Version.v
	}
	if action == Remove {
		cond.Remove = true
		return k.change(ctx, owner.Change{If: &owner.Conditional{Condition: cond}})
	}
	return k.write(ctx, v, ttl, cond)
}

// present returns what a key has: a change on a condition that is never met. A load that a
// write made void would have no version; one that such a change needs has the key reserved.
func (k conditional[V]) present(ctx context.Context) (w Written[V], err error) {
	if err := wire.CheckKey(k.key); err != nil {
		return w, err
	}
	w, err = k.change(ctx, owner.Change{If: &owner.Conditional{Condition: wire.Condition{If: wire.IfVersion, Former: true}}})
	if pe, ok := errors.AsType[*errs.PeerError](err); ok && pe.MaybeApplied && !errs.IsOutcome(err) {
		looked := *pe
		looked.MaybeApplied = false
		err = &looked
	}
	return w, err
}

// A Number is a value that Increment counts up: an integer, or text that is a decimal integer
// of 64 bits.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~string | ~[]byte
}

// Increment adds delta to the value of a key, at its owner, and returns the sum. Each call
// counts once. A key without a value counts from 0 and gets ttl, 0 for GroupOptions.TTL; a
// value that is there keeps its time. Errors: ErrOverflow and ErrNotInteger, and those of
// SetIf.
func Increment[V Number](ctx context.Context, g *Group[V], key string, delta int64, ttl time.Duration) (sum V, err error) {
	if err := wire.CheckKey(key); err != nil {
		return sum, err
	}
	if ttl < 0 {
		return sum, negative(ttl)
	}
	if ttl == 0 {
		if ttl = g.values.opts.TTL; ttl == 0 {
			ttl = Forever
		}
	}
	w, err := at(g, key).change(ctx, owner.Change{If: &owner.Conditional{Condition: wire.Condition{Add: true, Delta: delta}, TTL: ttl}})
	return w.Former, err
}
