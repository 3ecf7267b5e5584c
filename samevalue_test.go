package cachemesh_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
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
	nested struct{ P **int }
	shout  string
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
	v := deep{[]*point{nil, {1, 2}}, map[string][]int{"a": nil, "b": {}}, []byte{0, 255}, &point{3, 4}}
	checkSame(t, "plain and deep", v, v)
}

func throughJSON[V any](t *testing.T, v V) (w V) {
	data, err := json.Marshal(v)
	must(t, err)
	must(t, json.Unmarshal(data, &w))
	return w
}

type point2 struct{ S string }

// TestSameValueWithCodec does so for a codec of the user's.
func TestSameValueWithCodec(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		groups := groupOn(m, "g", func(context.Context, string) (string, error) { return "MixedCase", nil },
			cachemesh.GroupOptions[string]{Codec: new(upper)})
		for range 5 {
			for _, g := range groups {
				mustGet(t, g, "k", "mixedcase")
			}
		}
	})
}

// TestUnreadableLoad: a codec that cannot read its own bytes fails the load, on
// every member alike.
func TestUnreadableLoad(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		m := newMesh(t, 3)
		codec := new(upper)
		codec.refuse.Store(1)
		groups := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{Codec: codec})
		for i, g := range groups {
			v, err := g.Get(ctx, "k")
			if le, ok := errors.AsType[*cachemesh.LoadError](err); !ok {
				t.Errorf("node%d: %q, %v, want a LoadError", i, v, le)
			}
		}
	})
}
