package origin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/internal/meshtest/kit"
)

// A noRow says in its own way that there is no row.
type noRow struct{}

func (noRow) Error() string        { return "no rows in result set" }
func (noRow) Is(target error) bool { return target == cachemesh.ErrNotFound }

var errWhatElse = errors.New("what else")

// absences are errors of a loader that say that there is no row, and that do not.
var absences = []struct {
	name   string
	err    error
	absent bool
}{
	{"itself", cachemesh.ErrNotFound, true},
	{"wrapped twice", fmt.Errorf("b: %w", fmt.Errorf("a: %w", cachemesh.ErrNotFound)), true},
	{"by its own word", fmt.Errorf("users: %w", noRow{}), true},
	{"joined with itself", errors.Join(cachemesh.ErrNotFound, noRow{}), true},
	{"joined with a failure", errors.Join(cachemesh.ErrNotFound, kit.ErrOrigin), false},
	{"joined with a failure, wrapped", fmt.Errorf("both: %w", errors.Join(kit.ErrOrigin, noRow{})), false},
	{"two in one text", fmt.Errorf("a: %w, b: %w", cachemesh.ErrNotFound, kit.ErrOrigin), false},
	{"a panic's value", nil, false},
}

// TestFailureIsNeverTakenForAbsence: what a loader says about several rows at once
// is not that none exists, and nobody remembers that or reads it from the error.
func TestFailureIsNeverTakenForAbsence(t *testing.T) {
	for _, many := range []bool{false, true} {
		for _, test := range absences {
			t.Run(fmt.Sprint(test.name, "/LoadMany=", many), func(t *testing.T) {
				m := kit.New(t, 2)
				o := cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, Errors: []error{kit.ErrOrigin}}
				fail := func() error {
					if test.err == nil {
						panic(cachemesh.ErrNotFound)
					}
					return test.err
				}
				load := func(context.Context, string) (string, error) { return "", fail() }
				if many {
					load = nil
					o.LoadMany = func(context.Context, []string) (map[string]string, error) { return nil, fail() }
				}
				groups := kit.GroupOn(m, "g", load, o)
				key := m.KeyOf("g", 0)
				for i, g := range slices.Backward(groups) {
					_, err := g.Get(kit.Context(t), key)
					_, failed := errors.AsType[*cachemesh.LoadError](err)
					if errors.Is(err, cachemesh.ErrNotFound) != test.absent || failed == test.absent {
						t.Errorf("node%d: Get: %v, absent: want %t", i, err, test.absent)
					}
					if !test.absent && test.err != nil && !errors.Is(err, kit.ErrOrigin) {
						t.Errorf("node%d: Get: %v hides the failure", i, err)
					}
					values, err := g.GetMany(kit.Context(t), []string{key})
					if len(values) != 0 || (err == nil) != test.absent {
						t.Errorf("node%d: GetMany: %v, %v, absent: want %t", i, values, err, test.absent)
					}
				}
			})
		}
	}
}

// TestLoadManySaysWhatHappenedToEachKey with a KeyErrors.
func TestLoadManySaysWhatHappenedToEachKey(t *testing.T) {
	keys := append(kit.Numbered("ok", 1), "gone", "down", "panics", "other")
	for _, test := range []struct {
		name   string
		wrap   func(cachemesh.KeyErrors) error
		failed []string
	}{
		{"itself", func(e cachemesh.KeyErrors) error { return e }, []string{"down", "panics"}},
		{"wrapped", func(e cachemesh.KeyErrors) error { return fmt.Errorf("shard 3: %w", e) }, []string{"down", "panics"}},
		{"with another error", func(e cachemesh.KeyErrors) error { return errors.Join(e, errWhatElse) }, []string{"down", "panics", "other"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := kit.New(t, 2)
			groups := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{NotFoundTTL: time.Hour, Errors: []error{kit.ErrOrigin, errWhatElse},
				LoadMany: func(_ context.Context, keys []string) (map[string]string, error) {
					return map[string]string{"ok0": "v"}, test.wrap(cachemesh.KeyErrors{
						"gone": fmt.Errorf("row: %w", cachemesh.ErrNotFound), "down": kit.ErrOrigin, "panics": (*typedNilError)(nil), "unasked": kit.ErrOrigin})
				}})
			for _, g := range groups {
				values, err := g.GetMany(kit.Context(t), keys)
				failed, _ := errors.AsType[cachemesh.KeyErrors](err)
				if len(values) != 1 || values["ok0"] != "v" || len(failed) != len(test.failed) {
					t.Fatalf("GetMany = %v, %v, want one value and %v failed", values, err, test.failed)
				}
				for _, key := range test.failed {
					le, ok := errors.AsType[*cachemesh.LoadError](failed[key])
					if !ok || le.Key != key || errors.Is(le, cachemesh.ErrNotFound) {
						t.Errorf("%q: %v, want a LoadError", key, failed[key])
					}
				}
				if !errors.Is(failed["down"], kit.ErrOrigin) || test.name == "with another error" && !errors.Is(failed["other"], errWhatElse) {
					t.Errorf("GetMany: %v", failed)
				}
				for _, key := range keys[1:] {
					_, err := g.Get(kit.Context(t), key)
					if want := slices.Contains(test.failed, key); errors.Is(err, cachemesh.ErrNotFound) == want {
						t.Errorf("Get(%q): %v, want to fail: %t", key, err, want)
					}
				}
			}
		})
	}
}

// TestLoadManyOfManyErrors: one for each of as many keys as a call can have.
func TestLoadManyOfManyErrors(t *testing.T) {
	m := kit.New(t, 1)
	g := kit.GroupOn[string](m, "g", nil, cachemesh.GroupOptions[string]{LoadMany: func(_ context.Context, keys []string) (map[string]string, error) {
		errs := make(cachemesh.KeyErrors)
		for _, key := range keys {
			errs[key] = fmt.Errorf("row of %s: %w", key, kit.ErrOrigin)
		}
		return nil, errs
	}})[0]
	_, err := g.GetMany(kit.Context(t), kit.Numbered("key", 1024))
	failed, _ := errors.AsType[cachemesh.KeyErrors](err)
	for key, err := range failed {
		if !errors.Is(err, kit.ErrOrigin) {
			t.Fatalf("%q: %v", key, err)
		}
	}
	if len(failed) != 1024 {
		t.Errorf("%d keys failed, want 1024", len(failed))
	}
}

type typedNilError struct{}

func (*typedNilError) Error() string { panic("called") }
