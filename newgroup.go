package cachemesh

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// NewGroup registers a group with a node. All members should register it with
// the same loader and options; one that does not know it yet answers so, and
// the others then load for themselves. A nil loader makes a plain distributed
// map, in which a key that was not Set is ErrNotFound; or, with GroupOptions.Cache, a cache
// whose values are loaded where they are wanted: see GetOr.
//
// Register groups before Start, on all members: then no member is ever without one.
// Groups may be registered after it, too. Values that are handed over to a member without
// the group wait there; for two seconds after its Start the others' Gets and Sets of its
// keys wait, if the group has no loader, and then they fail with ErrUnknownGroup until it
// is registered, or by Options.UnknownGroup. Errors: *OptionError for an option, an empty or long name or one that is
// taken; ErrClosed.
func NewGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (*Group[V], error) {
	if n == nil {
		return nil, errs.Option("n", nil, errors.New("it is nil"))
	}
	if name == "" || len(name) > wire.MaxGroupLen {
		return nil, errs.Option("name", name, fmt.Errorf("a group's name has 1 to %d bytes", wire.MaxGroupLen))
	}
	if err := opts.validate(n.opts.TotalBytes > 0); err != nil {
		return nil, err
	}
	if err := opts.checkLoading(load); err != nil {
		return nil, err
	}
	if err := opts.checkFormat(); err != nil {
		return nil, err
	}
	return newGroup(n, name, load, opts)
}

func newGroup[V any](n *Node, name string, load LoaderFunc[V], opts GroupOptions[V]) (g *Group[V], err error) {
	err = n.groups.Budget.Admit(opts.MaxBytes, func(maxBytes int64) (*groups.Core, error) {
		opts.MaxBytes = maxBytes
		s := opts.spec(name)
		s.Replicas, s.Fewer = opts.replicas(load)
		c, err := n.groups.Make(s)
		if err != nil {
			return nil, err
		}
		g = &Group[V]{c, values[V]{core: c, format: codec.New(opts.Codec), opts: opts, limit: n.opts.MaxValueBytes, teller: teller{opts.OnStale, n.log}}, n.groups}
		if g.values.format.Kind == codec.EncodedKind {
			c.DecodedSize, c.CopyEntry = max(g.values.format.Size, 1), g.values.copyEntry
		}
		c.Aliases = g.values.format.Kind != codec.EncodedKind || opts.Codec != nil
		if g.values.format.Counts() {
			c.Add = g.values.sum
		}
		if opts.Tags != nil {
			c.Tags = g.values.tags
		}
		if tell := opts.OnRemove; tell != nil {
			c.Listener = owner.NewListener(c.Life, func(key string, why store.Cause) { tell(key, removalCauses[why]) })
		}
		g.values.attach(load)
		return c, n.groups.Register(c)
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

const maxSentinels = 64

// defaultReplicas is GroupOptions.Replicas of maps.
const defaultReplicas = 2

// replicas returns on how many members each value is, and whether fewer will do: nobody has asked for
// more than there can be.
func (o *GroupOptions[V]) replicas(load LoaderFunc[V]) (n int, fewer bool) {
	switch {
	case o.Replicas > 0:
		return o.Replicas, o.FewerReplicas
	case load != nil || o.LoadMany != nil || o.Writer != nil || o.Cache:
		return 1, false
	}
	return defaultReplicas, true
}

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
	if err := o.checkTimes(); err != nil {
		return err
	}
	switch {
	case o.MaxBytes < 0:
		return errs.Option("MaxBytes", o.MaxBytes, errors.New("it must not be negative"))
	case o.HotReads < 0 || o.HotReads > hotcache.MaxThreshold:
		return errs.Option("HotReads", o.HotReads, fmt.Errorf("it must be from 1 to %d", hotcache.MaxThreshold))
	case o.CopyBytes != 0 && (o.CopyBytes < hotcache.MinBytes || o.MaxBytes > 0 && o.CopyBytes > o.MaxBytes/2):
		return errs.Option("CopyBytes", o.CopyBytes, fmt.Errorf("it must be from %d to half of MaxBytes", hotcache.MinBytes))
	case o.CopyBytes > 0 && o.NoHotCopies:
		return errs.Option("CopyBytes", o.CopyBytes, errors.New("NoHotCopies is set, too"))
	case o.MaxLoads < 0:
		return errs.Option("MaxLoads", o.MaxLoads, errors.New("it must not be negative"))
	case o.Replicas < 0 || o.Replicas > MaxReplicas:
		return errs.Option("Replicas", o.Replicas, fmt.Errorf("it must be from 1 to %d", MaxReplicas))
	case o.FewerReplicas && o.Replicas == 1:
		return errs.Option("FewerReplicas", o.FewerReplicas, errors.New("it is for groups with Replicas"))
	case o.Replicas > 1 && o.Writer != nil:
		return errs.Option("Replicas", o.Replicas, errors.New("with a Writer the origin has what was written"))
	case o.MaxQueued < 0:
		return errs.Option("MaxQueued", o.MaxQueued, errors.New("it must not be negative"))
	}
	if isTypedNil(o.Codec) {
		return errs.Option("Codec", o.Codec, errTypedNil)
	}
	if isTypedNil(o.Writer) {
		return errs.Option("Writer", o.Writer, errTypedNil)
	}
	return checkSentinels(o.Errors)
}

// checkTimes refuses times that cannot be, and those that contradict each other.
func (o *GroupOptions[V]) checkTimes() error {
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
	case !(o.TTLJitter >= 0 && o.TTLJitter <= 1):
		return errs.Option("TTLJitter", o.TTLJitter, errors.New("it must be from 0 to 1"))
	case !(o.RefreshPart >= 0 && o.RefreshPart < 1):
		return errs.Option("RefreshPart", o.RefreshPart, errors.New("it must be at least 0 and less than 1"))
	case o.RefreshPart > 0 && o.RefreshAfter > 0:
		return errs.Option("RefreshPart", o.RefreshPart, errors.New("RefreshAfter is set, too"))
	case o.RefreshAfter > 0 && o.TTL > 0 && o.RefreshAfter >= o.TTL:
		return errs.Option("RefreshAfter", o.RefreshAfter, fmt.Errorf("it must be less than TTL, %v", o.TTL))
	case o.BatchWindow > 0 && o.LoadMany == nil:
		return errs.Option("BatchWindow", o.BatchWindow, errors.New("it needs LoadMany"))
	case o.BatchWindow >= o.LoadTimeout:
		return errs.Option("BatchWindow", o.BatchWindow, fmt.Errorf("it must be less than LoadTimeout, %v", o.LoadTimeout))
	case o.StaleWait > 0 && o.StaleFor == 0:
		return errs.Option("StaleWait", o.StaleWait, errors.New("it needs StaleFor"))
	case o.OnStale != nil && o.StaleFor == 0:
		return errs.Option("OnStale", "set", errors.New("it needs StaleFor"))
	}
	return nil
}

// checkTTL refuses options that act on TTLs where no value has one. A TTL that is Forever in so many
// words says that the loader gives them, by KeepFor.
func (o *GroupOptions[V]) checkTTL() error {
	if o.TTL != 0 || o.TTLFunc != nil || o.Cache {
		return nil
	}
	why := errors.New("it needs TTL or TTLFunc: without one no value has a TTL; if the loader gives them by KeepFor, set TTL to Forever")
	switch {
	case o.StaleFor > 0:
		return errs.Option("StaleFor", o.StaleFor, why)
	case o.TTLJitter > 0:
		return errs.Option("TTLJitter", o.TTLJitter, why)
	case o.RefreshPart > 0:
		return errs.Option("RefreshPart", o.RefreshPart, why)
	}
	return nil
}

// checkLoading refuses options that do nothing without a loader or a TTL.
func (o *GroupOptions[V]) checkLoading(load LoaderFunc[V]) error {
	if err := o.checkTTL(); err != nil {
		return err
	}
	loads := load != nil || o.LoadMany != nil
	switch {
	case o.Replicas > 1 && (loads || o.Cache):
		return errs.Option("Replicas", o.Replicas, errors.New("what is loaded the origin has: it is for groups that are maps"))
	case o.FewerReplicas && (loads || o.Cache || o.Writer != nil):
		return errs.Option("FewerReplicas", o.FewerReplicas, errors.New("it is for groups with Replicas"))
	case loads && o.Cache:
		return errs.Option("Cache", o.Cache, errors.New("the group has a loader: it is a cache"))
	case loads:
		return nil
	case o.Cache:
		return o.checkCache()
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
			return errs.Option(f.option, "set", errNeedsLoader)
		}
	}
	return nil
}

// checkCache refuses what a group that is a cache without a loader cannot do: nobody could
// load a value ahead.
func (o *GroupOptions[V]) checkCache() error {
	switch {
	case o.RefreshAfter > 0:
		return errs.Option("RefreshAfter", o.RefreshAfter, errNeedsLoader)
	case o.RefreshPart > 0:
		return errs.Option("RefreshPart", o.RefreshPart, errNeedsLoader)
	}
	return nil
}

var errNeedsLoader = errors.New("it needs a loader or LoadMany")

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

// checkFormat refuses a type whose values JSON cannot give back.
func (o *GroupOptions[V]) checkFormat() error {
	if o.Codec != nil {
		return nil
	}
	t := reflect.TypeFor[V]()
	if t.Kind() == reflect.Interface && t.NumMethod() > 0 {
		return errs.Option("Codec", nil, fmt.Errorf("values of type %v need one: JSON does not say which type an interface with methods holds", t))
	}
	if err := codec.Unfit(t); err != nil {
		return errs.Option("Codec", nil, fmt.Errorf("values of type %v need one: %w", t, err))
	}
	return nil
}

// spec returns what a group of the name is, but for what its type brings.
func (o *GroupOptions[V]) spec(name string) groups.Spec {
	return groups.Spec{
		Name: name, Version: o.Version, Known: o.Errors, MaxBytes: o.MaxBytes,
		Uses:     groups.Uses{Hot: !o.NoHotCopies, CopyBytes: o.CopyBytes, Failures: o.FailureTTL > 0, Stale: o.StaleFor > 0, Tags: o.Tags != nil, Listens: o.OnRemove != nil},
		Tell:     o.OnInvalidate,
		HotReads: o.HotReads, MaxLoads: o.MaxLoads, MaxQueued: o.MaxQueued,
		Care: owner.Care{
			LoadTimeout: o.LoadTimeout, BatchWindow: o.BatchWindow, NotFoundTTL: o.NotFoundTTL, FailureTTL: o.FailureTTL,
			RefreshAfter: o.RefreshAfter, RefreshPart: o.RefreshPart,
			StaleFor: o.StaleFor, StaleWait: o.StaleWait, FinishLoads: o.FinishLoads, Cache: o.Cache,
		},
	}
}
