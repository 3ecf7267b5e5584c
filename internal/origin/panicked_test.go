package origin_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// TestPanicsTellTheirStackToTheLog: an error's text says with what a loader panicked, and not where; its
// member's log does, once, and whoever asks the error there.
func TestPanicsTellTheirStackToTheLog(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		var log kit.Log
		m := kit.New(t, 2, func(i int, o *cachemesh.Options) {
			if i == 0 {
				o.Logger = log.Logger()
			}
		})
		groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) { panic("no luck") }, cachemesh.GroupOptions[string]{})
		key := m.KeyOf("g", 0)
		for i, g := range groups {
			_, err := g.Get(ctx, key)
			if err == nil || !strings.Contains(err.Error(), "panic: no luck") || strings.Contains(err.Error(), "goroutine ") {
				t.Errorf("member %d: %v", i, err)
			}
			var at interface{ Stack() string }
			if has := errors.As(err, &at); has != (i == 0) || has && !strings.Contains(at.Stack(), "panicked_test.go") {
				t.Errorf("member %d has a stack: %t", i, has)
			}
		}
		m.Close()
		if log.Count("a loader panicked", "level=ERROR", "no luck", "stack=", "panicked_test.go", "group=g", "key="+key) != 1 {
			t.Errorf("the log says %s", &log)
		}
	})
}
