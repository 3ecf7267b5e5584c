package wire_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/wire"
)

// FuzzKeys: whatever parses can be written again and parses to the same.
func FuzzKeys(f *testing.F) {
	f.Add(wire.AppendKeys(nil, []string{"a", "b b", "\x00", strings.Repeat("k", wire.MaxKeyLen)}))
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(wire.AppendKeys(nil, slices.Repeat([]string{"k"}, wire.BatchKeys+1)))
	f.Fuzz(func(t *testing.T, list []byte) {
		keys, ok := wire.ParseKeys(list)
		if !ok {
			return
		}
		if len(keys) > wire.BatchKeys {
			t.Fatalf("%d keys", len(keys))
		}
		for _, key := range keys {
			if wire.CheckKey(key) != nil {
				t.Fatalf("a key of %d bytes", len(key))
			}
		}
		again, ok := wire.ParseKeys(wire.AppendKeys(nil, keys))
		if !ok || !slices.Equal(again, keys) {
			t.Fatalf("%q became %q, %t", keys, again, ok)
		}
	})
}

// FuzzAnswers: reading ends, and what was read can be written again.
func FuzzAnswers(f *testing.F) {
	f.Add(wire.AppendAnswer(wire.AppendAnswer(nil, wire.StatusOK, wire.FlagHit, []byte("value")), wire.StatusNotFound, 0, nil))
	f.Add([]byte{1, 2})
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1})
	f.Fuzz(func(t *testing.T, list []byte) {
		for {
			a, rest, ok := wire.NextAnswer(list)
			if !ok {
				return
			}
			if len(rest) >= len(list) || cap(a.Body) != len(a.Body) {
				t.Fatalf("%d bytes left of %d, body %d of capacity %d", len(rest), len(list), len(a.Body), cap(a.Body))
			}
			b, none, ok := wire.NextAnswer(wire.AppendAnswer(nil, a.Status, a.Flags, a.Body))
			if !ok || len(none) != 0 || b.Status != a.Status || b.Flags != a.Flags || !bytes.Equal(a.Body, b.Body) {
				t.Fatalf("%v became %v", a, b)
			}
			list = rest
		}
	})
}

func TestKeyListLimits(t *testing.T) {
	for name, list := range map[string][]byte{
		"an empty key":  {0},
		"a long key":    wire.AppendKeys(nil, []string{strings.Repeat("k", wire.MaxKeyLen+1)}),
		"too many keys": wire.AppendKeys(nil, slices.Repeat([]string{"k"}, wire.BatchKeys+1)),
		"a short key":   {5, 'a'},
		"no length":     {0x80},
	} {
		if keys, ok := wire.ParseKeys(list); ok {
			t.Errorf("%s: %d keys", name, len(keys))
		}
	}
	if keys, ok := wire.ParseKeys(wire.AppendKeys(nil, slices.Repeat([]string{"k"}, wire.BatchKeys))); !ok || len(keys) != wire.BatchKeys {
		t.Errorf("%d keys: %d, %t", wire.BatchKeys, len(keys), ok)
	}
}

func TestChunks(t *testing.T) {
	long := strings.Repeat("k", wire.MaxKeyLen)
	for _, keys := range [][]string{nil, {"a"}, slices.Repeat([]string{"k"}, wire.BatchKeys), slices.Repeat([]string{"k"}, 3*wire.BatchKeys+1), slices.Repeat([]string{long}, 1000)} {
		var all []string
		for chunk := range wire.Chunks(keys) {
			if n := len(strings.Join(chunk, "")); len(chunk) == 0 || len(chunk) > wire.BatchKeys || n > wire.BatchBytes {
				t.Errorf("a chunk of %d keys, %d bytes", len(chunk), n)
			}
			all = append(all, chunk...)
		}
		if !slices.Equal(all, keys) {
			t.Errorf("%d keys became %d", len(keys), len(all))
		}
	}
}
