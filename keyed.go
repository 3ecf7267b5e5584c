package cachemesh

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/keys"
)

// A KeyFormat says which strings stand for keys of a type: Format gives them, and Parse undoes
// that, for the loader. Both are called concurrently; keys are the same whose strings are. The zero
// KeyFormat is for integers, which become decimal numbers, for strings, and for types with
// MarshalText and UnmarshalText, such as a netip.Addr; others need both functions.
type KeyFormat[K comparable] struct {
	Format func(K) string
	Parse  func(string) (K, error)
}

// A KeyedGroup is a [Group] whose keys are of a type of your own. Its methods do what those of Group
// do, with the same guarantees and errors; keys that have no string are ErrInvalidKey. KeyErrors and
// the functions in GroupOptions have keys as strings. They are called concurrently. A Get that is a
// hit in this member's memory allocates nothing if keys are integers or strings.
type KeyedGroup[K comparable, V any] struct {
	group *Group[V]
	keys  keys.Format[K]
}

// NewKeyedGroup registers a group with a node, as [NewGroup] does, with its errors, and an
// *OptionError that names key if that is not complete and K needs it. A key that Parse does not
// understand, as another program may have asked for, fails its load with ErrInvalidKey.
//
//	users, err := cachemesh.NewKeyedGroup(node, "users", cachemesh.KeyFormat[int64]{}, loadUser, cachemesh.GroupOptions[User]{})
//	u, err := users.Get(ctx, 42)
func NewKeyedGroup[K comparable, V any](n *Node, name string, key KeyFormat[K], load func(ctx context.Context, key K) (V, error), opts GroupOptions[V]) (*KeyedGroup[K, V], error) {
	f, err := keys.New(key.Format, key.Parse)
	if err != nil {
		return nil, errs.Option("key", "(KeyFormat)", err)
	}
	g, err := NewGroup(n, name, byString(f, load), opts)
	if err != nil {
		return nil, err
	}
	return &KeyedGroup[K, V]{g, f}, nil
}

// byString returns a loader that is given strings.
func byString[K comparable, V any](f keys.Format[K], load func(context.Context, K) (V, error)) LoaderFunc[V] {
	if load == nil {
		return nil
	}
	return func(ctx context.Context, key string) (v V, err error) {
		k, err := parse(f, key)
		if err != nil {
			return v, err
		}
		return load(ctx, k)
	}
}

// LoadRows returns a LoadManyFunc that makes one query for all keys, such as
// SELECT … WHERE id = ANY($1). query returns the rows that exist, in any order, and of says which key
// a row has. Both are called concurrently. Keys that Parse does not understand fail with
// ErrInvalidKey, and are not asked for; if query fails, the rows that it returns beside its error
// are loaded all the same. A KeyFormat that is not complete fails every load, with an *OptionError.
//
//	users, err := cachemesh.NewKeyedGroup(node, "users", cachemesh.KeyFormat[int64]{}, nil, cachemesh.GroupOptions[User]{
//		LoadMany: cachemesh.LoadRows(cachemesh.KeyFormat[int64]{}, queryUsers, func(u User) int64 { return u.ID }),
//	})
func LoadRows[K comparable, V any](key KeyFormat[K], query func(ctx context.Context, keys []K) ([]V, error), of func(row V) K) LoadManyFunc[V] {
	f, wrong := keys.New(key.Format, key.Parse)
	return func(ctx context.Context, texts []string) (map[string]V, error) {
		if wrong != nil {
			return nil, errs.Option("key", "(KeyFormat)", wrong)
		}
		asked, failed := make([]K, 0, len(texts)), make(KeyErrors)
		for _, text := range texts {
			if k, err := parse(f, text); err != nil {
				failed[text] = err
			} else {
				asked = append(asked, k)
			}
		}
		var rows []V
		var err error
		if len(asked) > 0 {
			rows, err = query(ctx, asked)
		}
		found := make(map[string]V, len(rows))
		for _, row := range rows {
			text, unwritten := f.Text(of(row))
			if unwritten != nil {
				err = errors.Join(err, fmt.Errorf("the key of a row: %w", unwritten))
				continue
			}
			found[text] = row
		}
		if len(failed) > 0 {
			err = errors.Join(failed, err)
		}
		return found, err
	}
}

// parse returns the key of a string. Error: ErrInvalidKey.
func parse[K comparable](f keys.Format[K], text string) (K, error) {
	k, err := f.Parse(text)
	if err != nil {
		return k, fmt.Errorf("%w: it is no %v: %w", ErrInvalidKey, reflect.TypeFor[K](), err)
	}
	return k, nil
}

// Group returns the group itself, by strings: for all that KeyedGroup does not do.
func (g *KeyedGroup[K, V]) Group() *Group[V] { return g.group }

// Key returns the string that stands for a key. Error: ErrInvalidKey.
func (g *KeyedGroup[K, V]) Key(key K) (string, error) {
	s, err := g.keys.Text(key)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalidKey, err)
	}
	return s, nil
}

// Get is Group.Get.
func (g *KeyedGroup[K, V]) Get(ctx context.Context, key K) (V, error) {
	var buf [keys.MaxInt]byte
	b, integer := g.keys.AppendInt(buf[:0], key)
	if !integer {
		s, err := g.Key(key)
		if err != nil {
			var zero V
			return zero, err
		}
		return g.group.Get(ctx, s)
	}
	if v, ok, err := g.group.values.hit(unsafe.String(unsafe.SliceData(b), len(b))); ok {
		return v, err
	}
	return g.group.Get(ctx, string(b))
}

// GetOr is Group.GetOr.
func (g *KeyedGroup[K, V]) GetOr(ctx context.Context, key K, load func(ctx context.Context, key K) (V, error)) (v V, err error) {
	s, err := g.Key(key)
	if err != nil {
		return v, err
	}
	return g.group.GetOr(ctx, s, byString(g.keys, load))
}

// GetMany is Group.GetMany.
func (g *KeyedGroup[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	texts, err := g.texts(keys)
	if err != nil {
		return nil, err
	}
	got, err := g.group.GetMany(ctx, texts)
	if got == nil {
		return nil, err
	}
	found := make(map[K]V, len(got))
	for i, key := range keys {
		if v, ok := got[texts[i]]; ok {
			found[key] = v
		}
	}
	return found, err
}

// Set is Group.Set.
func (g *KeyedGroup[K, V]) Set(ctx context.Context, key K, v V, ttl time.Duration) error {
	s, err := g.Key(key)
	if err != nil {
		return err
	}
	return g.group.Set(ctx, s, v, ttl)
}

// SetMany is Group.SetMany. If a key has no string nothing is set.
func (g *KeyedGroup[K, V]) SetMany(ctx context.Context, values map[K]V, ttl time.Duration) error {
	all := make(map[string]V, len(values))
	for key, v := range values {
		s, err := g.Key(key)
		if err != nil {
			return err
		}
		all[s] = v
	}
	return g.group.SetMany(ctx, all, ttl)
}

// Delete is Group.Delete. If a key has no string nothing is deleted.
func (g *KeyedGroup[K, V]) Delete(ctx context.Context, keys ...K) error {
	texts, err := g.texts(keys)
	if err != nil {
		return err
	}
	return g.group.Delete(ctx, texts...)
}

// Refresh is Group.Refresh. If a key has no string nothing is loaded.
func (g *KeyedGroup[K, V]) Refresh(ctx context.Context, keys ...K) error {
	texts, err := g.texts(keys)
	if err != nil {
		return err
	}
	return g.group.Refresh(ctx, texts...)
}

func (g *KeyedGroup[K, V]) texts(keys []K) ([]string, error) {
	texts := make([]string, len(keys))
	for i, key := range keys {
		s, err := g.Key(key)
		if err != nil {
			return nil, err
		}
		texts[i] = s
	}
	return texts, nil
}
