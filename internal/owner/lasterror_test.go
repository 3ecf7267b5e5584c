package owner_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// bodyError has more than it says.
type bodyError struct{ body []byte }

func (bodyError) Error() string { return "unexpected answer" }

// TestLastErrorsStayWithinMaxBytes: the origin fails for very many keys, with errors
// that are large, and they are remembered with old values, or instead of any.
func TestLastErrorsStayWithinMaxBytes(t *testing.T) {
	for how, fail := range map[string]func(key string) error{
		"panic":  func(key string) error { panic(strings.Repeat(key, 500)) },
		"text":   func(key string) error { return errors.New(strings.Repeat(key, 4000)) },
		"hidden": func(string) error { return fmt.Errorf("query: %w", &bodyError{make([]byte, 32<<10)}) },
		"mapped": func(string) error { return cachemesh.KeyErrors{"k": &bodyError{make([]byte, 32<<10)}} },
	} {
		for name, opts := range map[string]cachemesh.GroupOptions[string]{
			"stale":    {TTL: time.Second, StaleFor: time.Hour},
			"failures": {FailureTTL: time.Hour},
		} {
			t.Run(how+" "+name, func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) {
					const budget, keys = 4 << 20, 1500
					m, down := kit.New(t, 1), false
					before := kit.HeapBytes()
					opts.MaxBytes, opts.Errors = budget, []error{kit.ErrOrigin}
					g := kit.GroupOn(m, "g", func(_ context.Context, key string) (string, error) {
						if down {
							return "", fail(key)
						}
						return key, nil
					}, opts)[0]
					get := func() (v string, err error) {
						for i := range keys {
							v, err = g.Get(ctx, fmt.Sprint("key", i))
						}
						return v, err
					}
					if opts.StaleFor > 0 {
						get()
						time.Sleep(2 * time.Second)
					}
					down = true
					get()
					v, err := get()
					le, ok := errors.AsType[*cachemesh.LoadError](err)
					if !ok || le.Group != "g" || le.Panic != (how == "panic") || (v != "") != (opts.StaleFor > 0) {
						t.Errorf("Get = %q, %.100v, want a LoadError", v, err)
					}
					took, says := kit.HeapBytes()-before, g.Stats().Bytes
					t.Logf("heap +%.1f MiB, Stats say %.1f, of 4", float64(took)/(1<<20), float64(says)/(1<<20))
					if took > budget*5/4 || says > budget {
						t.Errorf("the heap has grown by %d bytes, Stats say %d, MaxBytes is %d", took, says, budget)
					}
					runtime.KeepAlive(g)
				})
			})
		}
	}
}
