package cachemesh

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// FuzzKeys: whatever parses can be written again and parses to the same.
func FuzzKeys(f *testing.F) {
	f.Add(appendKeys(nil, []string{"a", "b b", "\x00", strings.Repeat("k", MaxKeyLen)}))
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(appendKeys(nil, slices.Repeat([]string{"k"}, batchKeys+1)))
	f.Fuzz(func(t *testing.T, list []byte) {
		keys, ok := parseKeys(list)
		if !ok {
			return
		}
		if len(keys) > batchKeys {
			t.Fatalf("%d keys", len(keys))
		}
		for _, key := range keys {
			if checkKey(key) != nil {
				t.Fatalf("a key of %d bytes", len(key))
			}
		}
		again, ok := parseKeys(appendKeys(nil, keys))
		if !ok || !slices.Equal(again, keys) {
			t.Fatalf("%q became %q, %t", keys, again, ok)
		}
	})
}

// FuzzAnswers: reading ends, and what was read can be written again.
func FuzzAnswers(f *testing.F) {
	f.Add(appendAnswer(appendAnswer(nil, statusOK, flagHit, []byte("value")), statusNotFound, 0, nil))
	f.Add([]byte{1, 2})
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1})
	f.Fuzz(func(t *testing.T, list []byte) {
		for {
			a, rest, ok := nextAnswer(list)
			if !ok {
				return
			}
			if len(rest) >= len(list) || cap(a.body) != len(a.body) {
				t.Fatalf("%d bytes left of %d, body %d of capacity %d", len(rest), len(list), len(a.body), cap(a.body))
			}
			b, none, ok := nextAnswer(appendAnswer(nil, a.status, a.flags, a.body))
			if !ok || len(none) != 0 || b.status != a.status || b.flags != a.flags || !bytes.Equal(a.body, b.body) {
				t.Fatalf("%v became %v", a, b)
			}
			list = rest
		}
	})
}

func TestKeyListLimits(t *testing.T) {
	for name, list := range map[string][]byte{
		"an empty key":  {0},
		"a long key":    appendKeys(nil, []string{strings.Repeat("k", MaxKeyLen+1)}),
		"too many keys": appendKeys(nil, slices.Repeat([]string{"k"}, batchKeys+1)),
		"a short key":   {5, 'a'},
		"no length":     {0x80},
	} {
		if keys, ok := parseKeys(list); ok {
			t.Errorf("%s: %d keys", name, len(keys))
		}
	}
	if keys, ok := parseKeys(appendKeys(nil, slices.Repeat([]string{"k"}, batchKeys))); !ok || len(keys) != batchKeys {
		t.Errorf("%d keys: %d, %t", batchKeys, len(keys), ok)
	}
}

func TestChunks(t *testing.T) {
	long := strings.Repeat("k", MaxKeyLen)
	for _, keys := range [][]string{nil, {"a"}, slices.Repeat([]string{"k"}, batchKeys), slices.Repeat([]string{"k"}, 3*batchKeys+1), slices.Repeat([]string{long}, 1000)} {
		var all []string
		for chunk := range chunks(keys) {
			if n := len(strings.Join(chunk, "")); len(chunk) == 0 || len(chunk) > batchKeys || n > batchBytes {
				t.Errorf("a chunk of %d keys, %d bytes", len(chunk), n)
			}
			all = append(all, chunk...)
		}
		if !slices.Equal(all, keys) {
			t.Errorf("%d keys became %d", len(keys), len(all))
		}
	}
}
