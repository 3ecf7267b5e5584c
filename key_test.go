package cachemesh_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
)

var oddKeys = []string{
	"a b", "a+b", "/lead", "a//b", "a/../b", "..", ".", "%2F", "a%2Fb", "a/b", "%", "?x=1#y", "\x00", "nul\x00inside", "\xff\xfe\x80",
	"ключ", "\r\n", " ", strings.Repeat("k", cachemesh.MaxKeyLen), strings.Repeat("\x00", cachemesh.MaxKeyLen),
}

func TestKeysAreAnyBytes(t *testing.T) {
	m := newMesh(t, 2)
	plain := groupOn[string](m, "a/b c", nil, cachemesh.GroupOptions[string]{})
	loaded := groupOn(m, "a", echoLoader, cachemesh.GroupOptions[string]{})
	ctx := testContext(t)
	for w, writer := range plain {
		for _, key := range oddKeys {
			must(t, writer.Set(ctx, key, "v"+key, 0))
		}
		for r, reader := range plain {
			for _, key := range oddKeys {
				mustGet(t, reader, key, "v"+key)
				mustGet(t, loaded[r], key, "value of "+key)
			}
			many, err := reader.GetMany(ctx, oddKeys)
			if err != nil || len(many) != len(oddKeys) {
				t.Fatalf("GetMany: %d of %d values, %v", len(many), len(oddKeys), err)
			}
			for _, key := range oddKeys {
				if many[key] != "v"+key {
					t.Errorf("GetMany: %q has %q", key, many[key])
				}
			}
		}
		deleter := plain[1-w]
		for i, key := range oddKeys {
			if i%2 == 0 {
				must(t, deleter.Delete(ctx, key))
			}
		}
		must(t, deleter.Delete(ctx, oddKeys...))
		for _, reader := range plain {
			for _, key := range oddKeys {
				if v, err := reader.Get(ctx, key); !errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("Get(%.20q) after Delete = %.20q, %v", key, v, err)
				}
			}
		}
	}
	for _, key := range oddKeys {
		for i, n := range m.nodes {
			must(t, n.Set([]byte(key), []byte(key), 0))
			if v, err := m.nodes[1-i].Get([]byte(key)); string(v) != key || err != nil {
				t.Errorf("Node.Get(%.20q) = %.20q, %v", key, v, err)
			}
			must(t, n.Delete([]byte(key)))
		}
	}
	t.Logf("%d odd keys", len(oddKeys))
}

func TestInvalidKeys(t *testing.T) {
	m := newMesh(t, 2)
	g := groupOn(m, "g", echoLoader, cachemesh.GroupOptions[string]{})[0]
	ctx := testContext(t)
	for _, key := range []string{"", strings.Repeat("k", cachemesh.MaxKeyLen+1)} {
		_, getErr := g.Get(ctx, key)
		many, manyErr := g.GetMany(ctx, []string{"good", key})
		if len(many) != 1 || many["good"] != "value of good" {
			t.Errorf("GetMany beside an invalid key = %v", many)
		}
		_, nodeErr := m.nodes[0].Get([]byte(key))
		for what, err := range map[string]error{
			"Get": getErr, "GetMany": manyErr, "Set": g.Set(ctx, key, "v", 0), "Delete": g.Delete(ctx, key),
			"Delete of several": g.Delete(ctx, "good", key), "Node.Get": nodeErr,
			"Node.Set": m.nodes[0].Set([]byte(key), nil, 0), "Node.Delete": m.nodes[0].Delete([]byte(key)),
		} {
			if !errors.Is(err, cachemesh.ErrInvalidKey) {
				t.Errorf("%s of a key of %d bytes: %v, want ErrInvalidKey", what, len(key), err)
			}
		}
	}
	if err := g.Delete(ctx); err != nil {
		t.Errorf("Delete of no key: %v", err)
	}
	if many, err := g.GetMany(ctx, nil); err != nil || len(many) != 0 {
		t.Errorf("GetMany of no key = %v, %v", many, err)
	}
}

func TestSetOfANegativeTTL(t *testing.T) {
	m := newMesh(t, 2)
	g := groupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{})[0]
	for i := range 2 {
		key := m.keyOf("g", i)
		must(t, g.Set(testContext(t), key, "old", 0))
		if err := g.Set(testContext(t), key, "new", -1); !errors.Is(err, cachemesh.ErrInvalidTTL) {
			t.Errorf("Set with TTL -1: %v, want ErrInvalidTTL", err)
		}
		mustGet(t, g, key, "old")
	}
}
