package redis

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/praveenduddu/cachemesh"
)

// A group is of bytes.
type group = cachemesh.Group[[]byte]

// A space is the keys of one group, as clients see them.
type space struct {
	prefix string // "" of the default group, else its name and a colon
	group  *group
}

// A keyspace is all keys that clients see, of one group or of several.
type keyspace struct {
	spaces   []space // in an order that is the same on all members
	group    *group  // the default one
	prefixed map[string]*group
}

func keyspaceOf(whole *group, prefixed map[string]*group) keyspace {
	all := []space{{"", whole}}
	for name, g := range prefixed {
		all = append(all, space{name + ":", g})
	}
	slices.SortFunc(all, func(a, b space) int { return strings.Compare(a.prefix, b.prefix) })
	return keyspace{all, whole, prefixed}
}

// of returns the group of a client's key, and what the key is there.
func (k *keyspace) of(key []byte) (*group, string) { return k.named(string(key)) }

func (k *keyspace) named(key string) (*group, string) {
	if len(k.spaces) > 1 {
		if name, rest, ok := strings.Cut(key, ":"); ok {
			if g := k.prefixed[name]; g != nil {
				return g, rest
			}
		}
	}
	return k.group, key
}

// narrow returns what the keys of a space begin with there, if they begin with a text as clients
// see them, and whether there can be any.
func (sp space) narrow(begin string) (prefix string, any bool) {
	rest, ok := strings.CutPrefix(begin, sp.prefix)
	if !ok {
		return "", strings.HasPrefix(sp.prefix, begin)
	}
	return rest, len(rest) <= cachemesh.MaxKeyLen
}

// A cursor is where a scan of all spaces is. With one space that is the place in its group;
// with several its last byte is the number of the space. What of the place this cuts off is gone
// through in one step.
const spaceBits = 8

func (k *keyspace) cursor(space int, at uint64) uint64 {
	if len(k.spaces) == 1 {
		return at
	}
	return at>>spaceBits<<spaceBits | uint64(space)
}

func (k *keyspace) at(cursor uint64) (space int, at uint64) {
	if len(k.spaces) == 1 {
		return 0, cursor
	}
	return int(cursor & (1<<spaceBits - 1)), cursor >> spaceBits << spaceBits
}

var errCursor = errors.New("invalid cursor")

// scan returns a page of the mesh's keys, which begin with a text, and the cursor of the next
// page, 0 if this is the last. The library's promise holds, see cachemesh.Group.Scan: a cursor is
// good on any member and for ever.
func (k *keyspace) scan(ctx context.Context, cursor uint64, count int, begin string) (found []string, next uint64, err error) {
	i, at := k.at(cursor)
	if i >= len(k.spaces) {
		return nil, 0, errCursor
	}
	prefix, any := k.spaces[i].narrow(begin)
	if g, _ := k.named(begin); i == 0 && g != k.group {
		any = false
	}
	for any {
		var page cachemesh.ScanPage[[]byte]
		page, at, err = pageOf(ctx, k.spaces[i].group, at, cachemesh.ScanQuery{Prefix: prefix, Count: count})
		if err != nil {
			return nil, 0, err
		}
		for _, item := range page.Items {
			key := k.spaces[i].prefix + item.Key
			if g, _ := k.named(key); g == k.spaces[i].group {
				found = append(found, key)
			}
		}
		if at == 0 {
			break
		}
		if next := k.cursor(i, at); next != cursor {
			return found, next, nil
		}
	}
	if i++; i == len(k.spaces) {
		return found, 0, nil
	}
	return found, k.cursor(i, 0), nil
}

// pageOf returns a page of a group from a place on, and the place of the next, 0 for none.
func pageOf(ctx context.Context, g *group, at uint64, q cachemesh.ScanQuery) (page cachemesh.ScanPage[[]byte], next uint64, err error) {
	q.Cursor = strconv.FormatUint(at, 10)
	if page, err = g.Scan(ctx, q); err != nil || page.Next == "" {
		return page, 0, err
	}
	next, err = strconv.ParseUint(page.Next, 10, 64)
	return page, next, err
}

const (
	pageKeys    = 1000 // of a scan
	countsPages = 16   // that are counted; what is beyond is estimated
)

// count counts the keys of a group on all members: all of them up to countsPages pages. Of more it
// says how many there are if the rest is as dense, for places are hashes.
func count(ctx context.Context, g *group) (n int64, err error) {
	at := uint64(0)
	for pages := 1; ; pages++ {
		page, next, err := pageOf(ctx, g, at, cachemesh.ScanQuery{Count: pageKeys})
		if err != nil {
			return 0, err
		}
		n += int64(len(page.Items))
		if next == 0 {
			return n, nil
		}
		if at = next; pages >= countsPages && n > 0 {
			return int64(float64(n) * (math.MaxUint64 / float64(at))), nil
		}
	}
}

// random returns a key of the mesh, "" if there is none.
func (k *keyspace) random(ctx context.Context) (string, error) {
	first := rand.IntN(len(k.spaces))
	for i := range k.spaces {
		sp := k.spaces[(first+i)%len(k.spaces)]
		for _, at := range []uint64{rand.Uint64(), 0} { // from a place on, and else from the begin
			for more := true; more; more = at != 0 {
				page, next, err := pageOf(ctx, sp.group, at, cachemesh.ScanQuery{Count: 1})
				if err != nil {
					return "", err
				}
				for _, item := range page.Items {
					return sp.prefix + item.Key, nil
				}
				at = next
			}
		}
	}
	return "", nil
}
