package codec_test

import (
	"context"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestNobodySharesSlicesWithTheCache changes what was Set and what a loader
// returned, and appends to what Get returned.
func TestNobodySharesSlicesWithTheCache(t *testing.T) {
	m := kit.New(t, 2)
	ctx := kit.Context(t)
	loaded := make(map[string][]byte)
	plain := kit.GroupOn[[]byte](m, "plain", nil, cachemesh.GroupOptions[[]byte]{Replicas: 1})
	read := kit.GroupOn(m, "read", func(_ context.Context, key string) ([]byte, error) { return loaded[key], nil },
		cachemesh.GroupOptions[[]byte]{})
	for owner := range 2 {
		for i := range 2 {
			key := m.KeyOf("plain", owner)
			value := append(make([]byte, 0, 100), "original"...)
			kit.Must(t, plain[i].Set(ctx, key, value, 0))
			copy(value, "CHANGED!")
			checkUntouched(t, plain, key)

			name := []byte(key)
			value = append(value[:0], "original"...)
			kit.Must(t, m.Nodes[i].Set(name, value, 0))
			copy(value, "CHANGED!")
			copy(name, "xxxxxxxx")
			for _, n := range m.Nodes {
				if v, err := n.Get([]byte(key)); string(v) != "original" || err != nil {
					t.Errorf("Node.Get = %q, %v", v, err)
				}
			}

			key = m.KeysOf("read", owner, i+1)[i]
			loaded[key] = append(make([]byte, 0, 100), "original"...)
			if v, err := read[i].Get(ctx, key); string(v) != "original" || err != nil {
				t.Errorf("Get = %q, %v", v, err)
			}
			copy(loaded[key], "CHANGED!")
			checkUntouched(t, read, key)
		}
	}
}

func checkUntouched(t *testing.T, groups []*cachemesh.Group[[]byte], key string) {
	t.Helper()
	for range 6 { // often enough to be answered from a hot copy too
		for i, g := range groups {
			v, err := g.Get(kit.Context(t), key)
			if string(v) != "original" || err != nil || cap(v) != len(v) {
				t.Fatalf("Get(%q) on node%d = %q (capacity %d), %v", key, i, v, cap(v), err)
			}
			_ = append(v, "!"...)
			many, err := g.GetMany(kit.Context(t), []string{key})
			if v := many[key]; string(v) != "original" || err != nil || cap(v) != len(v) {
				t.Fatalf("GetMany(%q) on node%d = %q (capacity %d), %v", key, i, v, cap(v), err)
			}
		}
	}
}

type tagged struct {
	Name string
	Tags []string
}

// TestSetStructMayBeChangedAfterwards: the default codec copies what it encodes.
func TestSetStructMayBeChangedAfterwards(t *testing.T) {
	m := kit.New(t, 2)
	groups := kit.GroupOn[tagged](m, "structs", nil, cachemesh.GroupOptions[tagged]{Replicas: 1})
	pointers := kit.GroupOn[*tagged](m, "pointers", nil, cachemesh.GroupOptions[*tagged]{Replicas: 1})
	ctx := kit.Context(t)
	for owner := range 2 {
		v := tagged{"a", []string{"one", "two"}}
		key := m.KeyOf("structs", owner)
		kit.Must(t, groups[0].Set(ctx, key, v, 0))
		pointerKey := m.KeyOf("pointers", owner)
		kit.Must(t, pointers[0].Set(ctx, pointerKey, &v, 0))
		v.Tags[0], v.Name = "CHANGED", "CHANGED"
		for i := range 2 {
			if got, err := groups[i].Get(ctx, key); err != nil || got.Name != "a" || got.Tags[0] != "one" {
				t.Errorf("owner %d: Get on node%d = %v, %v", owner, i, got, err)
			}
			if got, err := pointers[i].Get(ctx, pointerKey); err != nil || got.Name != "a" || got.Tags[0] != "one" {
				t.Errorf("owner %d: Get of a pointer on node%d = %v, %v", owner, i, got, err)
			}
		}
	}
}
