package errs

import "errors"

// An UnreadableError says that the codec cannot decode a value. The Get goes on as
// after a miss.
type UnreadableError struct{ err error }

func (e *UnreadableError) Error() string { return e.err.Error() }

func (e *UnreadableError) Unwrap() error { return e.err }

// IsUnreadable reports whether err itself is one: within a LoadError it is an answer.
func IsUnreadable(err error) bool {
	_, ok := err.(*UnreadableError)
	return ok
}

// ErrForeign says that a value has another GroupOptions.Version than the group.
var ErrForeign = &UnreadableError{errors.New("it has another GroupOptions.Version")}

// AsUnreadable returns err as an *UnreadableError.
func AsUnreadable(err error) error { return &UnreadableError{err} }
