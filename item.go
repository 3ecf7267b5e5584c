package cachemesh

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/groups"
	"github.com/praveenduddu/cachemesh/internal/ring"
	"github.com/praveenduddu/cachemesh/internal/route"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// Peek returns the value of a key if it is in the memory of this member or of
// its owner; it never loads. Errors: ErrNotFound if it is in neither; else as
// Get's.
func (g *Group[V]) Peek(ctx context.Context, key string) (V, error) {
	o := g.core.Peek(ctx, key)
	v, _, err := g.values.answer(&o)
	if errs.IsUnreadable(err) {
		g.core.NoteUnreadable(key, err)
		err = errs.ErrNotFound
	}
	return v, err
}

// An Item is a value with what its owner knows of it.
type Item[V any] struct {
	Value V
	Meta
}

// Meta is what the owner of a key knows of its value.
type Meta struct {
	Version Version
	TTL     time.Duration // that is left; Forever: it has none
	Age     time.Duration // since it was loaded, written or touched, by the clocks of the members
	Size    int64         // bytes that it takes of MaxBytes at its owner
	Owner   string        // the member's name
}

// Item returns the value of a key from its owner, which loads it if need be, with its
// version. It costs a call to the owner, also for keys of which this member has a copy.
// Errors: those of Get.
func (g *Group[V]) Item(ctx context.Context, key string) (item Item[V], err error) {
	got, err := itemOf(ctx, g.core, key, 0)
	if got.E == nil {
		return item, err
	}
	item.Meta = metaOf(got)
	v, unreadable := g.values.value(got.E)
	if unreadable != nil {
		return item, unreadable
	}
	item.Value = v
	return item, g.values.told(ctx, err)
}

// Meta returns what the owner of a key knows of its value, which is not loaded. Errors:
// ErrNotFound if there is none in memory now; else those of Get.
func (g *Group[V]) Meta(ctx context.Context, key string) (Meta, error) {
	return metaIn(ctx, g.core, key)
}

func metaIn(ctx context.Context, c *groups.Core, key string) (Meta, error) {
	got, err := itemOf(ctx, c, key, wire.FlagPeek|wire.FlagNoValue)
	if got.E == nil {
		return Meta{}, err
	}
	return metaOf(got), err
}

func itemOf(ctx context.Context, c *groups.Core, key string, flags uint8) (got route.Item, err error) {
	if err := wire.CheckKey(key); err != nil {
		return got, err
	}
	if err := c.Open(); err != nil {
		return got, err
	}
	return c.Item(ctx, ring.Hash(c.Seed, key), strings.Clone(key), flags)
}

func metaOf(got route.Item) Meta {
	m := Meta{Version: Version{got.E.Version}, TTL: got.Left, Age: got.Age, Size: got.Size, Owner: got.Owner}
	if m.TTL == 0 {
		m.TTL = Forever
	}
	return m
}

// Contains reports whether Peek would return a value. Errors: as Peek's, but for
// ErrNotFound.
func (g *Group[V]) Contains(ctx context.Context, key string) (bool, error) {
	_, err := g.Peek(ctx, key)
	if errors.Is(err, errs.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// A Version names one value that a key has had: no other value of it, before or after, on
// whatever member, has the same. Versions are compared with ==. The zero Version names none.
type Version struct{ v store.Version }

// IsZero reports whether v names no value.
func (v Version) IsZero() bool { return v == Version{} }

// String returns a text of 32 characters that ParseVersion understands, or "" for none.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return hex.EncodeToString(wire.AppendVersion(nil, v.v))
}

// ParseVersion undoes String.
func ParseVersion(s string) (v Version, err error) {
	if s == "" {
		return v, nil
	}
	b, err := hex.DecodeString(s)
	if err == nil {
		var rest []byte
		var ok bool
		if v.v, rest, ok = wire.CutVersion(b); !ok || len(rest) > 0 {
			err = fmt.Errorf("it has %d bytes, not 16", len(b))
		}
	}
	if err != nil {
		return Version{}, fmt.Errorf("cachemesh: %q is no version: %w", s, err)
	}
	return v, nil
}

// Lend is Get for values that are kept outside the mesh, as by clients of this process that
// have a cache of their own: until a time that it returns GroupOptions.OnInvalidate is called
// before anything changes of the key. Another call before then, without a word of OnInvalidate
// meanwhile, makes it later, and the value is still the same. The zero time promises nothing: the
// key has no value, or nobody can promise it. One thing nobody waits for: when the members change,
// or this one loses its right, OnInvalidate("") is called at once, and a change may be a moment ahead of it.
//
// The time is Options.Lease away at most. Whoever keeps the value notes that before the call, for
// OnInvalidate may be called before it returns. A change of such a key waits for OnInvalidate, and
// for a member that is gone, for four thirds of Options.Lease at most. Errors: those of Get; *OptionError if the
// group has no OnInvalidate.
func Lend[V any](ctx context.Context, g *Group[V], key string) (v V, until time.Time, err error) {
	if err := wire.CheckKey(key); err != nil {
		return v, until, err
	}
	if g.values.opts.OnInvalidate == nil {
		return v, until, errs.Option("OnInvalidate", nil, errors.New("the group has none"))
	}
	got, end := g.core.Lend(ctx, ring.Hash(g.core.Seed, key), strings.Clone(key))
	v, _, err = g.values.answer(&got)
	if errs.IsUnreadable(err) {
		v, err = g.Get(ctx, key)
		return v, until, err
	}
	err = g.values.told(ctx, err)
	if end != 0 && err == nil {
		wall := time.Now() // before the member's own clock is read, so that it is no later
		until = wall.Add(time.Duration(end - g.core.Clock.Now()))
	}
	return v, until, err
}

// An AnyGroup is a group that a node has registered, whatever the type of its values: what
// watches a node sees of it. Two are equal if they are of the same NewGroup. Its methods are
// called concurrently, also when the group is closed.
type AnyGroup struct{ core *groups.Core }

// Groups returns the groups that are registered and not closed, in the order of their
// registration. The first is the default group of Node.Get and Node.Set, whose name is empty.
func (n *Node) Groups() []AnyGroup {
	all := n.groups.All()
	found := make([]AnyGroup, 0, len(all))
	for _, c := range all {
		if !c.IsCut() {
			found = append(found, AnyGroup{c})
		}
	}
	return found
}

// Name returns the group's name.
func (g AnyGroup) Name() string { return strings.Clone(g.core.Name) }

// Stats is Group.Stats.
func (g AnyGroup) Stats() Stats { return statsOf(g.core) }

// Meta is Group.Meta.
func (g AnyGroup) Meta(ctx context.Context, key string) (Meta, error) {
	return metaIn(ctx, g.core, key)
}

// Owner returns the name of the member that owns a key as this member sees it, whether or not
// the key has a value. It asks nobody. Errors: ErrInvalidKey; ErrNotStarted and ErrClosed, also
// if everybody is leaving.
func (g AnyGroup) Owner(key string) (string, error) {
	if err := wire.CheckKey(key); err != nil {
		return "", err
	}
	if err := g.core.Open(); err != nil {
		return "", err
	}
	v := g.core.State.View()
	if v == nil && !g.core.Life.IsClosing() {
		return "", errs.ErrNotStarted
	}
	if v == nil {
		return "", errs.ErrClosed
	}
	if o := v.Owner(ring.Hash(g.core.Seed, key)); o != nil {
		return o.Name, nil
	}
	return "", errs.ErrClosed
}
