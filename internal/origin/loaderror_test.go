package origin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// badLoads are loaders that fail, and what everyone must see of it.
var badLoads = []struct {
	name    string
	load    func(ctx context.Context) (string, error)
	panics  bool
	is      []error
	text    string
	noError bool // not a LoadError
}{
	{name: "panic", load: func(context.Context) (string, error) { panic("boom 7") }, panics: true, text: "boom 7"},
	{name: "panic with an error", load: func(context.Context) (string, error) { panic(io.ErrUnexpectedEOF) }, panics: true, text: "unexpected EOF"},
	{name: "nil pointer", load: func(context.Context) (string, error) { var p *string; return *p, nil }, panics: true, text: "nil pointer"},
	{name: "Goexit", load: func(context.Context) (string, error) { runtime.Goexit(); return "", nil }, text: "Goexit"},
	{name: "plain error", load: func(context.Context) (string, error) { return "", errors.New("no disk") }, text: "no disk"},
	{name: "sentinel", load: func(context.Context) (string, error) { return "", fmt.Errorf("query: %w", kit.ErrOrigin) }, is: []error{kit.ErrOrigin}, text: "query: the database is down"},
	{name: "deadline", load: func(context.Context) (string, error) { return "", fmt.Errorf("sql: %w", context.DeadlineExceeded) }, is: []error{context.DeadlineExceeded}, text: "sql: "},
	{name: "canceled", load: func(context.Context) (string, error) { return "", context.Canceled }, is: []error{context.Canceled}},
	{name: "sentinel and deadline", load: func(context.Context) (string, error) { return "", errors.Join(kit.ErrOrigin, context.DeadlineExceeded) },
		is: []error{kit.ErrOrigin, context.DeadlineExceeded}},
	{name: "overloaded", load: func(context.Context) (string, error) { return "", cachemesh.ErrOverloaded }, is: []error{cachemesh.ErrOverloaded}},
	{name: "long text", load: func(context.Context) (string, error) { return "", errors.New(strings.Repeat("x", 100_000)) }, text: "xxxxxxxx"},
	// What a loader may return that reads another group: it must not be taken for
	// what happened to the Get itself, and run the loader again.
	{name: "another group's ErrUnsettled", load: func(context.Context) (string, error) { return "", cachemesh.ErrUnsettled }, text: "agree"},
	{name: "another group's ErrUnknownGroup", load: func(context.Context) (string, error) {
		return "", &cachemesh.PeerError{Op: "get", Err: cachemesh.ErrUnknownGroup}
	}, text: "unknown group"},
	{name: "another group's PeerError", load: func(context.Context) (string, error) {
		return "", &cachemesh.PeerError{Op: "get", Err: io.EOF}
	}, text: "EOF"},
	{name: "another group's LoadError", load: func(context.Context) (string, error) {
		return "", &cachemesh.LoadError{Group: "other", Err: io.EOF}
	}, text: "EOF"},
	{name: "not found", load: func(context.Context) (string, error) { return "", cachemesh.ErrNotFound }, is: []error{cachemesh.ErrNotFound}, noError: true},
	{name: "not found, wrapped", load: func(context.Context) (string, error) {
		return "", fmt.Errorf("row 7: %w", cachemesh.ErrNotFound)
	}, is: []error{cachemesh.ErrNotFound}, noError: true},
}

func TestLoaderErrorsReachEveryone(t *testing.T) {
	for _, test := range badLoads {
		t.Run(test.name, func(t *testing.T) {
			kit.Bubble(t, func(t *testing.T, ctx context.Context) {
				m := kit.New(t, 3)
				var loads [3]atomic.Int64
				var good atomic.Bool
				groups := kit.GroupOnEach(m, "g", func(i int) cachemesh.LoaderFunc[string] {
					return func(ctx context.Context, key string) (string, error) {
						loads[i].Add(1)
						if good.Load() {
							return "v", nil
						}
						return test.load(ctx)
					}
				}, cachemesh.GroupOptions[string]{Errors: []error{io.ErrClosedPipe, kit.ErrOrigin}})
				key := m.KeyOf("g", 1)
				for i, g := range groups {
					_, err := g.Get(ctx, key)
					checkLoadError(t, fmt.Sprintf("Get on node%d", i), err, key, test.panics, test.noError, test.text, test.is)
					many, err := g.GetMany(ctx, []string{key})
					if test.noError {
						if err != nil || len(many) != 0 {
							t.Errorf("GetMany on node%d = %v, %v, want nothing", i, many, err)
						}
						continue
					}
					ke, _ := errors.AsType[cachemesh.KeyErrors](err)
					checkLoadError(t, fmt.Sprintf("GetMany on node%d", i), ke[key], key, test.panics, test.noError, test.text, test.is)
				}
				if a, b, c := loads[0].Load(), loads[1].Load(), loads[2].Load(); a != 0 || b != 6 || c != 0 {
					t.Errorf("loads on the three members: %d, %d, %d, want 0, 6, 0", a, b, c)
				}
				good.Store(true)
				for _, g := range groups {
					kit.MustGet(t, g, key, "v")
				}
			})
		})
	}
}

func checkLoadError(t *testing.T, who string, err error, key string, panics, notLoadError bool, text string, is []error) {
	t.Helper()
	for _, want := range is {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v is not %v", who, err, want)
		}
	}
	le, ok := errors.AsType[*cachemesh.LoadError](err)
	if notLoadError {
		if ok || err == nil {
			t.Errorf("%s: %v, want ErrNotFound and no LoadError", who, err)
		}
		return
	}
	if !ok {
		t.Fatalf("%s: %v (%T), want a LoadError", who, err, err)
	}
	if le.Group != "g" || le.Key != key || le.Member != "node1" || le.Panic != panics || !strings.Contains(le.Error(), text) {
		t.Errorf("%s: group %q, key %q, member %q, panic %t, text %.200q; want g, %q, node1, %t, %q",
			who, le.Group, le.Key, le.Member, le.Panic, le.Error(), key, panics, text)
	}
}

func TestLoaderThatReturnsNil(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		pointers := kit.GroupOn(m, "pointers", func(context.Context, string) (*int, error) { return nil, nil }, cachemesh.GroupOptions[*int]{})
		anys := kit.GroupOn(m, "any", func(context.Context, string) (any, error) { return nil, nil }, cachemesh.GroupOptions[any]{})
		typed := kit.GroupOn(m, "nil in any", func(context.Context, string) (any, error) { return (*int)(nil), nil }, cachemesh.GroupOptions[any]{})
		for i := range pointers {
			var errs [3]error
			_, errs[0] = pointers[i].Get(ctx, "k")
			_, errs[1] = anys[i].Get(ctx, "k")
			_, errs[2] = typed[i].Get(ctx, "k")
			for j, err := range errs {
				if _, ok := errors.AsType[*cachemesh.LoadError](err); !ok || errors.Is(err, cachemesh.ErrNotFound) {
					t.Errorf("node%d, kind %d: %v, want a LoadError", i, j, err)
				}
			}
		}
	})
}
