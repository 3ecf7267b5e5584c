// Package errs is what can fail: the errors that callers branch on, those that say what
// happened where, and the questions that the packages of this module ask of them.
//
// The root package passes the public ones on under their own names; it has their
// documentation. Nothing here has a state; all of it may be called concurrently.
package errs

import "errors"

// Errors that callers branch on with errors.Is; the root package says what each means.
// They keep their identity when they cross the mesh.
var (
	ErrNotFound     = errors.New("cachemesh: not found")
	ErrClosed       = errors.New("cachemesh: node is closed")
	ErrGroupClosed  = errors.New("cachemesh: group is closed")
	ErrNotStarted   = errors.New("cachemesh: node is not started: call Start first")
	ErrInvalidKey   = errors.New("cachemesh: invalid key")
	ErrInvalidTTL   = errors.New("cachemesh: invalid TTL")
	ErrTooLarge     = errors.New("cachemesh: value too large")
	ErrUnknownGroup = errors.New("cachemesh: unknown group")
	ErrOverloaded   = errors.New("cachemesh: overloaded")
	ErrWriterBusy   = errors.New("cachemesh: the Writer has not returned from an earlier write of the key")
	ErrOtherVersion = errors.New("cachemesh: the owner of the key has another GroupOptions.Version")
	ErrUnsettled    = errors.New("cachemesh: the members do not agree yet on the owner of the key")
	ErrMinority     = errors.New("cachemesh: most of the mesh is out of reach: this holds on this side only")
	ErrJoin         = errors.New("cachemesh: cannot join the mesh")
	ErrNameTaken    = errors.New("cachemesh: another member has this name")
	ErrOverflow     = errors.New("cachemesh: the sum does not fit the integer type")
	ErrNotInteger   = errors.New("cachemesh: the value is no integer")
	ErrNotOwner     = errors.New("cachemesh: not the owner of the key")
	ErrFewCopies    = errors.New("cachemesh: too few members have taken a copy of what was written, or they changed meanwhile")
	ErrNotCache     = errors.New("cachemesh: the group is a map: claims need a loader, or GroupOptions.Cache on all members")
	ErrNotWon       = errors.New("cachemesh: this claim was not won")
	ErrClaimVoid    = errors.New("cachemesh: the key was written, or lost, since the claim was won: nothing is stored")
	ErrClaimOver    = errors.New("cachemesh: the claim is over")
)
