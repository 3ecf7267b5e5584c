package origin_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A receiver is an error whose methods use what it points to: a nil one, returned
// as an error by mistake, cannot be asked anything.
type receiver struct{ code int }

func (e *receiver) Error() string      { return fmt.Sprint("code ", e.code) }
func (e *receiver) Is(error) bool      { return e.code == 7 }
func (e *receiver) As(any) bool        { return e.code == 7 }
func (e *receiver) Unwrap() error      { return fmt.Errorf("code %d", e.code) }
func (e *receiver) Temporary() bool    { return e.code == 7 }
func (e *receiver) String() string     { return e.Error() }
func (e *receiver) GoString() string   { return e.Error() }
func (e *receiver) Timeout() time.Time { return time.Time{} }

// A quiet receiver has a text.
type quiet struct{ cause error }

func (e *quiet) Error() string { return "the query failed" }
func (e *quiet) Unwrap() error { return e.cause }

// A mute error panics when it is asked for its text, perhaps with another.
type mute struct{ with any }

func (e mute) Error() string { panic(e.with) }

// An endless error wraps itself.
type endless struct{}

func (e *endless) Error() string { return "endless" }
func (e *endless) Unwrap() error { return e }

// A bottomless error wraps another, and that another.
type bottomless []int

func (e bottomless) Error() string   { return "bottomless" }
func (e bottomless) Unwrap() []error { return []error{e, e} }

// An ending error ends the goroutine that asks for its text.
type ending struct{}

func (ending) Error() string { runtime.Goexit(); return "" }

type waiting struct{ until chan struct{} }

func (e waiting) Error() string { <-e.until; return "late" }

var hostileErrors = map[string]error{
	"typed nil":                     (*receiver)(nil),
	"typed nil with a text":         (*quiet)(nil),
	"typed nil, wrapped":            fmt.Errorf("query: %w", (*receiver)(nil)),
	"typed nil, joined":             errors.Join(kit.ErrOrigin, (*receiver)(nil)),
	"typed nil LoadError":           (*cachemesh.LoadError)(nil),
	"typed nil PeerError":           (*cachemesh.PeerError)(nil),
	"typed nil StaleError":          (*cachemesh.StaleError)(nil),
	"typed nil PeerError, wrapped":  &quiet{(*cachemesh.PeerError)(nil)},
	"typed nil WriteError, wrapped": &quiet{(*cachemesh.WriteError)(nil)},
	"Error panics":                  mute{"boom"},
	"Error panics with such":        mute{mute{"boom"}},
	"wraps one whose Error panics":  &quiet{mute{"boom"}},
	"endless":                       &endless{},
	"bottomless":                    bottomless{1},
	"Error ends the goroutine":      ending{},
}

// bring lets a user's function fail with err.
var bring = map[string]func(err error) error{
	"returned":      func(err error) error { return err },
	"panicked with": func(err error) error { panic(err) },
}

// eachHostile runs f for each error and each way to bring it.
func eachHostile(t *testing.T, f func(t *testing.T, ctx context.Context, fail func() error)) {
	for name, err := range hostileErrors {
		for how, bring := range bring {
			t.Run(name+", "+how, func(t *testing.T) {
				kit.Bubble(t, func(t *testing.T, ctx context.Context) { f(t, ctx, func() error { return bring(err) }) })
			})
		}
	}
}

// checkHostile checks an error that came from a user's function: it can be asked
// whatever one asks errors, on any member.
func checkHostile[E error](t *testing.T, who string, err error) {
	t.Helper()
	if _, ok := errors.AsType[E](err); !ok {
		var want E
		t.Errorf("%s: %T, want a %T", who, err, want)
		return
	}
	if text := err.Error(); text == "" || fmt.Sprintf("%+v", err) == "" {
		t.Errorf("%s: no text", who)
	}
	errors.Is(err, kit.ErrOrigin)
	errors.Is(err, cachemesh.ErrNotFound)
	errors.AsType[*receiver](err)
	errors.AsType[*cachemesh.PeerError](err)
}

// TestHostileErrorsOfLoaders has every kind of loader fail with errors that cannot
// be asked anything: all who wait get an error, and the key works afterwards.
func TestHostileErrorsOfLoaders(t *testing.T) {
	eachHostile(t, func(t *testing.T, ctx context.Context, fail func() error) {
		m := kit.New(t, 2)
		var good atomic.Bool
		load := func(context.Context, string) (string, error) {
			if good.Load() {
				return "v", nil
			}
			return "", fail()
		}
		many := func(ctx context.Context, keys []string) (map[string]string, error) {
			values := make(map[string]string)
			for _, key := range keys {
				v, err := load(ctx, key)
				if err != nil {
					return nil, err
				}
				values[key] = v
			}
			return values, nil
		}
		errs := []error{kit.ErrOrigin}
		for name, groups := range map[string][]*cachemesh.Group[string]{
			"loader":          kit.GroupOn(m, "loader", load, cachemesh.GroupOptions[string]{Errors: errs}),
			"LoadMany":        kit.GroupOn(m, "many", nil, cachemesh.GroupOptions[string]{Errors: errs, LoadMany: many}),
			"LoadMany window": kit.GroupOn(m, "window", nil, cachemesh.GroupOptions[string]{Errors: errs, LoadMany: many, BatchWindow: time.Millisecond}),
		} {
			good.Store(false)
			key := m.KeyOf(map[string]string{"loader": "loader", "LoadMany": "many", "LoadMany window": "window"}[name], 0)
			for i, g := range groups {
				_, err := g.Get(ctx, key)
				checkHostile[*cachemesh.LoadError](t, fmt.Sprintf("%s, Get on node%d", name, i), err)
				_, err = g.GetMany(ctx, []string{key})
				checkHostile[cachemesh.KeyErrors](t, fmt.Sprintf("%s, GetMany on node%d", name, i), err)
				kit.Must(t, g.Warm(ctx, func(yield func(string) bool) { yield(key) }, nil))
			}
			good.Store(true)
			for _, g := range groups {
				kit.MustGet(t, g, key, "v")
			}
		}
	})
}

// A failingWriter is a Writer that fails as it is told.
type failingWriter struct{ fail func() error }

func (w failingWriter) Store(context.Context, string, string) error { return w.fail() }
func (w failingWriter) Delete(context.Context, string) error        { return w.fail() }

func TestHostileErrorsOfWriters(t *testing.T) {
	eachHostile(t, func(t *testing.T, ctx context.Context, fail func() error) {
		m := kit.New(t, 2)
		var good atomic.Bool
		w := failingWriter{func() error {
			if good.Load() {
				return nil
			}
			return fail()
		}}
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{Writer: w, Errors: []error{kit.ErrOrigin}})
		key := m.KeyOf("g", 0)
		for i, g := range groups {
			who := fmt.Sprintf("node%d: ", i)
			checkHostile[*cachemesh.WriteError](t, who+"Set", g.Set(ctx, key, "v", 0))
			checkHostile[*cachemesh.WriteError](t, who+"Delete", g.Delete(ctx, key))
			checkHostile[*cachemesh.WriteError](t, who+"Delete of two", g.Delete(ctx, key, key+"x"))
		}
		good.Store(true)
		kit.Must(t, groups[1].Set(ctx, key, "v", 0))
		kit.MustGet(t, groups[0], key, "v")
	})
}

// A fickleCodec is one that fails as it is told.
type fickleCodec struct{ marshal, unmarshal func() error }

func (c fickleCodec) Marshal(v string) ([]byte, error)      { return []byte(v), c.marshal() }
func (c fickleCodec) Unmarshal(data []byte) (string, error) { return string(data), c.unmarshal() }

// TestHostileErrorsOfCodecs has the group's codec and its TTLFunc fail likewise.
func TestHostileErrorsOfCodecs(t *testing.T) {
	eachHostile(t, func(t *testing.T, ctx context.Context, fail func() error) {
		if strings.Contains(t.Name(), "ends_the_goroutine") {
			return // a codec runs on the goroutine that calls Set
		}
		m := kit.New(t, 2)
		const none, marshal, unmarshal, ttl = 0, 1, 2, 3
		var which atomic.Int32
		failing := func(n int32) func() error {
			return func() error {
				if which.Load() == n {
					return fail()
				}
				return nil
			}
		}
		groups := kit.GroupOn(m, "g", kit.Echo, cachemesh.GroupOptions[string]{
			Codec: fickleCodec{failing(marshal), failing(unmarshal)},
			TTLFunc: func(string, string) time.Duration {
				if err := failing(ttl)(); err != nil {
					panic(err)
				}
				return time.Minute
			},
		})
		key := m.KeyOf("g", 0)
		for _, n := range []int32{marshal, ttl} {
			which.Store(n)
			for i, g := range groups {
				who := fmt.Sprintf("failure %d on node%d", n, i)
				_, err := g.Get(ctx, key)
				checkHostile[*cachemesh.LoadError](t, who+": Get", err)
				if err := g.Set(ctx, key, "v", 0); err == nil || err.Error() == "" {
					t.Errorf("%s: Set = nil", who)
				}
			}
		}
		which.Store(unmarshal)
		_, err := groups[1].Get(ctx, key)
		if err == nil || err.Error() == "" {
			t.Error("a value that cannot be decoded was returned")
		}
		which.Store(none)
		for _, g := range groups {
			kit.MustGet(t, g, key, "value of "+key)
		}
	})
}

// TestErrorThatBlocks has a loader fail with an error whose text never comes: that
// is a loader that does not return.
func TestErrorThatBlocks(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 2)
		until := make(chan struct{})
		defer close(until)
		groups := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			return "", waiting{until}
		}, cachemesh.GroupOptions[string]{LoadTimeout: time.Second})
		key := m.KeyOf("g", 0)
		for i, g := range groups {
			_, err := g.Get(ctx, key)
			checkHostile[*cachemesh.LoadError](t, fmt.Sprintf("node%d", i), err)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("node%d: %v, want DeadlineExceeded", i, err)
			}
		}
	})
}

// TestHostileErrorStillUnwraps looks for the user's own error where the loader ran.
func TestHostileErrorStillUnwraps(t *testing.T) {
	kit.Bubble(t, func(t *testing.T, ctx context.Context) {
		m := kit.New(t, 1)
		g := kit.GroupOn(m, "g", func(context.Context, string) (string, error) {
			return "", errors.Join(kit.ErrOrigin, mute{"boom"})
		}, cachemesh.GroupOptions[string]{})[0]
		_, err := g.Get(ctx, "k")
		if _, ok := errors.AsType[mute](err); !ok || !errors.Is(err, kit.ErrOrigin) {
			t.Errorf("%v: the loader's error is not seen", err)
		}
	})
}

func TestHostileSentinelsAreRefused(t *testing.T) {
	n, err := cachemesh.New(cachemesh.Options{})
	kit.Must(t, err)
	defer n.Close()
	for name, bad := range hostileErrors {
		if name == "Error ends the goroutine" || name == "wraps one whose Error panics" {
			continue // the goroutine is that of the test; the other answers what it is asked
		}
		_, err := cachemesh.NewGroup(n, name, kit.Echo, cachemesh.GroupOptions[string]{Errors: []error{bad}})
		if oe, ok := errors.AsType[*cachemesh.OptionError](err); !ok || oe.Option != "Errors" {
			t.Errorf("%s: %T, want an OptionError about Errors", name, err)
		}
	}
}
