package cachemesh

import "github.com/praveenduddu/cachemesh/internal/errs"

// Errors that callers branch on with errors.Is. They keep their identity when
// they cross the mesh.
var (
	// ErrNotFound means that the key has no value: the loader said so, or the
	// group has no loader and nothing was Set.
	ErrNotFound = errs.ErrNotFound

	// ErrClosed means that the node was shut down or closed.
	ErrClosed = errs.ErrClosed

	// ErrGroupClosed means that the group was closed on this member: see Group.Close.
	ErrGroupClosed = errs.ErrGroupClosed

	// ErrNotStarted means that the node's Start was not called yet.
	ErrNotStarted = errs.ErrNotStarted

	// ErrInvalidKey means that a key is empty or longer than MaxKeyLen.
	ErrInvalidKey = errs.ErrInvalidKey

	// ErrInvalidTTL means that a TTL is negative.
	ErrInvalidTTL = errs.ErrInvalidTTL

	// ErrTooLarge means that a value does not fit the group's limit, or those of too many of the
	// members that are to have a copy: it says whose. Nothing was changed.
	ErrTooLarge = errs.ErrTooLarge

	// ErrUnknownGroup means that the owner of the key has no group of this name,
	// as happens while a new version of a service is rolled out.
	ErrUnknownGroup = errs.ErrUnknownGroup

	// ErrOverloaded means that a bound on concurrent work was reached.
	ErrOverloaded = errs.ErrOverloaded

	// ErrWriterBusy means that an earlier write of the key has not returned from
	// the group's Writer before the caller's time ran out. The write was not applied.
	ErrWriterBusy = errs.ErrWriterBusy

	// ErrOtherVersion means that the owner of the key has another GroupOptions.Version,
	// and a Writer that could not read the value. The write was not applied.
	ErrOtherVersion = errs.ErrOtherVersion

	// ErrFewCopies means that fewer members than GroupOptions.Replicas could take a copy of
	// what was written. If a *PeerError with MaybeApplied wraps it, the write may be applied
	// yet; else nothing was changed, as where other members have not registered the group.
	ErrFewCopies = errs.ErrFewCopies

	// ErrOverflow means that a sum does not fit the integers that a group has. Nothing was
	// changed.
	ErrOverflow = errs.ErrOverflow

	// ErrNotInteger means that the value that was to be counted up is no integer. Nothing
	// was changed.
	ErrNotInteger = errs.ErrNotInteger

	// ErrNotCache means that a group is a plain map on this member or on the owner of the
	// key, or a cache on one of them and not on the other: see GroupOptions.Cache.
	ErrNotCache = errs.ErrNotCache

	// ErrNotWon means that there is nothing to be filled: the Claim is not in the state Won.
	ErrNotWon = errs.ErrNotWon

	// ErrClaimVoid means that the key was written or deleted since the claim was won, or got
	// another owner, or that the members did not agree on its owner. Nothing is stored; who waited before that has the value all the same, but
	// with a Writer.
	ErrClaimVoid = errs.ErrClaimVoid

	// ErrClaimOver means that a claim was filled already, or its time has passed, or its
	// member was not heard of and another has it now. Nothing was changed.
	ErrClaimOver = errs.ErrClaimOver

	// ErrUnsettled means that the members did not agree on who owns the key
	// before the caller's time ran out. The write was not applied.
	ErrUnsettled = errs.ErrUnsettled

	// ErrMinority means that the member that owns the key here sees no majority of
	// the mesh. It comes in a *PeerError: a write that MaybeApplied holds on this
	// side, for those who cannot see the majority either, and the majority forgets
	// the key when they are back; else nothing was changed. Retry, and see README,
	// Running it.
	ErrMinority = errs.ErrMinority

	// ErrJoin means that Start joined nobody: those of BootstrapNodes that answered
	// in JoinTimeout refused this member, or none answered and RequireJoin was set.
	ErrJoin = errs.ErrJoin

	// ErrNameTaken means that another live member has this node's Name.
	ErrNameTaken = errs.ErrNameTaken
)

// An OptionError says which option cannot be used, and why.
//
//	type OptionError struct {
//		Option string // the field's name, such as "ListenAddr"
//		Value  any    // what it was
//		Err    error  // why it cannot be used
//	}
type OptionError = errs.OptionError

// A LoadError wraps what a loader returned. Everyone who waited for the load
// receives it, on any member.
//
// On the member that ran the loader, errors.Is and errors.As see the loader's
// own error. On others they see its text, and the identity of
// context.DeadlineExceeded, context.Canceled, ErrOverloaded and whatever is
// listed in GroupOptions.Errors. The stack of a panic is in the log of the member that ran the
// loader, once a minute, and there errors.As finds an interface{ Stack() string } in Err.
//
//	type LoadError struct {
//		Group  string
//		Key    string
//		Member string // name of the member that ran the loader
//		Panic  bool   // the loader panicked; Err says with what
//		Err    error
//	}
type LoadError = errs.LoadError

// A WriteError wraps what a group's Writer returned. The cache holds no value of
// the key then: nobody knows what the origin has now.
//
//	type WriteError struct {
//		Group  string
//		Key    string
//		Member string // name of the member that called the Writer
//		Panic  bool   // the Writer panicked; Err says with what
//		Err    error
//	}
type WriteError = errs.WriteError

// A PeerError says that a call to a peer failed. Reads rarely see one: they
// turn to another member or load for themselves.
//
//	type PeerError struct {
//		Op     string // "get", "set", "delete", "refresh" or "clear"
//		Member string // the peer's name
//		Addr   string // the peer's address
//
//		// MaybeApplied reports whether the operation may have taken effect on the
//		// peer. If it is false, it certainly did not.
//		MaybeApplied bool
//
//		Err error
//	}
type PeerError = errs.PeerError

// A LostError says that Shutdown lost values that were Set in groups without a loader:
// no other member could be reached to take them, or would have them, or there was no time.
// Or that Group.Close did, and Err says that they had no room.
//
//	type LostError struct {
//		// Values is how many. It counts what no other member said that it took, so it is
//		// too high only if one took some and could not say so within a second.
//		Values int
//		Err    error // ctx's, if it ended first; Close's; else nil
//	}
type LostError = errs.LostError

// A KeyErrors value says which keys of a GetMany, SetMany, Delete or Refresh failed, and why.
// Keys that are not in it succeeded. errors.Is and errors.As reach through it: they look at the keys'
// errors in the order of the keys.
type KeyErrors = errs.KeyErrors

// A StaleError comes together with a value whose TTL has passed: the loader
// failed, and GroupOptions.StaleFor allows the old value instead. A caller that
// wants the value whatever its age ignores it:
//
//	v, err := group.Get(ctx, key)
//	if stale, ok := errors.AsType[*cachemesh.StaleError](err); ok {
//		log.Print(stale) // and use v
//	}
//
//	type StaleError struct {
//		Group string
//		Key   string
//		Age   time.Duration // since the value's TTL has passed
//		Err   error         // what the last load said, a *LoadError
//	}
type StaleError = errs.StaleError
