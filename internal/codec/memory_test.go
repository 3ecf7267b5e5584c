package codec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// wide has much room for what is seldom there.
type wide struct {
	Key        string            `json:"k"`
	A, B, C, D string            `json:",omitempty"`
	Numbers    [40]int64         `json:",omitzero"`
	More       map[string]string `json:",omitempty"`
}

// grown has what its bytes do not have.
type grown struct{ text string }

func (g grown) MarshalJSON() ([]byte, error) { return []byte("4096"), nil }
func (g *grown) UnmarshalJSON(data []byte) error {
	var n int
	err := json.Unmarshal(data, &n)
	g.text = strings.Repeat("x", n)
	return err
}

func widesOf(key string) []wide {
	w := make([]wide, 50)
	w[0].Key = key
	return w
}

func treeOf(key string) map[string]any {
	t := map[string]any{"key": key}
	for i := range 30 {
		t[fmt.Sprint("f", i)] = map[string]any{"a": 1.0}
	}
	return t
}

// partOf returns a string that is a part of a large one, as one cut out of a document.
func partOf(key string) string { return (key + strings.Repeat(" ", 64<<10))[:len(key)] }

// TestDecodedValuesStayWithinMaxBytes fills groups with values that take much more than
// their bytes, in each way in which they come, and reads them.
func TestDecodedValuesStayWithinMaxBytes(t *testing.T) {
	t.Run("structs", func(t *testing.T) { fillDecoded(t, widesOf) })
	t.Run("trees", func(t *testing.T) { fillDecoded(t, treeOf) })
	t.Run("any", func(t *testing.T) { fillDecoded(t, func(key string) any { return []any{treeOf(key), widesOf(key)} }) })
	t.Run("unexported", func(t *testing.T) { fillDecoded(t, func(string) grown { return grown{} }) })
	t.Run("pointers", func(t *testing.T) { fillDecoded(t, func(key string) *[]*wide { return &[]*wide{{Key: key}, {}, {}} }) })
	t.Run("parts", func(t *testing.T) { fillDecoded(t, func(key string) place { return place{Name: partOf(key)} }) })
	t.Run("parts in a map", func(t *testing.T) {
		fillDecoded(t, func(key string) map[string][]string { return map[string][]string{partOf(key): {partOf(key)}} })
	})
	t.Run("strings", func(t *testing.T) { fillDecoded(t, partOf) })
}

func fillDecoded[V any](t *testing.T, make func(key string) V) {
	const budget, keys = 4 << 20, 1000
	m := kit.New(t, 2)
	opts := cachemesh.GroupOptions[V]{MaxBytes: budget, HotReads: 1}
	loaded := kit.GroupOn(m, "loaded", func(_ context.Context, key string) (V, error) { return make(key), nil }, opts)
	set := kit.GroupOn(m, "set", nil, opts)
	before := kit.HeapBytes()
	check := func(way string) {
		t.Helper()
		took := kit.HeapBytes() - before
		s := loaded[0].Stats()
		t.Logf("%s: heap +%.1f MiB of 4 × 4; %d entries, %d bytes, %d own and %d hot hits",
			way, float64(took)/(1<<20), s.Entries, s.Bytes, s.OwnHits, s.HotHits)
		if took > 4*budget*11/10+2<<20 {
			t.Errorf("%s: the heap has grown by %d bytes, four budgets are %d", way, took, 4*budget)
		}
	}
	ctx := kit.Context(t)
	each := func(f func(g *cachemesh.Group[V], key string) error, groups []*cachemesh.Group[V]) {
		for i := range keys {
			kit.Must(t, f(groups[i%2], fmt.Sprint("key", i)))
		}
	}
	get := func(g *cachemesh.Group[V], key string) error {
		_, err := g.Get(ctx, key)
		if err == cachemesh.ErrNotFound {
			err = nil // it was evicted
		}
		return err
	}
	each(get, loaded)
	check("loaded")
	each(func(g *cachemesh.Group[V], key string) error {
		if err := g.Set(ctx, key, make(key), 0); err != nil {
			return err
		}
		for _, g := range set {
			if err := get(g, key); err != nil {
				return err
			}
		}
		return nil
	}, set)
	check("set and read")
	for range 3 {
		for i := range 200 {
			for _, g := range append(loaded, set...) {
				kit.Must(t, get(g, fmt.Sprint("key", keys-1-i)))
			}
		}
	}
	check("hot")
	for from := 0; from < keys; from += 100 {
		many := []string{}
		for i := range 100 {
			many = append(many, fmt.Sprint("key", from+i))
		}
		for _, g := range append(loaded, set...) {
			_, err := g.GetMany(ctx, many)
			kit.Must(t, err)
		}
	}
	check("many")
	runtime.KeepAlive(m)
}

// TestKeptValuesPinNoMoreThanThemselves keeps few of many values that came together.
func TestKeptValuesPinNoMoreThanThemselves(t *testing.T) {
	m := kit.New(t, 2)
	value := strings.Repeat("v", 4000)
	ctx := kit.Context(t)
	texts := kit.GroupOn(m, "texts", func(context.Context, string) (string, error) { return value, nil }, cachemesh.GroupOptions[string]{NoHotCopies: true})
	bytes := kit.GroupOn(m, "bytes", func(context.Context, string) ([]byte, error) { return []byte(value), nil }, cachemesh.GroupOptions[[]byte]{NoHotCopies: true})
	textKeys, byteKeys := m.KeysOf("texts", 1, 200), m.KeysOf("bytes", 1, 200)
	for range 2 { // the first fills the owner's store
		_, err := texts[0].GetMany(ctx, textKeys)
		kit.Must(t, err)
		_, err = bytes[0].GetMany(ctx, byteKeys)
		kit.Must(t, err)
	}
	before := kit.HeapBytes()
	var kept []any
	for i := range 50 {
		a, err := texts[0].GetMany(ctx, textKeys)
		kit.Must(t, err)
		kept = append(kept, a[textKeys[i]])
		b, err := bytes[0].GetMany(ctx, byteKeys)
		kit.Must(t, err)
		kept = append(kept, b[byteKeys[i]])
		one, err := bytes[0].Get(ctx, byteKeys[i])
		kit.Must(t, err)
		kept = append(kept, one)
	}
	took := kit.HeapBytes() - before
	t.Logf("%d values of 4 kB that are kept take %d KiB", len(kept), took>>10)
	if took > int64(len(kept))*4096*5/4+1<<20 {
		t.Errorf("%d values of 4 kB that are kept take %d bytes", len(kept), took)
	}
	runtime.KeepAlive(kept)
}

// TestKeptSmallValues of many that came together keep a few KiB each at most.
func TestKeptSmallValues(t *testing.T) {
	m := kit.New(t, 2)
	ctx := kit.Context(t)
	g := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) { return strings.Repeat(key, 20), nil },
		cachemesh.GroupOptions[string]{NoHotCopies: true})[0]
	keys := m.KeysOf("g", 1, 1000)
	for range 2 {
		_, err := g.GetMany(ctx, keys)
		kit.Must(t, err)
	}
	before := kit.HeapBytes()
	var kept []string
	for i := range 400 {
		many, err := g.GetMany(ctx, keys)
		kit.Must(t, err)
		for _, key := range keys {
			if many[key] != strings.Repeat(key, 20) {
				t.Fatalf("%q has %q", key, many[key])
			}
		}
		kept = append(kept, many[keys[i]])
	}
	took := kit.HeapBytes() - before
	t.Logf("%d values of %d bytes that are kept take %d KiB", len(kept), len(kept[0]), took>>10)
	if took > int64(len(kept))*5<<10+512<<10 {
		t.Errorf("%d values of %d bytes that are kept take %d bytes", len(kept), len(kept[0]), took)
	}
	runtime.KeepAlive(kept)
}

// vast decodes to more than a group of 64 KiB has for one entry.
type vast struct{ grown }

func (v vast) MarshalJSON() ([]byte, error) { return []byte("20000"), nil }

// liar is wrong about its size in each way.
type liar string

func (l liar) CacheSize() int {
	switch l {
	case "huge":
		return 1 << 62
	case "negative":
		return -1
	case "none":
		return 0
	}
	panic("no size")
}

// TestValuesWithoutRoomAreKeptAsBytes loads values once whose decoded form is not kept.
func TestValuesWithoutRoomAreKeptAsBytes(t *testing.T) {
	m := kit.New(t, 2)
	loads := 0
	opts := cachemesh.GroupOptions[vast]{MaxBytes: 64 << 10, HotReads: 1}
	loaded := kit.GroupOn(m, "loaded", func(context.Context, string) (vast, error) { loads++; return vast{}, nil }, opts)
	set := kit.GroupOn(m, "set", nil, opts)
	kit.Must(t, set[0].Set(kit.Context(t), "k", vast{}, 0))
	for range 5 {
		for _, g := range append(loaded, set...) {
			if v, err := g.Get(kit.Context(t), "k"); len(v.text) != 20000 || err != nil {
				t.Fatalf("Get = %d bytes, %v", len(v.text), err)
			}
		}
	}
	if s := [2]cachemesh.Stats{loaded[0].Stats(), loaded[1].Stats()}; loads != 1 || s[0].OwnHits+s[1].OwnHits < 4 || s[0].HotHits+s[1].HotHits < 3 {
		t.Errorf("%d loads, %+v", loads, s)
	}
	liars := kit.GroupOn(m, "liars", func(_ context.Context, key string) (liar, error) { return liar(key), nil },
		cachemesh.GroupOptions[liar]{HotReads: 1})
	for range 3 {
		for _, key := range []string{"huge", "negative", "none", "panic"} {
			for _, g := range liars {
				kit.MustGet(t, g, key, liar(key))
			}
		}
	}
	if a, b := liars[0].Stats(), liars[1].Stats(); a.Loads+b.Loads != 4 {
		t.Errorf("%d loads of 4 keys", a.Loads+b.Loads)
	}
}

type place struct {
	Name     string
	Lat, Lon float64
}
