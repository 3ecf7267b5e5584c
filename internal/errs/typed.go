package errs

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A failure is an error that is no absence: whoever asks it for ErrNotFound, as
// callers of Get do, hears no, though it may wrap that among others.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Is(target error) bool { return target != ErrNotFound && errors.Is(f.err, target) }

func (f *failure) As(target any) bool { return errors.As(f.err, target) }

// AsFailure returns an error that is not taken for an absence.
func AsFailure(err error) error {
	if errors.Is(err, ErrNotFound) {
		return &failure{err}
	}
	return err
}

// An OptionError says which option cannot be used, and why.
type OptionError struct {
	Option string // the field's name, such as "ListenAddr"
	Value  any    // what it was
	Err    error  // why it cannot be used
}

// Option returns an *OptionError.
func Option(name string, value any, err error) *OptionError { return &OptionError{name, value, err} }

func (e *OptionError) Error() string {
	value := fmt.Sprintf("%#v", e.Value)
	if d, ok := e.Value.(time.Duration); ok {
		value = d.String()
	}
	return fmt.Sprintf("cachemesh: option %s = %s: %v", e.Option, value, e.Err)
}

func (e *OptionError) Unwrap() error { return e.Err }

// A LoadError wraps what a loader returned. Everyone who waited for the load
// receives it, on any member.
//
// On the member that ran the loader, errors.Is and errors.As see the loader's
// own error. On others they see its text, and the identity of
// context.DeadlineExceeded, context.Canceled, ErrOverloaded and whatever is
// listed in GroupOptions.Errors.
type LoadError struct {
	Group  string
	Key    string
	Member string // name of the member that ran the loader
	Panic  bool   // the loader panicked; Err says with what
	Err    error
}

func (e *LoadError) Error() string {
	verb := "failed"
	if e.Panic {
		verb = "panicked"
	}
	return fmt.Sprintf("cachemesh: loader of group %q %s for key %q on %s: %v", e.Group, verb, e.Key, e.Member, e.Err)
}

func (e *LoadError) Unwrap() error { return e.Err }

// A WriteError wraps what a group's Writer returned. The cache holds no value of
// the key then: nobody knows what the origin has now.
type WriteError struct {
	Group  string
	Key    string
	Member string // name of the member that called the Writer
	Panic  bool   // the Writer panicked; Err says with what
	Err    error
}

func (e *WriteError) Error() string {
	verb := "failed"
	if e.Panic {
		verb = "panicked"
	}
	return fmt.Sprintf("cachemesh: writer of group %q %s for key %q on %s: %v", e.Group, verb, e.Key, e.Member, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }

// A PeerError says that a call to a peer failed. Reads rarely see one: they
// turn to another member or load for themselves.
type PeerError struct {
	Op     string // "get", "set", "delete", "refresh" or "clear"
	Member string // the peer's name
	Addr   string // the peer's address

	// MaybeApplied reports whether the operation may have taken effect on the
	// peer. If it is false, it certainly did not.
	MaybeApplied bool

	Err error

	// unreachable says that the peer could not be reached or was lost, rather than
	// that it answered or that the caller's own context ended.
	unreachable bool
}

func (e *PeerError) Error() string {
	state := "not applied"
	if e.MaybeApplied {
		state = "may have been applied"
	}
	return fmt.Sprintf("cachemesh: %s at %s (%s): %v (%s)", e.Op, e.Member, e.Addr, e.Err, state)
}

func (e *PeerError) Unwrap() error { return e.Err }

// OutOfReach notes whether the peer could not be reached or was lost.
func OutOfReach(pe *PeerError, is bool) *PeerError {
	pe.unreachable = is
	return pe
}

// A LostError says that Shutdown lost values that were Set in groups without a loader:
// no other member could be reached to take them, or would have them, or there was no time.
// Or that Group.Close did, and Err says that they had no room.
type LostError struct {
	Values int
	Err    error // ctx's, if it ended first, else nil
}

func (e *LostError) Error() string {
	why := "no other member took them"
	if e.Err != nil {
		why = e.Err.Error()
	}
	return fmt.Sprintf("cachemesh: %d values that no loader could bring back are lost: %s", e.Values, why)
}

func (e *LostError) Unwrap() error { return e.Err }

// A KeyErrors value says which keys of a GetMany, SetMany, Delete or Refresh failed, and why.
// Keys that are not in it succeeded.
type KeyErrors map[string]error

func (e KeyErrors) Error() string {
	if len(e) == 0 {
		return "cachemesh: no key failed"
	}
	key := slices.Min(slices.Collect(maps.Keys(e)))
	if len(e) == 1 {
		return fmt.Sprintf("cachemesh: key %q: %v", key, e[key])
	}
	return fmt.Sprintf("cachemesh: %d keys failed, the first of them %q: %v", len(e), key, e[key])
}

// OfKey returns the error of an operation on one key as that of one on several: those that any
// key would have had are plain.
func OfKey(key string, err error) error {
	switch err {
	case nil, ErrClosed, ErrGroupClosed, ErrNotStarted:
		return err
	}
	return KeyErrors{strings.Clone(key): err}
}

// Unwrap returns the keys' errors in the order of the keys, one that several have once, for
// errors.Is and errors.As.
func (e KeyErrors) Unwrap() []error {
	all := make([]error, 0, len(e))
	seen := make(map[error]struct{})
	for _, key := range slices.Sorted(maps.Keys(e)) {
		err := e[key]
		if err != nil && reflect.TypeOf(err).Comparable() && reflect.ValueOf(err).Comparable() {
			if _, twice := seen[err]; twice {
				continue
			}
			seen[err] = struct{}{}
		}
		all = append(all, err)
	}
	return all
}

// A StaleError comes together with a value whose TTL has passed: the loader
// failed, and GroupOptions.StaleFor allows the old value instead. A caller that
// wants the value whatever its age ignores it:
//
//	v, err := group.Get(ctx, key)
//	if stale, ok := errors.AsType[*cachemesh.StaleError](err); ok {
//		log.Print(stale) // and use v
//	}
type StaleError struct {
	Group string
	Key   string
	Age   time.Duration // since the value's TTL has passed
	Err   error         // what the last load said, a *LoadError
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("cachemesh: value of key %q in group %q outlived its TTL by %v: %v", e.Key, e.Group, e.Age.Round(time.Millisecond), e.Err)
}

func (e *StaleError) Unwrap() error { return e.Err }

// A RemoteError is an error that happened on a peer: its text, and the identity
// that could be carried across.
type RemoteError struct {
	Text  string
	Known error
}

func (e *RemoteError) Error() string { return e.Text }

func (e *RemoteError) Unwrap() error { return e.Known }
