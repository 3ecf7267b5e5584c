package codec_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// checkSame loads a value on meshes of one and of three, and sets it, and wants
// every member to return the same for it, by Get, GetMany and Peek, at once and
// from hot copies.
func checkSame[V any](t *testing.T, name string, given, want V) {
	checkSameWith(t, name, given, want, nil)
}

// checkSameWith is checkSame for a codec.
func checkSameWith[V any](t *testing.T, name string, given, want V, codec cachemesh.Codec[V]) {
	t.Run(name+", in its old age", func(t *testing.T) { checkSameOld(t, given, want, codec) })
	for _, size := range []int{1, 3} {
		t.Run(fmt.Sprintf("%s, %d members", name, size), func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, size)
				var loads atomic.Int64
				loading := kit.GroupOn(m, "loading", func(context.Context, string) (V, error) {
					loads.Add(1)
					return given, nil
				}, cachemesh.GroupOptions[V]{Codec: codec})
				setting := kit.GroupOn[V](m, "setting", nil, cachemesh.GroupOptions[V]{Replicas: 1, Codec: codec})
				kit.Must(t, setting[0].Set(ctx, "k", given, 0))
				for range 5 {
					for i := range m.Nodes {
						for _, g := range []*cachemesh.Group[V]{loading[i], setting[i]} {
							got, err := g.Get(ctx, "k")
							many, errMany := g.GetMany(ctx, []string{"k"})
							peeked, errPeek := g.Peek(ctx, "k")
							for _, v := range []V{got, many["k"], peeked} {
								if err := errors.Join(err, errMany, errPeek); err != nil || !reflect.DeepEqual(v, want) {
									t.Fatalf("node%d: %#v, %v, want %#v", i, v, err, want)
								}
							}
						}
					}
				}
				if loads.Load() != 1 {
					t.Errorf("%d loads, want 1", loads.Load())
				}
			})
		})
	}
}

func TestEmptyValuesAreValues(t *testing.T) {
	checkSame(t, "nil bytes", []byte(nil), []byte{})
	checkSame(t, "no bytes", []byte{}, []byte{})
	checkSame(t, "no string", "", "")
	checkSame(t, "nil slice", []string(nil), nil)
	checkSame(t, "no elements", []string{}, []string{})
	checkSame(t, "nil map", map[string]int(nil), nil)
	checkSame(t, "no entries", map[string]int{}, map[string]int{})
}

func TestInterfaceValues(t *testing.T) {
	checkSame[any](t, "string", "v", "v")
	checkSame[any](t, "number", 1.5, 1.5)
	checkSame[any](t, "bool", true, true)
	checkSame[any](t, "list", []any{"a", 1.0}, []any{"a", 1.0})
	checkSame[any](t, "object", map[string]any{"a": 1.0}, map[string]any{"a": 1.0})

	n, err := cachemesh.New(cachemesh.Options{})
	kit.Must(t, err)
	defer n.Close()
	_, err = cachemesh.NewGroup(n, "g", func(context.Context, string) (fmt.Stringer, error) { return time.Second, nil }, cachemesh.GroupOptions[fmt.Stringer]{})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "Codec" {
		t.Errorf("a group of an interface with methods: %v, want an OptionError about Codec", err)
	}
}

var errOther = errors.New("no such table")

// TestSeveralSentinels loads with an error that wraps several of
// GroupOptions.Errors: other members recognise each of them, and no other.
func TestSeveralSentinels(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		long := []error{errors.New(strings.Repeat("a", 5000)), errors.New(strings.Repeat("b", 5000)), errors.New(strings.Repeat("c", 5000))}
		absent := errors.New("absent")
		groups := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
			if strings.HasPrefix(key, "long") {
				return "", errors.Join(long...)
			}
			return "", fmt.Errorf("query \x00 failed: %w, %w", kit.ErrOrigin, errOther)
		}, cachemesh.GroupOptions[string]{Errors: append([]error{absent, errOther, kit.ErrOrigin}, long...)})
		key := m.KeyOf("g", 1)
		for i, g := range groups {
			_, err := g.Get(ctx, key)
			if !errors.Is(err, kit.ErrOrigin) || !errors.Is(err, errOther) || errors.Is(err, absent) {
				t.Errorf("node%d: %v: database %t, table %t, absent %t, want the first two", i, err,
					errors.Is(err, kit.ErrOrigin), errors.Is(err, errOther), errors.Is(err, absent))
			}
			if le, ok := errors.AsType[*cachemesh.LoadError](err); !ok || !strings.HasPrefix(le.Err.Error(), "query ") || !strings.HasSuffix(le.Err.Error(), "no such table") {
				t.Errorf("node%d: the text is %q", i, err)
			}
			// More than a message holds: it is cut, and is an error all the same.
			_, err = g.Get(ctx, "long")
			if _, ok := errors.AsType[*cachemesh.LoadError](err); !ok || !errors.Is(err, long[0]) {
				t.Errorf("node%d: %.100q is not the first of the long errors", i, err.Error())
			}
		}
	})
}
