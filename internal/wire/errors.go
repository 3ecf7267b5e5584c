package wire

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/praveenduddu/cachemesh/httppool"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
)

// TransportError returns the error of a call that got no answer.
func TransportError(ctx context.Context, op uint8, member, addr string, err error) error {
	pe := &errs.PeerError{Op: OpNames[op], Member: member, Addr: addr, Err: err}
	unreachable := errs.Ended(ctx) == nil
	if ce, ok := errors.AsType[*httppool.CallError](err); ok {
		pe.MaybeApplied = ce.Sent
		pe.Err = ce.Err
	}
	switch {
	case errors.Is(err, httppool.ErrClosed):
		pe.Err, unreachable = errs.ErrClosed, false
	case errors.Is(err, httppool.ErrOverloaded):
		pe.Err, unreachable = &errs.RemoteError{Text: pe.Err.Error(), Known: errs.ErrOverloaded}, false
	case errors.Is(err, httppool.ErrTooLarge):
		unreachable = false
		pe.Err = &errs.RemoteError{Text: pe.Err.Error(), Known: errs.ErrTooLarge}
	}
	return errs.OutOfReach(pe, unreachable)
}

// Errors puts what went wrong with a group's keys into answers, and reads it there.
type Errors struct {
	Group string
	Known []guard.Known // errors of the user's functions that keep their identity

	// TooLargeUnreachable is a safeguard left out: see faultinject.
	TooLargeUnreachable bool
}

// Put writes err into a response.
func (w *Errors) Put(resp *httppool.Response, err error) {
	var le *errs.LoadError
	var we *errs.WriteError
	if outer, ok := err.(*errs.WriteError); ok { // it may wrap a LoadError of another group
		w.PutCause(resp, StatusWriteFailed, outer.Panic, outer.Err)
		return
	}
	if pe, ok := errors.AsType[*errs.PeerError](err); ok && pe.MaybeApplied {
		resp.Flags |= FlagMaybe
	}
	switch {
	case err == nil:
		resp.Status = StatusOK
	case errors.As(err, &le):
		w.PutCause(resp, StatusLoadFailed, le.Panic, le.Err)
	case errors.As(err, &we):
		w.PutCause(resp, StatusWriteFailed, we.Panic, we.Err)
	case errors.Is(err, errs.ErrNotFound):
		resp.Status = StatusNotFound
	case errors.Is(err, errs.ErrNotOwner):
		resp.Status = StatusNotOwner
	case errors.Is(err, errs.ErrUnsettled):
		resp.Status = StatusUnsettled
	case errors.Is(err, errs.ErrMinority):
		resp.Status = StatusMinority
	case errors.Is(err, errs.ErrWriterBusy):
		resp.Status = StatusWriterBusy
	case errors.Is(err, errs.ErrOtherVersion):
		resp.Status = StatusOtherVersion
	case errors.Is(err, errs.ErrOverflow):
		resp.Status = StatusOverflow
	case errors.Is(err, errs.ErrNotInteger):
		resp.Status = StatusNotInteger
	case errors.Is(err, errs.ErrFewCopies):
		resp.Status = StatusFewCopies
	case errors.Is(err, errs.ErrClaimVoid):
		resp.Status = StatusClaimVoid
	case errors.Is(err, errs.ErrClaimOver):
		resp.Status = StatusClaimOver
	case errors.Is(err, errs.ErrNotCache):
		resp.Status = StatusNotCache
	case errors.Is(err, errs.ErrTooLarge):
		resp.Status, resp.Message = StatusTooLarge, strings.TrimPrefix(err.Error(), errs.ErrTooLarge.Error()+": ")
	case errors.Is(err, errs.ErrOverloaded):
		resp.Status = StatusOverloaded
	case errors.Is(err, errs.ErrGroupClosed):
		resp.Status = StatusUnknownGroup
	case errors.Is(err, errs.ErrClosed):
		resp.Status = StatusClosed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		resp.Status = StatusCanceled
	default:
		resp.Status, resp.Message = StatusInvalid, Clip(err.Error())
	}
}

// PutCause writes the error of a user's function into a response.
func (w *Errors) PutCause(resp *httppool.Response, status uint8, panicked bool, cause error) {
	resp.Status, resp.Message = status, Clip(guard.TextOf(cause))
	if panicked {
		resp.Flags |= FlagPanic
	}
	names := ""
	for flag, known := range w.recognised() {
		if !guard.Is(cause, known.Err) {
			continue
		}
		if flag == FlagSentinel {
			if len(names)+len(known.Name)+1 > guard.MaxNamesBytes {
				continue // those that do not fit are recognised on this member alone
			}
			names += known.Name + "\x00"
		}
		resp.Flags |= flag
	}
	if names != "" {
		resp.Message = names + strings.ReplaceAll(resp.Message, "\x00", " ")
	}
}

// PackCause returns what a loader said as a Fill has it.
func (w *Errors) PackCause(le *errs.LoadError) (flags uint8, message string) {
	var resp httppool.Response
	w.PutCause(&resp, StatusLoadFailed, le.Panic, le.Err)
	return resp.Flags, resp.Message
}

// ParseCause undoes PackCause, for a loader that ran on a member. The key must not alias a
// buffer.
func (w *Errors) ParseCause(member, key string, flags uint8, message string) *errs.LoadError {
	resp := httppool.Response{Flags: flags, Message: message}
	return &errs.LoadError{Group: w.Group, Key: key, Member: member, Panic: flags&FlagPanic != 0, Err: w.Cause(&resp)}
}

// identities are the errors that every member recognises in the error of a user's
// function.
var identities = []struct {
	flag uint8
	err  error
}{{FlagOverload, errs.ErrOverloaded}, {FlagDeadline, context.DeadlineExceeded}, {FlagCanceled, context.Canceled}}

// recognised returns what members recognise in the error of a user's function, with the flag
// that says so in an answer. With FlagSentinel the name says which it is.
func (w *Errors) recognised() iter.Seq2[uint8, guard.Known] {
	return func(yield func(uint8, guard.Known) bool) {
		for _, each := range identities {
			if !yield(each.flag, guard.Known{Err: each.err}) {
				return
			}
		}
		for _, each := range w.Known {
			if !yield(FlagSentinel, each) {
				return
			}
		}
	}
}

// Identity returns what members recognise in an error of a user's function, nil for nothing.
func (w *Errors) Identity(err error) (identity error) {
	for _, known := range w.recognised() {
		if guard.Is(err, known.Err) {
			identity = errors.Join(identity, known.Err)
		}
	}
	return identity
}

// Clip returns as much of a text as an answer has room for.
func Clip(s string) string { return s[:min(len(s), maxErrorBytes)] }

// Of returns the error that the answer of a member to an operation on a key stands for. The
// key may alias a buffer.
func (w *Errors) Of(member, addr string, op uint8, key string, resp *httppool.Response) error {
	tooLarge := resp.Status == StatusTooLarge || resp.Status == httppool.StatusTooLarge
	if resp.Status == httppool.StatusTooLarge && op == OpUpdate {
		resp.Flags |= FlagMaybe // the change was made, and only its answer does not fit
	}
	answer := func(err error) error {
		pe := &errs.PeerError{Op: OpNames[op], Member: member, Addr: addr, MaybeApplied: resp.Flags&FlagMaybe != 0, Err: err}
		return errs.OutOfReach(pe, resp.Status == StatusClosed || tooLarge && w.TooLargeUnreachable)
	}
	switch resp.Status {
	case StatusOK:
		return nil
	case StatusNotFound:
		return errs.ErrNotFound
	case StatusNotOwner:
		return errs.ErrNotOwner
	case StatusUnsettled:
		return errs.ErrUnsettled
	case StatusUnknownGroup:
		return answer(errs.ErrUnknownGroup)
	case StatusMinority:
		return answer(errs.ErrMinority)
	case StatusOtherVersion:
		return answer(errs.ErrOtherVersion)
	case StatusFewCopies:
		return answer(errs.ErrFewCopies)
	case StatusOverflow:
		return errs.ErrOverflow
	case StatusNotInteger:
		return errs.ErrNotInteger
	case StatusClaimVoid:
		return errs.ErrClaimVoid
	case StatusClaimOver:
		return errs.ErrClaimOver
	case StatusNotCache:
		return answer(errs.ErrNotCache)
	case StatusLoadFailed:
		return &errs.LoadError{Group: w.Group, Key: strings.Clone(key), Member: member, Panic: resp.Flags&FlagPanic != 0, Err: w.Cause(resp)}
	case StatusWriteFailed:
		return &errs.WriteError{Group: w.Group, Key: strings.Clone(key), Member: member, Panic: resp.Flags&FlagPanic != 0, Err: w.Cause(resp)}
	case StatusTooLarge, httppool.StatusTooLarge:
		return answer(&errs.RemoteError{Text: resp.Message, Known: errs.ErrTooLarge})
	case StatusInvalid:
		return answer(errors.New(resp.Message))
	case StatusWriterBusy:
		return answer(errors.Join(errs.ErrWriterBusy, context.DeadlineExceeded))
	case StatusOverloaded, httppool.StatusOverloaded:
		return answer(errs.ErrOverloaded)
	case StatusClosed:
		return answer(errs.ErrPeerClosed)
	case StatusCanceled, httppool.StatusCancelled:
		return answer(context.DeadlineExceeded)
	default:
		// It gave up in the middle, whatever it had done by then.
		resp.Flags |= FlagMaybe
		return answer(errors.New("the peer failed to answer: " + resp.Message))
	}
}

// Cause returns what a user's function on a peer returned.
func (w *Errors) Cause(resp *httppool.Response) error {
	re := &errs.RemoteError{Text: resp.Message}
	var names []string
	if resp.Flags&FlagSentinel != 0 {
		names = strings.Split(resp.Message, "\x00")
		names, re.Text = names[:len(names)-1], names[len(names)-1]
	}
	for flag, known := range w.recognised() {
		if resp.Flags&flag != 0 && (flag != FlagSentinel || slices.Contains(names, known.Name)) {
			re.Known = errors.Join(re.Known, known.Err)
		}
	}
	return re
}
