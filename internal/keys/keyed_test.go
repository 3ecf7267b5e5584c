package keys_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

type id uint16

type name string

type point struct{ X, Y int8 }

var points = cachemesh.KeyFormat[point]{
	Format: func(p point) string { return fmt.Sprintf("%d,%d", p.X, p.Y) },
	Parse: func(s string) (p point, err error) {
		_, err = fmt.Sscanf(s, "%d,%d", &p.X, &p.Y)
		return p, err
	},
}

// roundTrip loads, reads, writes and deletes some keys through both members of a mesh.
func roundTrip[K comparable](t *testing.T, format cachemesh.KeyFormat[K], keys map[K]string) {
	t.Run(fmt.Sprintf("%T", *new(K)), func(t *testing.T) {
		m, ctx := kit.New(t, 2), kit.Context(t)
		load := func(_ context.Context, k K) (string, error) { return fmt.Sprintf("%T %v", k, k), nil }
		var groups []*cachemesh.KeyedGroup[K, string]
		for _, n := range m.Nodes {
			g, err := cachemesh.NewKeyedGroup(n, "g", format, load, cachemesh.GroupOptions[string]{})
			kit.Must(t, err)
			groups = append(groups, g)
		}
		all, want := make([]K, 0), make(map[K]string)
		for k, text := range keys {
			all, want[k] = append(all, k), fmt.Sprintf("%T %v", k, k)
			if got, err := groups[0].Key(k); got != text || err != nil {
				t.Errorf("Key(%v) = %q, %v", k, got, err)
			}
			for i, g := range groups {
				if v, err := g.Get(ctx, k); v != want[k] || err != nil {
					t.Errorf("member %d: Get(%v) = %q, %v", i, k, v, err)
				}
			}
			kit.MustGet(t, groups[1].Group(), text, want[k])
			kit.Must(t, groups[0].Set(ctx, k, "set", 0))
			kit.MustGet(t, groups[1].Group(), text, "set")
			kit.Must(t, groups[0].SetMany(ctx, map[K]string{k: "many"}, 0))
			kit.MustGet(t, groups[1].Group(), text, "many")
			kit.Must(t, groups[0].Refresh(ctx, k))
			kit.Must(t, groups[0].Delete(ctx, k))
			v, err := groups[1].GetOr(ctx, k, func(_ context.Context, got K) (string, error) { return fmt.Sprint("own ", got == k), nil })
			if v != "own true" || err != nil {
				t.Errorf("GetOr(%v) = %q, %v", k, v, err)
			}
		}
		kit.Must(t, groups[1].Delete(ctx, all...))
		if got, err := groups[0].GetMany(ctx, all); err != nil || !maps.Equal(got, want) {
			t.Errorf("GetMany = %v, %v, want %v", got, err, want)
		}
	})
}

func TestKeyedGroup(t *testing.T) {
	roundTrip(t, cachemesh.KeyFormat[int64]{}, map[int64]string{0: "0", -1: "-1", math.MinInt64: "-9223372036854775808", math.MaxInt64: "9223372036854775807"})
	roundTrip(t, cachemesh.KeyFormat[int8]{}, map[int8]string{-128: "-128", 127: "127"})
	roundTrip(t, cachemesh.KeyFormat[int32]{}, map[int32]string{math.MinInt32: "-2147483648"})
	roundTrip(t, cachemesh.KeyFormat[uint64]{}, map[uint64]string{math.MaxUint64: "18446744073709551615"})
	roundTrip(t, cachemesh.KeyFormat[uint8]{}, map[uint8]string{200: "200"})
	roundTrip(t, cachemesh.KeyFormat[id]{}, map[id]string{65535: "65535"})
	roundTrip(t, cachemesh.KeyFormat[uint32]{}, map[uint32]string{math.MaxUint32: "4294967295"})
	roundTrip(t, cachemesh.KeyFormat[name]{}, map[name]string{"ada": "ada", "\x00": "\x00"})
	roundTrip(t, cachemesh.KeyFormat[netip.Addr]{}, map[netip.Addr]string{netip.MustParseAddr("::1"): "::1"})
	roundTrip(t, points, map[point]string{{1, -2}: "1,-2", {3, 4}: "3,4"})
}

type mute struct{}

func (mute) MarshalText() ([]byte, error) { return nil, errors.New("it has no text") }
func (*mute) UnmarshalText([]byte) error  { return nil }

// TestKeysThatCannotBe: formats that are not whole, keys without a string, and strings that are no
// keys of the type, or write one otherwise.
func TestKeysThatCannotBe(t *testing.T) {
	m, ctx := kit.New(t, 1), kit.Context(t)
	n := m.Nodes[0]
	for what, err := range map[string]error{
		"a struct":    second(cachemesh.NewKeyedGroup[point, string](n, "g", cachemesh.KeyFormat[point]{}, nil, cachemesh.GroupOptions[string]{})),
		"a float":     second(cachemesh.NewKeyedGroup[float64, string](n, "g", cachemesh.KeyFormat[float64]{}, nil, cachemesh.GroupOptions[string]{})),
		"no Parse":    second(cachemesh.NewKeyedGroup[point, string](n, "g", cachemesh.KeyFormat[point]{Format: points.Format}, nil, cachemesh.GroupOptions[string]{})),
		"no Format":   second(cachemesh.NewKeyedGroup[point, string](n, "g", cachemesh.KeyFormat[point]{Parse: points.Parse}, nil, cachemesh.GroupOptions[string]{})),
		"an empty ID": second(cachemesh.NewKeyedGroup[int, string](n, "", cachemesh.KeyFormat[int]{}, nil, cachemesh.GroupOptions[string]{})),
	} {
		oe, ok := errors.AsType[*cachemesh.OptionError](err)
		if !ok || oe.Option != "key" && oe.Option != "name" {
			t.Errorf("%s: %v, want an OptionError", what, err)
		}
	}
	loaded := 0
	g, err := cachemesh.NewKeyedGroup(n, "g", cachemesh.KeyFormat[int8]{}, func(context.Context, int8) (string, error) {
		loaded++
		return "v", nil
	}, cachemesh.GroupOptions[string]{})
	kit.Must(t, err)
	for _, key := range []string{"ada", "128", "007", "+7", " 7", "-0"} {
		if _, err := g.Group().Get(ctx, key); !errors.Is(err, cachemesh.ErrInvalidKey) {
			t.Errorf("%q: %v, want ErrInvalidKey", key, err)
		}
	}
	if loaded > 0 {
		t.Errorf("%d strings that are no keys were loaded", loaded)
	}
	silent, err := cachemesh.NewKeyedGroup[mute, string](n, "mute", cachemesh.KeyFormat[mute]{}, nil, cachemesh.GroupOptions[string]{})
	kit.Must(t, err)
	_, many := silent.GetMany(ctx, []mute{{}})
	for what, err := range map[string]error{"Get": second(silent.Get(ctx, mute{})), "GetMany": many, "Set": silent.Set(ctx, mute{}, "v", 0),
		"SetMany": silent.SetMany(ctx, map[mute]string{{}: "v"}, 0), "Delete": silent.Delete(ctx, mute{}), "Refresh": silent.Refresh(ctx, mute{}),
		"GetOr": second(silent.GetOr(ctx, mute{}, func(context.Context, mute) (string, error) { return "v", nil }))} {
		if !errors.Is(err, cachemesh.ErrInvalidKey) || !strings.Contains(err.Error(), "it has no text") {
			t.Errorf("%s of a key without a text: %v", what, err)
		}
	}
}

func second[A any](_ A, err error) error { return err }

// TestKeyedHitsAllocateNothing: an integer is written where its key is looked up.
func TestKeyedHitsAllocateNothing(t *testing.T) {
	if kit.Race {
		t.Skip("the race detector allocates")
	}
	m, ctx := kit.New(t, 1), kit.Context(t)
	ids, err := cachemesh.NewKeyedGroup[int64, string](m.Nodes[0], "ids", cachemesh.KeyFormat[int64]{}, nil, cachemesh.GroupOptions[string]{})
	kit.Must(t, err)
	names, err := cachemesh.NewKeyedGroup[name, string](m.Nodes[0], "names", cachemesh.KeyFormat[name]{}, nil, cachemesh.GroupOptions[string]{})
	kit.Must(t, err)
	kit.Must(t, ids.Set(ctx, math.MinInt64, "v", time.Hour))
	kit.Must(t, names.Set(ctx, "ada", "v", time.Hour))
	for what, get := range map[string]func() (string, error){
		"integer": func() (string, error) { return ids.Get(ctx, math.MinInt64) },
		"string":  func() (string, error) { return names.Get(ctx, "ada") },
	} {
		if allocs := testing.AllocsPerRun(1000, func() { get() }); allocs != 0 {
			t.Errorf("a hit by %s allocates %v times", what, allocs)
		}
	}
}

func BenchmarkKeyedHit(b *testing.B) {
	m, ctx := kit.New(b, 1), kit.Context(b)
	ids, err := cachemesh.NewKeyedGroup[int64, string](m.Nodes[0], "ids", cachemesh.KeyFormat[int64]{}, nil, cachemesh.GroupOptions[string]{})
	kit.Must(b, err)
	kit.Must(b, ids.Set(ctx, 123456789, "v", time.Hour))
	b.ReportAllocs()
	b.Run("integer", func(b *testing.B) {
		for b.Loop() {
			ids.Get(ctx, 123456789)
		}
	})
	b.Run("string", func(b *testing.B) {
		for b.Loop() {
			ids.Group().Get(ctx, "123456789")
		}
	})
}

// TestLoadRows: one query for all keys; strings that are no keys are not asked for, rows that come
// beside an error are kept, and a format that is not whole fails each load.
func TestLoadRows(t *testing.T) {
	m, ctx := kit.New(t, 1), kit.Context(t)
	down := errors.New("down")
	var asked [][]int64
	load := cachemesh.LoadRows(cachemesh.KeyFormat[int64]{}, func(_ context.Context, ids []int64) (rows []string, err error) {
		asked = append(asked, ids)
		for _, id := range ids {
			switch {
			case id == 13:
				err = down
			case id > 0:
				rows = append(rows, fmt.Sprint("row ", id))
			}
		}
		return rows, err
	}, func(row string) (id int64) { fmt.Sscanf(row, "row %d", &id); return id })
	g, err := cachemesh.NewKeyedGroup(m.Nodes[0], "g", cachemesh.KeyFormat[int64]{}, nil, cachemesh.GroupOptions[string]{LoadMany: load})
	kit.Must(t, err)
	got, err := g.GetMany(ctx, []int64{1, 2, -3})
	if want := map[int64]string{1: "row 1", 2: "row 2"}; err != nil || !maps.Equal(got, want) || len(asked) != 1 {
		t.Errorf("GetMany = %v, %v, after queries for %v; want %v and one", got, err, asked, want)
	}
	if _, err := g.Get(ctx, -4); !errors.Is(err, cachemesh.ErrNotFound) {
		t.Errorf("a row that is not there: %v", err)
	}
	texts, err := g.Group().GetMany(ctx, []string{"5", "05", "ada"})
	failed, _ := errors.AsType[cachemesh.KeyErrors](err)
	if !maps.Equal(texts, map[string]string{"5": "row 5"}) || len(failed) != 2 || !errors.Is(failed["05"], cachemesh.ErrInvalidKey) {
		t.Errorf("beside strings that are no keys: %v, %v", texts, err)
	}
	before := len(asked)
	if _, err := g.Group().Get(ctx, "ada"); !errors.Is(err, cachemesh.ErrInvalidKey) || len(asked) > before {
		t.Errorf("a string that is no key: %v, after %d queries", err, len(asked)-before)
	}
	got, err = g.GetMany(ctx, []int64{6, 13})
	if !maps.Equal(got, map[int64]string{6: "row 6"}) || !errors.Is(err, down) {
		t.Errorf("half of a query: %v, %v", got, err)
	}
	half := cachemesh.LoadRows(cachemesh.KeyFormat[point]{}, func(context.Context, []point) ([]string, error) { return nil, nil }, func(string) point { return point{} })
	_, err = half(ctx, []string{"1,2"})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "key" {
		t.Errorf("without a format: %v", err)
	}
	silent := cachemesh.LoadRows(cachemesh.KeyFormat[mute]{}, func(context.Context, []mute) ([]string, error) { return []string{"v"}, nil }, func(string) mute { return mute{} })
	if found, err := silent(ctx, []string{""}); len(found) > 0 || err == nil {
		t.Errorf("a row whose key has no text: %v, %v", found, err)
	}
}
