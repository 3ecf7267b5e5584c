package errs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// TestKeyErrors: whoever asks hears the same every time, and all keys are asked.
func TestKeyErrors(t *testing.T) {
	origin := errors.New("origin")
	failed := errs.KeyErrors{"b": errs.ErrClosed, "c": &errs.LoadError{Key: "c", Err: origin}, "d": errs.KeyErrors{"x": errs.ErrTooLarge}, "e": errs.ErrClosed}
	for i := range 1000 {
		failed[fmt.Sprintf("f%03d", i)] = errs.ErrMinority
	}
	failed["a"] = errs.ErrInvalidKey
	text, parts := failed.Error(), failed.Unwrap()
	if len(parts) != 5 || parts[0] != errs.ErrInvalidKey || parts[1] != errs.ErrClosed || parts[4] != errs.ErrMinority {
		t.Errorf("it unwraps to %v", parts)
	}
	if !strings.Contains(text, `1005 keys failed, the first of them "a": cachemesh: invalid key`) {
		t.Errorf("it says %q", text)
	}
	for range 20 {
		same := func(a, b error) bool { return a.Error() == b.Error() }
		if failed.Error() != text || !slices.EqualFunc(failed.Unwrap(), parts, same) {
			t.Fatal("it says something else the next time")
		}
	}
	for _, want := range []error{origin, errs.ErrTooLarge, errs.ErrClosed, errs.ErrMinority} {
		if !errors.Is(failed, want) {
			t.Errorf("errors.Is does not see %v", want)
		}
	}
	if le, ok := errors.AsType[*errs.LoadError](failed); !ok || le.Key != "c" {
		t.Errorf("errors.As finds %v", le)
	}
}

// TestOptionErrorsShowWhatWasSet: as the user writes it, a time as a time.
func TestOptionErrorsShowWhatWasSet(t *testing.T) {
	for want, err := range map[string]error{
		`cachemesh: option TTL = 1s: why`:      errs.Option("TTL", time.Second, errors.New("why")),
		`cachemesh: option Name = "a\nb": why`: errs.Option("Name", "a\nb", errors.New("why")),
		`cachemesh: option Codec = <nil>: why`: errs.Option("Codec", nil, errors.New("why")),
		`cachemesh: option MaxLoads = -1: why`: errs.Option("MaxLoads", -1, errors.New("why")),
	} {
		if err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
