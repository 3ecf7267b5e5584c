package reach_test

import (
	"context"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
	"github.com/praveenduddu/cachemesh/internal/seam"
)

// TestContextCrossesMembers: a loader that runs on another member knows the caller's
// tenant.
func TestContextCrossesMembers(t *testing.T) {
	for _, how := range []string{"Get", "GetMany", "LoadMany"} {
		t.Run(how, func(t *testing.T) {
			m := kit.New(t, 3, func(_ int, o *cachemesh.Options) {
				o.InjectContext = func(ctx context.Context) []byte {
					tenant, _ := ctx.Value(contextKey{}).(string)
					return []byte(tenant)
				}
				o.ExtractContext = func(ctx context.Context, carried []byte) context.Context {
					return context.WithValue(ctx, contextKey{}, string(carried))
				}
			})
			load := func(ctx context.Context, _ string) (string, error) {
				tenant, _ := ctx.Value(contextKey{}).(string)
				return tenant, nil
			}
			o := cachemesh.GroupOptions[string]{MaxLoads: 4}
			if how == "LoadMany" {
				o.LoadMany = func(ctx context.Context, keys []string) (map[string]string, error) {
					values := make(map[string]string)
					for _, key := range keys {
						values[key], _ = load(ctx, key)
					}
					return values, nil
				}
			}
			groups := kit.GroupOn(m, "g", load, o)
			ctx := context.WithValue(kit.Context(t), contextKey{}, "tenant 7")
			for owner := range 3 {
				key := m.KeyOf("g", owner)
				values := make(map[string]string)
				var err error
				if how == "Get" {
					values[key], err = groups[0].Get(ctx, key)
				} else {
					values, err = groups[0].GetMany(ctx, []string{key})
				}
				if err != nil || values[key] != "tenant 7" {
					t.Errorf("owner node%d: the loader saw %q, %v", owner, values[key], err)
				}
			}
			kit.MustGet(t, groups[0], m.KeysOf("g", 1, 2)[1], "") // no tenant: nothing is carried
		})
	}
}

// TestHooksThatFail cost what they would have carried, and a line in the log.
func TestHooksThatFail(t *testing.T) {
	for name, hooks := range map[string]struct {
		inject  func(context.Context) []byte
		extract func(context.Context, []byte) context.Context
	}{
		"InjectContext failed":            {inject: func(context.Context) []byte { panic("boom") }},
		"InjectContext returned too much": {inject: func(context.Context) []byte { return make([]byte, cachemesh.MaxCarried+1) }},
		"ExtractContext failed": {inject: func(context.Context) []byte { return []byte("x") },
			extract: func(context.Context, []byte) context.Context { panic("boom") }},
		"": {inject: func(context.Context) []byte { return make([]byte, cachemesh.MaxCarried) },
			extract: func(context.Context, []byte) context.Context { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			log := &kit.Log{}
			m := kit.New(t, 2, func(_ int, o *cachemesh.Options) {
				o.InjectContext, o.ExtractContext, o.Logger = hooks.inject, hooks.extract, log.Logger()
				if o.ExtractContext == nil {
					o.ExtractContext = func(ctx context.Context, _ []byte) context.Context { return ctx }
				}
			})
			groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{TTL: time.Hour})
			for _, key := range m.KeysOf("g", 1, 20) {
				kit.MustGet(t, groups[0], key, "value of "+key)
			}
			for _, n := range m.Nodes {
				seam.Inside(n).FlushLog()
			}
			want := 1
			if name == "" {
				want = 0
			}
			if n := log.Count("Context ", name); n != want {
				t.Errorf("the log has %d lines that say %q, want %d:\n%s", n, name, want, log)
			}
		})
	}
}

type contextKey struct{}
