package codec_test

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// upper is a codec that shows that it was used, and fails when told to.
type upper struct{ refuse, decoded atomic.Int64 }

var errCodec = errors.New("cannot be encoded")

func (c *upper) Marshal(v string) ([]byte, error) {
	if strings.HasPrefix(v, "bad") {
		return nil, errCodec
	}
	return bytes.ToUpper([]byte(v)), nil
}

func (c *upper) Unmarshal(data []byte) (string, error) {
	c.decoded.Add(1)
	if c.refuse.Load() > 0 {
		return "", errCodec
	}
	return strings.ToLower(string(data)), nil
}

func TestCodec(t *testing.T) {
	m := kit.New(t, 2)
	codec := new(upper)
	groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{Codec: codec, NoHotCopies: true})
	ctx := kit.Context(t)
	for owner := range 2 {
		key := m.KeyOf("g", owner)
		kit.Must(t, groups[0].Set(ctx, key, "good", 0))
		for _, g := range groups {
			kit.MustGet(t, g, key, "good")
		}
		if err := groups[0].Set(ctx, key, "bad", 0); !errors.Is(err, errCodec) {
			t.Errorf("Set of what cannot be encoded: %v", err)
		}
		kit.MustGet(t, groups[1], key, "good") // nothing was changed

		remote := groups[1-owner]
		codec.refuse.Store(1)
		if v, err := remote.Get(ctx, key); !errors.Is(err, errCodec) {
			t.Errorf("Get of what cannot be decoded = %q, %v", v, err)
		}
		many, err := remote.GetMany(ctx, []string{key})
		if ke, _ := errors.AsType[cachemesh.KeyErrors](err); len(many) != 0 || !errors.Is(ke[key], errCodec) {
			t.Errorf("GetMany of what cannot be decoded = %v, %v", many, err)
		}
		codec.refuse.Store(0)
		kit.MustGet(t, remote, key, "good")
	}
	// The owner keeps the decoded value beside the bytes.
	key := m.KeyOf("g", 0)
	kit.MustGet(t, groups[0], key, "good")
	before := codec.decoded.Load()
	for range 100 {
		kit.MustGet(t, groups[0], key, "good")
	}
	if n := codec.decoded.Load() - before; n != 0 {
		t.Errorf("100 hits decoded %d times", n)
	}
}

type point struct{ X, Y int }

// TestValuesOfEveryKind go through the default codecs and the wire.
func TestValuesOfEveryKind(t *testing.T) {
	m := kit.New(t, 2)
	checkKind(t, m, "int", -7)
	checkKind(t, m, "float", 1.5)
	checkKind(t, m, "bool", true)
	checkKind(t, m, "struct", point{1, 2})
	checkKind(t, m, "array", [3]string{"a", "", "c"})
	checkKind(t, m, "string", "\x00\xff any bytes")
	checkKind(t, m, "empty", "")
}

func checkKind[V comparable](t *testing.T, m *kit.Mesh, name string, v V) {
	t.Helper()
	groups := kit.GroupOn[V](m, name, nil, cachemesh.GroupOptions[V]{Replicas: 1})
	for owner := range 2 {
		key := m.KeyOf(name, owner)
		kit.Must(t, groups[0].Set(kit.Context(t), key, v, 0))
		for range 5 {
			kit.MustGet(t, groups[0], key, v)
			kit.MustGet(t, groups[1], key, v)
		}
	}
}
