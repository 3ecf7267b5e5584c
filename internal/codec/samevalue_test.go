package codec_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

type (
	secretive struct {
		Name   string
		hidden int
	}
	skipping struct {
		Name string
		Temp int `json:"-"`
	}
	omitting struct {
		Tags []string `json:",omitempty"`
	}
	holding struct{ Any any }
	dated   struct{ At time.Time }
	inner   struct{ N int }
	outer   struct {
		inner
		N string
	}
	deep struct {
		List []*point
		Map  map[string][]int
		Blob []byte
		At   *point
	}
	nested       struct{ P **int }
	Inner        struct{ N int }
	outerPointer struct {
		*Inner
		M string
	}
	pointing struct {
		Name string
		at   *point
	}
	lists struct {
		Ints  []int
		Bytes []byte
		Map   map[string]int
		Deep  [][]int
	}
	cased struct {
		A int `json:"a"`
		B int `json:"A"`
	}
	octet byte
	shout string
)

func (s shout) MarshalText() ([]byte, error) { return []byte(string(s) + "!"), nil }

// TestSameValueOnEveryMember: nobody is handed what the others are not, however
// little the codec keeps of a value.
func TestSameValueOnEveryMember(t *testing.T) {
	checkSame(t, "unexported field", secretive{"a", 7}, secretive{"a", 0})
	checkSame(t, "pointer", &secretive{"a", 7}, &secretive{"a", 0})
	checkSame(t, "skipped field", skipping{"a", 7}, skipping{"a", 0})
	checkSame(t, "omitempty", omitting{[]string{}}, omitting{})
	checkSame(t, "embedded", outer{inner{1}, "n"}, outer{inner{}, "n"})
	checkSame(t, "interface", holding{1}, holding{1.0})
	checkSame(t, "list of any", []any{1, "a"}, []any{1.0, "a"})
	checkSame(t, "map of any", map[string]any{"n": 1, "b": []byte("x")}, map[string]any{"n": 1.0, "b": "eA=="})
	checkSame[any](t, "any", point{1, 2}, map[string]any{"X": 1.0, "Y": 2.0})
	now := time.Now()
	checkSame(t, "a time's monotonic reading", now, throughJSON(t, now))
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("here", 7200))
	checkSame(t, "a time's location", dated{at}, throughJSON(t, dated{at}))
	checkSame(t, "half a character", point2{"a\xff"}, point2{"a\ufffd"})
	checkSame(t, "no character", map[string]string{"\xff": "x"}, map[string]string{"\ufffd": "x"})
	checkSame(t, "text", shout("a"), shout("a!"))
	checkSame(t, "a number's text", json.Number(""), json.Number("0"))
	checkSame(t, "pointer to a nil pointer", nested{new(*int)}, nested{})
	checkSame(t, "nil bytes in a list", [][]byte{nil, {}}, [][]byte{nil, {}})
	checkSame(t, "embedded pointer", outerPointer{&Inner{1}, "n"}, throughJSON(t, outerPointer{&Inner{1}, "n"}))
	checkSame(t, "unexported pointer", pointing{"a", &point{1, 2}}, pointing{"a", nil})
	checkSame(t, "array", [2]point{{1, 2}, {3, 4}}, [2]point{{1, 2}, {3, 4}})
	checkSame(t, "array of bytes", [3]byte{1, 2, 3}, [3]byte{1, 2, 3})
	checkSame[any](t, "a large number in any", map[string]any{"n": uint64(1<<63 + 1)}, map[string]any{"n": float64(1<<63 + 1)})
	checkSame[any](t, "a large number", int64(1<<53+1), float64(1<<53+1))
	checkSame(t, "a large typed number", uint64(1<<63+1), uint64(1<<63+1))
	checkSame(t, "negative zero", []float64{math.Copysign(0, -1)}, []float64{math.Copysign(0, -1)})
	checkSame(t, "a small number", []float32{0.1, math.SmallestNonzeroFloat32}, []float32{0.1, math.SmallestNonzeroFloat32})
	checkSame(t, "nil and empty", lists{}, lists{})
	checkSame(t, "empty and nil", lists{[]int{}, []byte{}, map[string]int{}, [][]int{nil, {}}}, lists{[]int{}, []byte{}, map[string]int{}, [][]int{nil, {}}})
	checkSame(t, "keys that are numbers", map[int8]string{-1: "a"}, map[int8]string{-1: "a"})
	checkSame(t, "a struct in an interface", holding{point{1, 2}}, holding{map[string]any{"X": 1.0, "Y": 2.0}})
	checkSame(t, "nil in an interface", holding{(*point)(nil)}, holding{nil})
	checkSame(t, "raw", json.RawMessage("{ }"), json.RawMessage("{}"))
	checkSame(t, "names that differ in case", cased{1, 2}, cased{1, 2})
	checkSame(t, "bytes of a named type", []octet{1, 2}, []octet{1, 2})
	v := deep{[]*point{nil, {1, 2}}, map[string][]int{"a": nil, "b": {}}, []byte{0, 255}, &point{3, 4}}
	checkSame(t, "plain and deep", v, v)
}

// checkSameOld wants the same value from every member when it is past its TTL and the
// loader fails, with the StaleError, when it is loaded again in the background and by
// Refresh, when it was Set through each member, and from All.
func checkSameOld[V any](t *testing.T, given, want V, codec cachemesh.Codec[V]) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		var fails atomic.Bool
		groups := kit.GroupOn(m, "g", func(context.Context, string) (V, error) {
			if fails.Load() {
				return given, kit.ErrOrigin
			}
			return given, nil
		}, cachemesh.GroupOptions[V]{Codec: codec, TTL: time.Second, RefreshAfter: 500 * time.Millisecond, StaleFor: time.Hour, HotReads: 1})
		check := func(when string, stale bool) {
			t.Helper()
			for range 2 {
				for i, g := range groups {
					got, err := g.Get(ctx, "k")
					many, errs := g.GetMany(ctx, []string{"k"})
					for _, err := range []error{err, errs} {
						if _, ok := errors.AsType[*cachemesh.StaleError](err); ok != stale || err != nil && !stale {
							t.Fatalf("%s, node%d: %v", when, i, err)
						}
					}
					for _, v := range []V{got, many["k"]} {
						if !reflect.DeepEqual(v, want) {
							t.Fatalf("%s, node%d: %#v, want %#v", when, i, v, want)
						}
					}
				}
			}
		}
		check("loaded", false)
		time.Sleep(600 * time.Millisecond)
		check("to be refreshed", false)
		synctest.Wait()
		check("refreshed", false)
		fails.Store(true)
		time.Sleep(2 * time.Second)
		check("stale", true)
		fails.Store(false)
		kit.Must(t, groups[2].Refresh(ctx, "k"))
		check("loaded again", false)
		for i, g := range groups {
			kit.Must(t, g.Set(ctx, "k", given, 0))
			check(fmt.Sprint("set by node", i), false)
		}
		for _, v := range groups[m.Owner("g", "k")].All() {
			if !reflect.DeepEqual(v, want) {
				t.Errorf("All: %#v, want %#v", v, want)
			}
		}
	})
}

func throughJSON[V any](t *testing.T, v V) (w V) {
	data, err := json.Marshal(v)
	kit.Must(t, err)
	kit.Must(t, json.Unmarshal(data, &w))
	return w
}

type point2 struct{ S string }

// TestSameValueWithCodec does so for a codec of the user's.
func TestSameValueWithCodec(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { return "MixedCase", nil },
			cachemesh.GroupOptions[string]{Codec: new(upper)})
		for range 5 {
			for _, g := range groups {
				kit.MustGet(t, g, "k", "mixedcase")
			}
		}
	})
}

// gobs is a codec that keeps other things of a value than JSON does.
type gobs[V any] struct{}

func (gobs[V]) Marshal(v V) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func (gobs[V]) Unmarshal(data []byte) (v V, err error) {
	return v, gob.NewDecoder(bytes.NewReader(data)).Decode(&v)
}

// TestSameValueWithGob: of what gob keeps, and of what it does not.
func TestSameValueWithGob(t *testing.T) {
	checkSameWith(t, "unexported field", secretive{"a", 7}, secretive{"a", 0}, gobs[secretive]{})
	checkSameWith(t, "skipped field", skipping{"a", 7}, skipping{"a", 7}, gobs[skipping]{})
	checkSameWith(t, "empty", lists{[]int{}, []byte{}, map[string]int{}, nil}, lists{Map: map[string]int{}}, gobs[lists]{})
	checkSameWith(t, "infinite", math.Inf(1), math.Inf(1), gobs[float64]{})
}

// TestNoValueOnAnyMember: what JSON has no word for is an error for everyone, whoever
// loads or sets it.
func TestNoValueOnAnyMember(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		loading := kit.GroupOn(m, "loading", func(context.Context, string) (float64, error) { return math.NaN(), nil }, cachemesh.GroupOptions[float64]{})
		setting := kit.GroupOn[float64](m, "setting", nil, cachemesh.GroupOptions[float64]{Replicas: 1})
		for i := range m.Nodes {
			_, err := loading[i].Get(ctx, "k")
			if le, ok := errors.AsType[*cachemesh.LoadError](err); !ok {
				t.Errorf("node%d: %v, want a LoadError", i, le)
			}
			if err := setting[i].Set(ctx, "k", math.NaN(), 0); err == nil {
				t.Errorf("node%d: Set returned nil", i)
			}
			if v, err := setting[i].Get(ctx, "k"); !errors.Is(err, cachemesh.ErrNotFound) {
				t.Errorf("node%d: Get = %v, %v after a Set that failed", i, v, err)
			}
		}
	})
}

// TestUnreadableLoad: a codec that cannot read its own bytes fails the load, on
// every member alike.
func TestUnreadableLoad(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 3)
		codec := new(upper)
		codec.refuse.Store(1)
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{Codec: codec})
		for i, g := range groups {
			v, err := g.Get(ctx, "k")
			if le, ok := errors.AsType[*cachemesh.LoadError](err); !ok {
				t.Errorf("node%d: %q, %v, want a LoadError", i, v, le)
			}
		}
	})
}
