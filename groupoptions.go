package cachemesh

import (
	"errors"
	"fmt"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/owner"
)

// GroupOptions configure a Group. The zero value is fit for use.
type GroupOptions[V any] struct {
	// MaxBytes is this member's budget for the group: keys, values and all
	// bookkeeping. Values that are kept decoded, beside their bytes, are measured when
	// they are decoded; a type that knows better is a Sizer. Default: 64 MiB, with
	// Options.TotalBytes an equal part of what that leaves.
	MaxBytes int64

	// TTL is how long a loaded value lives, and one that is Set without a TTL of
	// its own. Default: Forever, until evicted.
	TTL time.Duration

	// TTLFunc returns a value's TTL, instead of TTL: Forever for until evicted. If
	// it is zero or negative, as for a value that has expired on its way, the value
	// is not kept: a loaded one is returned, and one that is Set only ends the value
	// before it. A loader can say the same with KeepFor. A panic fails the load or the Set. Default: TTL for all.
	TTLFunc func(key string, v V) time.Duration

	// Codec turns values into bytes. Default: []byte and string as they are,
	// JSON for all else.
	//
	// Every Get, on any member, returns what the codec makes of the bytes, and never what
	// it left out of them: unexported fields, the type within an interface, the monotonic
	// reading of a time. A loaded value is decoded once, when it is kept; where JSON
	// certainly gives back the same value, as it does for structs of exported fields of
	// plain types, it is spared that.
	//
	// A value that the codec cannot decode, because another version of your program made
	// it, counts as a miss: it is loaded, counted in Stats.Unreadable and logged, once a
	// minute. See Version.
	Codec Codec[V]

	// Version names what the codec makes of a value, such as "2". Change it when you
	// change the type or the codec, so that what the former version wrote is not decoded
	// into the wrong fields while both run: values of another Version are misses. Each
	// version reads and keeps its own; Delete, Clear and TTLs are for all. The owner of a
	// key loads for its own version only, the others for themselves, without keeping
	// what they load. A Set replaces the value of any version. With a Writer it fails with
	// ErrOtherVersion if the owner has another. Default: none, which is a version too.
	Version string

	// LoadTimeout bounds a call of the loader, whoever waits for it.
	// Default: 30 s.
	LoadTimeout time.Duration

	// HotReads is how many reads of a key within about half a second by this
	// member make it ask the owner for a copy and a lease. Default: 3.
	HotReads int

	// NoHotCopies switches off copies of keys that this member reads often and
	// others own. Default: they may take an eighth of MaxBytes.
	NoHotCopies bool

	// LoadMany loads several keys in one call; GetMany then calls it once per
	// owner for what is missing. It may stand alone or beside the loader, which
	// then loads single keys. Default: none.
	LoadMany LoadManyFunc[V]

	// BatchWindow is how long a single load waits for others, to be loaded
	// together by LoadMany. A millisecond spares an origin that is asked for many
	// keys at once most of its round trips. Default: 0, single loads do not wait.
	BatchWindow time.Duration

	// NotFoundTTL is how long it is remembered that a key does not exist, so that
	// asking for it again does not reach the origin. A Set or Delete ends it at
	// once. Default: 0, not at all.
	NotFoundTTL time.Duration

	// FailureTTL is how long a load's failure is remembered: who asks for the key
	// gets the same *LoadError, and the origin is left alone. Each further failure is
	// remembered twice as long, 10 s in the end, so with 100 ms an origin that is down
	// sees nine loads of a key in the first half minute, and then one in 10 s. A value
	// that StaleFor keeps comes first. A Set, Delete or Clear ends it at once. A 32nd
	// of MaxBytes is set aside for it; large errors are kept as with StaleFor. Default: 0,
	// not at all.
	FailureTTL time.Duration

	// RefreshAfter is the age at which a value that is read is loaded again in the
	// background, once in the mesh, while it is served. Keys in use then never
	// wait for a load. If the load fails the old value stays until its TTL, and
	// the next attempts wait longer and longer. Less than TTL. Default: never.
	RefreshAfter time.Duration

	// RefreshPart is RefreshAfter as a part of each value's own TTL, for values whose
	// TTL differs, as with TTLFunc or KeepFor: from 0 to 1, and 0.8 is a good start.
	// Values without a TTL are never loaded again ahead. Not together with
	// RefreshAfter. Default: 0, never.
	RefreshPart float64

	// StaleFor is how long after its TTL a value is still served, together with a
	// *StaleError, if the loader fails. For data that is better old than missing.
	// After a load has failed the next ones are made in the background, so that
	// nobody waits for an origin that hangs; attempts are 0.1 s apart at first and
	// 10 s in the end. A 32nd of MaxBytes is set aside for what loaders said: an error of
	// more than 2 KiB is kept by its text and as on another member, see LoadError.
	// Default: 0, not at all.
	StaleFor time.Duration

	// StaleWait is how long a Get waits for a load when a value past its TTL is kept
	// (StaleFor): then it returns that, with a *StaleError that matches
	// context.DeadlineExceeded, and the load goes on. It counts from the begin of the
	// load, so while an origin hangs nobody waits again. A caller with less time gets
	// the value shortly before its deadline. Forever: until the load ends. Default:
	// 250 ms.
	StaleWait time.Duration

	// FinishLoads lets a load that has begun go on when nobody waits for it any more,
	// until it returns or LoadTimeout is over, and keeps its value. For origins that
	// take longer than callers have: else each caller's load is called off with it,
	// and nothing is ever cached. Default: off.
	FinishLoads bool

	// TTLJitter shortens each loaded value's TTL by a random part, up to this
	// fraction of it, so that keys that were loaded together do not expire
	// together. From 0 to 1; 0.1 is a good start. Default: 0.
	TTLJitter float64

	// Writer is the origin's other direction: Set and Delete then change it
	// first, at the key's owner, one at a time per key and never beside a load of
	// it. For services that write rows through the mesh alone: cache and origin
	// then cannot disagree. Clear leaves the origin alone. Default: none.
	Writer Writer[V]

	// MaxLoads bounds the loader calls that run at once on this member, one of
	// LoadMany counting as one, until they return: a loader that ignores its context
	// keeps others waiting. For origins that fall over when a cold mesh asks for all
	// at once. Loads that a Get waits for go before refreshes. One that a loader of the
	// group waits for, which has called Get with its own ctx, is not bounded. A Get
	// whose deadline comes before its turn fails with ErrOverloaded, a little before
	// it. Default: 0, no bound.
	MaxLoads int

	// MaxQueued bounds the loads that wait for their turn when MaxLoads is
	// reached; further ones fail at once with ErrOverloaded. Default: 16384.
	MaxQueued int

	// Errors are errors of the loader or Writer, such as sql.ErrConnDone, that
	// errors.Is shall recognise on every member and not only on the one that ran
	// it. They are matched by their text. At most 64.
	Errors []error
}

// Forever is the TTL of values that live until they are evicted.
const Forever time.Duration = owner.Forever

const maxSentinels = 64

// validate fills in the defaults. shares says that a group without MaxBytes has a part of
// Options.TotalBytes.
func (o *GroupOptions[V]) validate(shares bool) error {
	shares = shares && o.MaxBytes == 0
	if !shares {
		setDefault(&o.MaxBytes, 64<<20)
	}
	setDefault(&o.LoadTimeout, 30*time.Second)
	setDefault(&o.MaxQueued, 16384)
	if o.StaleFor > 0 {
		setDefault(&o.StaleWait, 250*time.Millisecond)
	}
	for _, f := range []struct {
		option string
		value  time.Duration
	}{
		{"TTL", o.TTL}, {"LoadTimeout", o.LoadTimeout}, {"BatchWindow", o.BatchWindow}, {"NotFoundTTL", o.NotFoundTTL},
		{"RefreshAfter", o.RefreshAfter}, {"StaleFor", o.StaleFor}, {"StaleWait", o.StaleWait},
		{"FailureTTL", o.FailureTTL},
	} {
		if f.value < 0 {
			return errs.Option(f.option, f.value, fmt.Errorf("%w: it must not be negative", errs.ErrInvalidTTL))
		}
	}
	switch {
	case o.MaxBytes < 0:
		return errs.Option("MaxBytes", o.MaxBytes, errors.New("it must not be negative"))
	case o.HotReads < 0 || o.HotReads > hotcache.MaxThreshold:
		return errs.Option("HotReads", o.HotReads, fmt.Errorf("it must be from 1 to %d", hotcache.MaxThreshold))
	case o.MaxLoads < 0:
		return errs.Option("MaxLoads", o.MaxLoads, errors.New("it must not be negative"))
	case o.MaxQueued < 0:
		return errs.Option("MaxQueued", o.MaxQueued, errors.New("it must not be negative"))
	case !(o.TTLJitter >= 0 && o.TTLJitter <= 1):
		return errs.Option("TTLJitter", o.TTLJitter, errors.New("it must be from 0 to 1"))
	case !(o.RefreshPart >= 0 && o.RefreshPart < 1):
		return errs.Option("RefreshPart", o.RefreshPart, errors.New("it must be at least 0 and less than 1"))
	case o.RefreshPart > 0 && o.RefreshAfter > 0:
		return errs.Option("RefreshPart", o.RefreshPart, errors.New("RefreshAfter is set, too"))
	case o.BatchWindow > 0 && o.LoadMany == nil:
		return errs.Option("BatchWindow", o.BatchWindow, errors.New("it needs LoadMany"))
	case o.StaleWait > 0 && o.StaleFor == 0:
		return errs.Option("StaleWait", o.StaleWait, errors.New("it needs StaleFor"))
	case o.RefreshAfter > 0 && o.TTL > 0 && o.RefreshAfter >= o.TTL:
		return errs.Option("RefreshAfter", o.RefreshAfter, fmt.Errorf("it must be less than TTL, %v", o.TTL))
	}
	if isTypedNil(o.Codec) {
		return errs.Option("Codec", o.Codec, errTypedNil)
	}
	if isTypedNil(o.Writer) {
		return errs.Option("Writer", o.Writer, errTypedNil)
	}
	return checkSentinels(o.Errors)
}

// checkLoading refuses options that do nothing without a loader or a TTL.
func (o *GroupOptions[V]) checkLoading(load LoaderFunc[V]) error {
	if o.StaleFor > 0 && o.TTL == 0 && o.TTLFunc == nil {
		return errs.Option("StaleFor", o.StaleFor, errors.New("it needs TTL or TTLFunc: without one no value grows stale"))
	}
	if load != nil || o.LoadMany != nil {
		return nil
	}
	for _, f := range []struct {
		option string
		set    bool
	}{
		{"NotFoundTTL", o.NotFoundTTL > 0}, {"RefreshAfter", o.RefreshAfter > 0}, {"StaleFor", o.StaleFor > 0},
		{"TTLJitter", o.TTLJitter > 0}, {"MaxLoads", o.MaxLoads > 0},
		{"RefreshPart", o.RefreshPart > 0}, {"FinishLoads", o.FinishLoads}, {"FailureTTL", o.FailureTTL > 0},
	} {
		if f.set {
			return errs.Option(f.option, "set", errors.New("it needs a loader or LoadMany"))
		}
	}
	return nil
}

func checkSentinels(known []error) error {
	if len(known) > maxSentinels {
		return errs.Option("Errors", len(known), fmt.Errorf("the limit is %d", maxSentinels))
	}
	for i, err := range known {
		if err == nil || isTypedNil(err) {
			return errs.Option("Errors", len(known), fmt.Errorf("element %d is nil", i))
		}
		if !guard.IsSound(err, guard.KnownOf(known[:i+1])) {
			return errs.Option("Errors", len(known), fmt.Errorf("element %d, a %T, cannot be asked what it is: a method of it panics", i, err))
		}
	}
	return nil
}

// uses says what the group needs room for.
func (o *GroupOptions[V]) uses() uses {
	return uses{hot: !o.NoHotCopies, failures: o.FailureTTL > 0, stale: o.StaleFor > 0}
}
