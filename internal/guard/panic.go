package guard

import (
	"context"
	"errors"
	"runtime/debug"
	"time"
)

var errGoexit = errors.New("it ended its goroutine with runtime.Goexit")

// grace is how long a loader whose context has ended may take to return,
// so that its own error is seen instead of the context's.
const grace = 10 * time.Millisecond

// Call calls a user's function in a goroutine of its own, so that a panic, a
// Goexit and a function that ignores its context all end in an error for those who
// wait, and the error that it returns is sealed.
func Call[T any](ctx context.Context, known []Known, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		out := outcome{err: errGoexit} // if f neither returns nor panics
		defer func() { done <- out }()
		defer func() { // an error that panicked with may end the goroutine too
			if p := recover(); p != nil {
				err := Recovered(p)
				err.cause = Seal(err.cause, known)
				out = outcome{err: err}
			}
		}()
		v, err := f()
		out = outcome{v, Seal(err, known)}
	}()
	select {
	case out := <-done:
		return out.v, out.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(grace)
	defer grace.Stop()
	select {
	case out := <-done:
		return out.v, out.err
	case <-grace.C:
		var zero T
		return zero, ctx.Err()
	}
}

const (
	panicTextBytes  = 4 << 10
	panicStackBytes = 16 << 10
)

// A PanicError is the panic of a user's function.
type PanicError struct {
	text  string // its value
	stack string // where it was; "": that is not kept
	cause error  // its value, if that is an error
}

// Error returns the panic's value, and not its stack, which is no text for whoever the error is
// shown to.
func (e *PanicError) Error() string { return e.text }

// Stack returns the stack of the goroutine that panicked, "" where that is not kept.
func (e *PanicError) Stack() string { return e.stack }

// LogArgs returns what a log line says of a panic.
func LogArgs(err error) []any {
	args := []any{"panic", TextOf(err)}
	if p, ok := err.(*PanicError); ok && p.stack != "" {
		args = append(args, "stack", p.stack)
	}
	return args
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error { return e.cause }

// Clipped returns the panic with no more than so many bytes of its text, and without its stack.
func (e *PanicError) Clipped(most int) *PanicError {
	if len(e.text) <= most {
		return &PanicError{text: e.text, cause: e.cause}
	}
	return &PanicError{text: e.text[:most] + "…", cause: e.cause}
}

// Recovered returns the error that a panic's value stands for. It is called where
// the panic was recovered.
func Recovered(value any) *PanicError {
	text, stack := TextOf(value), debug.Stack()
	e := &PanicError{text: "panic: " + text[:min(len(text), panicTextBytes)], stack: string(stack[:min(len(stack), panicStackBytes)])}
	if err, ok := value.(error); ok {
		e.cause = Seal(err, nil)
	}
	return e
}

// Rescue, when deferred, turns a panic into an error.
func Rescue(err *error) {
	if p := recover(); p != nil {
		*err = Recovered(p)
	}
}
