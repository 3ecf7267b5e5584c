package cachemesh

import (
	"errors"
	"fmt"
)

// Errors that callers branch on with errors.Is. They keep their identity when
// they cross the mesh.
var (
	// ErrNotFound means that the key has no value: the loader said so, or the
	// group has no loader and nothing was Set.
	ErrNotFound = errors.New("cachemesh: not found")

	// ErrClosed means that the node was shut down or closed.
	ErrClosed = errors.New("cachemesh: node is closed")

	// ErrGroupClosed means that the group was closed on this member: see Group.Close.
	ErrGroupClosed = errors.New("cachemesh: group is closed")

	// ErrNotStarted means that the node's Start was not called yet.
	ErrNotStarted = errors.New("cachemesh: node is not started: call Start first")

	// ErrInvalidKey means that a key is empty or longer than MaxKeyLen.
	ErrInvalidKey = errors.New("cachemesh: invalid key")

	// ErrInvalidTTL means that a TTL is negative.
	ErrInvalidTTL = errors.New("cachemesh: invalid TTL")

	// ErrTooLarge means that a value does not fit the group's limit. Nothing
	// was changed.
	ErrTooLarge = errors.New("cachemesh: value too large")

	// ErrUnknownGroup means that the owner of the key has no group of this name,
	// as happens while a new version of a service is rolled out.
	ErrUnknownGroup = errors.New("cachemesh: unknown group")

	// ErrOverloaded means that a bound on concurrent work was reached.
	ErrOverloaded = errors.New("cachemesh: overloaded")

	// ErrWriterBusy means that an earlier write of the key has not returned from
	// the group's Writer before the caller's time ran out. The write was not applied.
	ErrWriterBusy = errors.New("cachemesh: the Writer has not returned from an earlier write of the key")

	// ErrOtherVersion means that the owner of the key has another GroupOptions.Version,
	// and a Writer that could not read the value. The write was not applied.
	ErrOtherVersion = errors.New("cachemesh: the owner of the key has another GroupOptions.Version")

	// ErrUnsettled means that the members did not agree on who owns the key
	// before the caller's time ran out. The write was not applied.
	ErrUnsettled = errors.New("cachemesh: the members do not agree yet on the owner of the key")

	// ErrMinority means that the member that owns the key here sees no majority of
	// the mesh. It comes in a *PeerError: a write that MaybeApplied holds on this
	// side, for those who cannot see the majority either, and the majority forgets
	// the key when they are back; else nothing was changed. Retry, and see README,
	// Running it.
	ErrMinority = errors.New("cachemesh: most of the mesh is out of reach: this holds on this side only")

	// ErrJoin means that Start joined nobody: those of BootstrapNodes that answered
	// in JoinTimeout refused this member, or none answered and RequireJoin was set.
	ErrJoin = errors.New("cachemesh: cannot join the mesh")

	// ErrNameTaken means that another live member has this node's Name.
	ErrNameTaken = errors.New("cachemesh: another member has this name")

	errNotOwner = errors.New("cachemesh: not the owner of the key")
)

// An OptionError says which option cannot be used, and why.
type OptionError struct {
	Option string // the field's name, such as "ListenAddr"
	Value  any    // what it was
	Err    error  // why it cannot be used
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("cachemesh: option %s = %#v: %v", e.Option, e.Value, e.Err)
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
	Panic  bool   // the loader panicked; Err holds the panic's value and stack
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
	Panic  bool   // the Writer panicked; Err holds the panic's value and stack
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

// A LostError says that Shutdown lost values that were Set in groups without a loader:
// no other member could be reached to take them, or would have them, or there was no time.
// Or that Group.Close did, and Err says that they had no room.
type LostError struct {
	// Values is how many. It counts what no other member said that it took, so it is
	// too high only if one took some and could not say so within a second.
	Values int
	Err    error // ctx's, if it ended first; Close's; else nil
}

func (e *LostError) Error() string {
	why := "no other member took them"
	if e.Err != nil {
		why = e.Err.Error()
	}
	return fmt.Sprintf("cachemesh: %d values that no loader could bring back are lost: %s", e.Values, why)
}

func (e *LostError) Unwrap() error { return e.Err }

// A KeyErrors value says which keys of a GetMany or Delete failed, and why.
// Keys that are not in it succeeded.
type KeyErrors map[string]error

func (e KeyErrors) Error() string {
	for key, err := range e {
		if len(e) == 1 {
			return fmt.Sprintf("cachemesh: key %q: %v", key, err)
		}
		return fmt.Sprintf("cachemesh: %d keys failed, one of them %q: %v", len(e), key, err)
	}
	return "cachemesh: no key failed"
}

// Unwrap returns the keys' errors, for errors.Is and errors.As.
func (e KeyErrors) Unwrap() []error {
	errs := make([]error, 0, len(e))
	for _, err := range e {
		errs = append(errs, err)
	}
	return errs
}

func invalidKey(key string) error {
	if key == "" {
		return fmt.Errorf("%w: it is empty", ErrInvalidKey)
	}
	return fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrInvalidKey, len(key), MaxKeyLen)
}
