// Package guard calls the user's functions so that nothing of theirs harms this module:
// a panic, a Goexit and a function that ignores its context all end as errors, and the
// errors are sealed.
//
// What a user's function returns as an error, or panics with, is a value whose
// methods are the user's too: a nil pointer in an error's clothes panics as soon as
// errors.Is asks it. This module asks errors on goroutines of its own, where a
// panic ends the process. So each error is asked everything once where the user's
// function was called, under the same guard; one that does not stand it is sealed.
//
// What holds: an error that left this package can be asked anything without a panic.
//
// Caveats: an error is asked once, so one that would answer otherwise later is taken at its
// first word.
package guard

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// A sealedError stands for an error whose methods cannot be relied on. Its own
// never panic.
type sealedError struct {
	text string
	err  error // nil: it wraps itself, or too many others to be asked anything
}

func (e *sealedError) Error() string { return e.text }

// Is reports what errors.Is says of the error, false if that panics.
func (e *sealedError) Is(target error) bool { return Is(e.err, target) }

// As is errors.As of the error, and reports false if that panics or finds a nil
// pointer.
func (e *sealedError) As(target any) (found bool) {
	defer func() {
		if recover() != nil {
			found = false
		}
	}()
	if e.err == nil || !errors.As(e.err, target) {
		return false
	}
	v := reflect.ValueOf(target).Elem()
	return v.Kind() != reflect.Pointer || !v.IsNil()
}

// Is is errors.Is, but false if the error panics.
func Is(err, target error) (found bool) {
	defer func() {
		if recover() != nil {
			found = false
		}
	}()
	return errors.Is(err, target)
}

// TextOf returns the text of an error or of a panic's value, or says that it has
// none.
func TextOf(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T whose text cannot be had: it panics", v)
		}
	}()
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(v)
}

// Seal returns err if it can be asked all that this package and the sentinels ask,
// else an error that stands for it. It may block, or end the goroutine, if a method
// of err does: it is called where the user's function was.
func Seal(err error, sentinels []Known) error {
	if err == nil || err == errs.ErrNotFound || IsSound(err, sentinels) {
		return err
	}
	sealed := &sealedError{text: TextOf(err)}
	if !boundless(err) {
		sealed.err = err
	}
	return sealed
}

// IsSound reports whether an error can be asked what it is.
func IsSound(err error, sentinels []Known) bool {
	return !boundless(err) && standsQuestions(err, sentinels)
}

// asked are the errors that this package asks others about.
var asked = []error{
	errs.ErrNotFound, errs.ErrClosed, errs.ErrGroupClosed, errs.ErrTooLarge, errs.ErrUnknownGroup, errs.ErrOverloaded, errs.ErrUnsettled, errs.ErrNotOwner, store.ErrClosed,
	context.Canceled, context.DeadlineExceeded, httppool.ErrClosed, httppool.ErrOverloaded, httppool.ErrTooLarge,
}

// standsQuestions asks an error what it will be asked later. It reports false if it
// panics, or is a nil pointer to an error of this package.
func standsQuestions(err error, sentinels []Known) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_ = err.Error()
	for _, target := range asked {
		errors.Is(err, target)
	}
	for _, s := range sentinels {
		errors.Is(err, s.Err)
	}
	return sound[errs.LoadError](err) && sound[errs.WriteError](err) && sound[errs.PeerError](err) && sound[errs.StaleError](err) &&
		sound[PanicError](err) && sound[httppool.CallError](err)
}

// sound reports whether an error wraps no *T that is nil.
func sound[T any](err error) bool {
	var found *T
	return !errors.As(err, any(&found)) || found != nil
}

const (
	wrapDepth = 64   // errors that wrap each other in a chain
	wrapCount = 1024 // and all that are wrapped
)

// boundless reports whether an error wraps itself, or very many others.
func boundless(err error) bool {
	left := wrapCount
	return !bounded(err, wrapDepth, &left)
}

// bounded walks what an error wraps. One that panics wraps nothing.
func bounded(err error, depth int, left *int) (ok bool) {
	if *left--; *left < 0 || depth == 0 {
		return false
	}
	for _, wrapped := range unwrap(err) {
		if wrapped != nil && !bounded(wrapped, depth-1, left) {
			return false
		}
	}
	return true
}

func unwrap(err error) (wrapped []error) {
	defer func() {
		if recover() != nil {
			wrapped = nil
		}
	}()
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}
