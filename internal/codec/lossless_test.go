package codec_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/codec"
)

// TestLossless: the rule says no to whatever JSON does not give back, and yes to
// ordinary rows.
func TestLossless(t *testing.T) {
	field := func(name, tag string) reflect.StructField {
		return reflect.StructField{Name: name, Type: reflect.TypeFor[int](), Tag: reflect.StructTag(tag)}
	}
	type tree struct{ Children []tree }
	for _, test := range []struct {
		name string
		t    reflect.Type
		want bool
	}{
		{"plain struct", reflect.TypeFor[place](), true},
		{"deep struct", reflect.TypeFor[*deep](), true},
		{"tags", reflect.StructOf([]reflect.StructField{field("A", `json:"b"`), field("B", `json:"a" db:"x,y"`)}), true},
		{"one name twice", reflect.StructOf([]reflect.StructField{field("A", `json:"n"`), field("B", `json:"n"`)}), false},
		{"a name that is no name", reflect.StructOf([]reflect.StructField{field("A", `json:"a\\b"`)}), false},
		{"option", reflect.StructOf([]reflect.StructField{field("A", `json:"a,string"`)}), false},
		{"skipped", reflect.StructOf([]reflect.StructField{field("A", `json:"-"`)}), false},
		{"holds itself", reflect.TypeFor[tree](), false},
		{"time", reflect.TypeFor[time.Time](), false},
		{"duration", reflect.TypeFor[time.Duration](), true},
		{"any", reflect.TypeFor[any](), false},
		{"raw", reflect.TypeFor[json.RawMessage](), false},
		{"number", reflect.TypeFor[json.Number](), false},
		{"unexported", reflect.TypeFor[secretive](), false},
		{"embedded", reflect.TypeFor[outer](), false},
		{"codes itself", reflect.TypeFor[map[shout]int](), false},
		{"nil in a pointer", reflect.TypeFor[*[]int](), false},
	} {
		if got := codec.Lossless(test.t); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

type hiddenPlace struct {
	Name     string
	Lat, Lon float64
	hidden   int
}

// BenchmarkFill measures a load and what is done with its value, without and with the
// decoding.
func BenchmarkFill(b *testing.B) {
	n, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	if err := n.Start(); err != nil {
		b.Fatal(err)
	}
	b.Run("plain", func(b *testing.B) { benchmarkFills(b, n, place{Name: "somewhere", Lat: 1.25}) })
	b.Run("decoded", func(b *testing.B) { benchmarkFills(b, n, hiddenPlace{Name: "somewhere", Lat: 1.25, hidden: 1}) })
}

func benchmarkFills[V any](b *testing.B, n *cachemesh.Node, v V) {
	g, err := cachemesh.NewGroup(n, b.Name(), func(context.Context, string) (V, error) { return v, nil }, cachemesh.GroupOptions[V]{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Get(context.Background(), "k"); err != nil {
			b.Fatal(err)
		}
		if err := g.Delete(context.Background(), "k"); err != nil {
			b.Fatal(err)
		}
	}
}

type hidden struct{ a, b int }

type spoken struct{ at time.Time }

func (s spoken) MarshalText() ([]byte, error)     { return s.at.MarshalText() }
func (s *spoken) UnmarshalText(text []byte) error { return s.at.UnmarshalText(text) }

type endless []endless

// TestUnfit: types of which JSON keeps nothing are found wherever they are, and no others.
func TestUnfit(t *testing.T) {
	for _, v := range []any{hidden{a: 1, b: 2}, &hidden{}, []hidden{}, map[string]*hidden{}, [2]hidden{}, make(chan int), func() {}, complex(1, 2)} {
		if codec.Unfit(reflect.TypeOf(v)) == nil {
			t.Errorf("%T is fit", v)
		}
	}
	for _, v := range []any{"", []byte{}, 1, struct{}{}, time.Time{}, spoken{}, &spoken{}, []spoken{}, endless{}, map[string]any{},
		struct{ hidden }{}, struct {
			a int
			B int
		}{}, json.RawMessage{}} {
		if err := codec.Unfit(reflect.TypeOf(v)); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestUnfitTypesAreRefused: where the group is registered, and not by values that are empty; a codec of
// one's own makes up for it.
func TestUnfitTypesAreRefused(t *testing.T) {
	n, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	_, err = cachemesh.NewGroup(n, "hidden", nil, cachemesh.GroupOptions[hidden]{})
	if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "Codec" {
		t.Errorf("no field is exported: %v", err)
	}
	if _, err := cachemesh.NewGroup(n, "hidden", nil, cachemesh.GroupOptions[hidden]{Codec: cachemesh.JSONCodec[hidden]{}}); err != nil {
		t.Errorf("with a codec: %v", err)
	}
}
