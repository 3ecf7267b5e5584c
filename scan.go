package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/labels"
	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A ScanQuery says which part of a group Scan returns. The zero value asks for the first page
// of keys.
type ScanQuery struct {
	Cursor string // Next of the page before; "" or "0": begin
	Prefix string // of the keys; "": all
	Count  int    // keys of a page, about; default 100, at most 1000
	Values bool   // with their values
}

// A ScanPage is what Scan found.
type ScanPage[V any] struct {
	Items []ScanItem[V]
	Next  string // Cursor of the next page; "": this is the last one
}

// A ScanItem is a key that has a value, and what a Scan says of it.
type ScanItem[V any] struct {
	Key   string
	TTL   time.Duration // that is left; Forever: it has none
	Value V             // with ScanQuery.Values
}

// ErrInvalidCursor means that no Scan returned this cursor.
var ErrInvalidCursor = errors.New("cachemesh: invalid cursor")

// Scan returns a page of the keys that all members together hold, and the cursor of the next.
// A key that has a value from the first page to the last is in one of them at least, though
// members come and go meanwhile; one that is written, loaded or forgotten meanwhile may be.
// Nothing is loaded, and nothing counts as read. A page may have fewer keys than Count, or none,
// and not be the last: Next says.
//
// A cursor is a decimal number of up to 64 bits. It is good for as long as you like, on any
// member, and nobody remembers it. Pages are in the order of a hash of the keys.
//
// It asks all members for each page. Every member looks at all keys that it holds once in
// 32768 of them, which takes it 0.1 µs each, and keeps 256 KiB for each of four scans for ten
// seconds, beside MaxBytes. While the members do not agree on who they are, or one cannot be
// reached, it tries again until ctx ends, or Options.CallTimeout. Errors: ErrInvalidCursor;
// ErrInvalidKey for a prefix longer than a key; *OptionError for Count; ErrUnsettled; those of
// the members that could not be asked; ErrClosed, ErrGroupClosed, ErrNotStarted.
func (g *Group[V]) Scan(ctx context.Context, q ScanQuery) (page ScanPage[V], err error) {
	from, err := q.check()
	if err == nil {
		err = g.core.Open()
	}
	if err != nil {
		return page, err
	}
	got, err := g.core.Scan(ctx, wire.ScanQuery{From: from, Count: q.Count, Values: q.Values, Prefix: q.Prefix})
	if err != nil {
		return page, err
	}
	if got.Next != 0 {
		page.Next = strconv.FormatUint(got.Next, 10)
	}
	page.Items = make([]ScanItem[V], 0, len(got.Items))
	for i := range got.Items {
		it := &got.Items[i]
		item := ScanItem[V]{Key: strings.Clone(it.Key), TTL: it.Left}
		if it.Left == 0 {
			item.TTL = Forever
		}
		if q.Values {
			found, err := item.take(ctx, g, it)
			if err != nil {
				return page, err
			}
			if !found {
				continue
			}
		}
		page.Items = append(page.Items, item)
	}
	return page, nil
}

// take takes the value of what a Scan found, from its owner if there was no room for it in the page.
func (i *ScanItem[V]) take(ctx context.Context, g *Group[V], it *wire.ScanItem) (found bool, err error) {
	if it.Has {
		i.Value, err = g.values.value(&store.Entry{Key: it.Key, Data: append([]byte{}, it.Value...)})
	} else {
		i.Value, err = g.Peek(ctx, it.Key)
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNotFound) || errs.IsUnreadable(err):
		return false, nil
	}
	return false, err
}

// check fills in the defaults, and returns the hash from which on to scan.
func (q *ScanQuery) check() (from uint64, err error) {
	if q.Cursor != "" {
		if from, err = strconv.ParseUint(q.Cursor, 10, 64); err != nil {
			return 0, fmt.Errorf("%w: %.40q", ErrInvalidCursor, q.Cursor)
		}
	}
	if q.Prefix != "" {
		if err := wire.CheckKey(q.Prefix); err != nil {
			return 0, err
		}
	}
	if q.Count < 0 || q.Count > 1000 {
		return 0, errs.Option("Count", q.Count, errors.New("it must be from 1 to 1000"))
	}
	if q.Count == 0 {
		q.Count = 100
	}
	return from, nil
}

// ScanAll goes through all pages of a Scan. Its error is Scan's, and then the loop ends; the
// item beside it is empty. It holds one page in memory.
//
//	for item, err := range cachemesh.ScanAll(ctx, pages, cachemesh.ScanQuery{Prefix: "blog/"}) {
func ScanAll[V any](ctx context.Context, g *Group[V], q ScanQuery) iter.Seq2[ScanItem[V], error] {
	return func(yield func(ScanItem[V], error) bool) {
		for {
			page, err := g.Scan(ctx, q)
			if err != nil {
				yield(ScanItem[V]{}, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return
			}
		}
	}
}

// All iterates over the entries that this member owns and holds: keys with their
// values. It runs under no lock; entries that change meanwhile may be missed.
// Values that cannot be read, or have another Version, are left out.
func (g *Group[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		c := g.core
		now := c.Clock.Now()
		c.Store.Range(now, func(hash uint64, e *store.Entry) bool {
			until := owner.FreshUntil(e)
			if e.Negative || until != 0 && now >= until || c.State.MayServe(hash, c.Clock.Now()) != nil {
				return true
			}
			v, err := g.values.value(e)
			return err != nil || yield(e.Key, v)
		})
	}
}

// maxTagsAtOnce bounds the tags of one call.
const maxTagsAtOnce = 256

// DeleteTag forgets every value that bears one of the tags, on all members: see
// GroupOptions.Tags. The origin is left alone, also with a Writer: if rows have changed, delete
// the tags that their former values bear. When it returns nil, no Get that starts later
// sees such a value that was cached before, on any member, and none is stored by a load
// that began before. It costs what it forgets, and not what the group holds: about as much as
// Delete of the keys, and a call to each member.
//
// While it runs some may be forgotten and others not. It tries again as Clear does, and its
// errors are Clear's. A minority (ErrMinority) has the majority forget the whole group when
// it is back. Further errors: ErrInvalidKey for a tag that is empty or has more than 1 KiB, or
// more than 256 tags; *OptionError if the group has no Tags.
func (g *Group[V]) DeleteTag(ctx context.Context, tags ...string) error {
	if g.values.opts.Tags == nil {
		return errs.Option("Tags", nil, fmt.Errorf("group %q was registered without it, so no value bears a tag", g.core.Name))
	}
	if len(tags) > maxTagsAtOnce {
		return fmt.Errorf("%w: %d tags at once, the limit is %d", ErrInvalidKey, len(tags), maxTagsAtOnce)
	}
	for _, tag := range tags {
		if tag == "" || len(tag) > labels.MaxTagLen {
			return fmt.Errorf("%w: a tag has 1 to %d bytes, and this one %d", ErrInvalidKey, labels.MaxTagLen, len(tag))
		}
	}
	if err := g.core.Open(); err != nil || len(tags) == 0 {
		return err
	}
	g.core.Stats.Purges.Add(1)
	return g.core.Remove(ctx, owner.Removal{Tags: slices.Clone(tags)})
}

// DeletePrefix forgets every key that begins with prefix, on all members, with the guarantee
// and the errors of DeleteTag; the group needs no Tags. Every member looks at all keys that it
// owns for that, a second for ten million or so, beside other calls: for what is removed
// often, tags are better. ErrInvalidKey: the prefix is empty (see Clear) or longer than a
// key.
func (g *Group[V]) DeletePrefix(ctx context.Context, prefix string) error {
	if err := wire.CheckKey(prefix); err != nil {
		return err
	}
	if err := g.core.Open(); err != nil {
		return err
	}
	g.core.Stats.Purges.Add(1)
	return g.core.Remove(ctx, owner.Removal{Prefix: prefix})
}
