package cachemesh

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/praveenduddu/cachemesh/httppool"
)

// Operations of the peer protocol. Numbers are never reused.
const (
	opGet        uint8 = 1  // Key, Arg: an encoding, Value: see carriedFrom → Value
	opSet        uint8 = 2  // Key, Value, TTL, Arg: the value's encoding
	opDelete     uint8 = 3  // Key
	opGetMany    uint8 = 4  // Key: see carriedFrom, Value: a list of keys, Arg: an encoding → Value: a list of results
	opDeleteMany uint8 = 5  // Value: a list of keys → Value: a list of results
	opClear      uint8 = 6  // View: the whole group, on the peer that is called, if it acts by this view
	opInvalidate uint8 = 7  // Key: drop the hot copy, keep nothing that is on its way
	opHandOver   uint8 = 9  // View, Value: a list of values that the peer owns now
	opRefresh    uint8 = 11 // Key: see carriedFrom, Value: a list of keys → Value: a list of results
	opRelay      uint8 = 10 // View, Key: a member's id, Value: a request for it → its answer
	opFence      uint8 = 8  // Value: a quorum.Word → Value: another
)

var opNames = [...]string{
	opGet: "get", opSet: "set", opDelete: "delete", opGetMany: "get", opDeleteMany: "delete", opClear: "clear", opInvalidate: "invalidate",
	opFence: "fence", opHandOver: "hand over", opRelay: "relay", opRefresh: "refresh",
}

// Flags of a request.
const (
	flagStandIn uint8 = 1 // answer in place of an owner that cannot be reached
	flagLease   uint8 = 2 // the caller reads the key often: grant it a lease

	flagPeek      uint8 = 4  // answer from memory or not at all
	flagNoValue   uint8 = 8  // with opGetMany: load, but leave the values out of the answer
	flagCacheOnly uint8 = 16 // with opDelete: the origin was written already
	flagRenewal   uint8 = 32 // nobody waits: a lease is renewed
)

// Flags of a response.
const (
	flagHit       uint8 = 1 // the value was in memory
	flagPanic     uint8 = 2 // with statusLoadFailed: the loader panicked
	flagDeadline  uint8 = 4 // with statusLoadFailed: errors.Is DeadlineExceeded
	flagCanceled  uint8 = 8 // with statusLoadFailed: errors.Is Canceled
	flagOverload  uint8 = 16
	flagSentinel  uint8 = 32  // with statusLoadFailed: Message starts with the names of sentinels, a NUL after each
	flagMaybe     uint8 = 128 // with an error: the write may have been applied
	flagStale     uint8 = 64  // the value's TTL has passed Version nanoseconds ago; Message: what the loader said
	maxErrorBytes       = 2048
)

// Statuses of a response, beside those of httppool. Numbers are never reused.
const (
	statusOK           uint8 = 0
	statusNotFound     uint8 = 1
	statusNotOwner     uint8 = 2 // Message: address of the owner as the peer sees it
	statusUnknownGroup uint8 = 3
	statusLoadFailed   uint8 = 4 // Message: what the loader said
	statusTooLarge     uint8 = 5 // Message: how large
	statusInvalid      uint8 = 6 // Message: what is wrong with the request
	statusClosed       uint8 = 7
	statusCanceled     uint8 = 8 // the caller's context ended first
	statusOverloaded   uint8 = 9
	statusWriteFailed  uint8 = 11 // Message: what the writer said
	statusOtherVersion uint8 = 18 // the peer's GroupOptions.Version is not the request's Arg, which matters here
	statusMinority     uint8 = 17 // the write holds on the peer's side of a cut only; with flagMaybe it was applied there
	statusWriterBusy   uint8 = 16 // an earlier write of the key has not returned from the Writer
	statusNoRelay      uint8 = 12 // the request was not passed on. Message: why
	statusRelayLost    uint8 = 13 // it may have been, and there is no answer. Message: why
	statusUnsettled    uint8 = 10 // the members do not agree yet on who owns the key
)

// putError writes err into a response.
func (c *groupCore) putError(resp *httppool.Response, err error) {
	var le *LoadError
	var we *WriteError
	if outer, ok := err.(*WriteError); ok { // it may wrap a LoadError of another group
		c.putCause(resp, statusWriteFailed, outer.Panic, outer.Err)
		return
	}
	if pe, ok := errors.AsType[*PeerError](err); ok && pe.MaybeApplied {
		resp.Flags |= flagMaybe
	}
	switch {
	case err == nil:
		resp.Status = statusOK
	case errors.As(err, &le):
		c.putCause(resp, statusLoadFailed, le.Panic, le.Err)
	case errors.As(err, &we):
		c.putCause(resp, statusWriteFailed, we.Panic, we.Err)
	case errors.Is(err, ErrNotFound):
		resp.Status = statusNotFound
	case errors.Is(err, errNotOwner):
		resp.Status = statusNotOwner
	case errors.Is(err, ErrUnsettled):
		resp.Status = statusUnsettled
	case errors.Is(err, ErrMinority):
		resp.Status = statusMinority
	case errors.Is(err, ErrWriterBusy):
		resp.Status = statusWriterBusy
	case errors.Is(err, ErrOtherVersion):
		resp.Status = statusOtherVersion
	case errors.Is(err, ErrTooLarge):
		resp.Status, resp.Message = statusTooLarge, strings.TrimPrefix(err.Error(), ErrTooLarge.Error()+": ")
	case errors.Is(err, ErrOverloaded):
		resp.Status = statusOverloaded
	case errors.Is(err, ErrGroupClosed):
		resp.Status = statusUnknownGroup
	case errors.Is(err, ErrClosed):
		resp.Status = statusClosed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		resp.Status = statusCanceled
	default:
		resp.Status, resp.Message = statusInvalid, clip(err.Error())
	}
}

// putCause writes the error of a user's function into a response.
func (c *groupCore) putCause(resp *httppool.Response, status uint8, panicked bool, cause error) {
	resp.Status, resp.Message = status, clip(textOf(cause))
	if panicked {
		resp.Flags |= flagPanic
	}
	for _, known := range identities {
		if is(cause, known.err) {
			resp.Flags |= known.flag
		}
	}
	names := ""
	for _, s := range c.sentinels {
		// Those that do not fit are recognised on this member alone.
		if is(cause, s.err) && len(names)+len(s.name)+1 <= maxNamesBytes {
			names += s.name + "\x00"
		}
	}
	if names != "" {
		resp.Flags |= flagSentinel
		resp.Message = names + strings.ReplaceAll(resp.Message, "\x00", " ")
	}
}

// maxNamesBytes bounds the names in an answer, so that names and text fit a message.
const maxNamesBytes = 2000

// sentinelName returns what stands for one of GroupOptions.Errors in an answer.
func sentinelName(err error) string {
	text := strings.ReplaceAll(textOf(err), "\x00", " ")
	return text[:min(len(text), maxNamesBytes/2)]
}

// identities are the errors that every member recognises in the error of a user's
// function.
var identities = []struct {
	flag uint8
	err  error
}{{flagOverload, ErrOverloaded}, {flagDeadline, context.DeadlineExceeded}, {flagCanceled, context.Canceled}}

func clip(s string) string { return s[:min(len(s), maxErrorBytes)] }

// errorOf returns the error that a peer's answer stands for.
func (c *groupCore) errorOf(o *owner, k *call) error {
	resp := &k.resp
	tooLarge := resp.Status == statusTooLarge || resp.Status == httppool.StatusTooLarge
	answer := func(err error) error {
		return &PeerError{Op: opNames[k.req.Op], Member: o.name, Addr: o.addr, MaybeApplied: resp.Flags&flagMaybe != 0, Err: err,
			unreachable: resp.Status == statusClosed || tooLarge && c.node.faults.TooLargeUnreachable}
	}
	switch resp.Status {
	case statusOK:
		return nil
	case statusNotFound:
		return ErrNotFound
	case statusNotOwner:
		return errNotOwner
	case statusUnsettled:
		return ErrUnsettled
	case statusUnknownGroup:
		return answer(ErrUnknownGroup)
	case statusMinority:
		return answer(ErrMinority)
	case statusOtherVersion:
		return answer(ErrOtherVersion)
	case statusLoadFailed:
		return &LoadError{Group: c.name, Key: strings.Clone(k.req.Key), Member: o.name, Panic: resp.Flags&flagPanic != 0, Err: c.causeOf(resp)}
	case statusWriteFailed:
		return &WriteError{Group: c.name, Key: strings.Clone(k.req.Key), Member: o.name, Panic: resp.Flags&flagPanic != 0, Err: c.causeOf(resp)}
	case statusTooLarge, httppool.StatusTooLarge:
		return answer(&remoteError{resp.Message, ErrTooLarge})
	case statusInvalid:
		return answer(errors.New(resp.Message))
	case statusWriterBusy:
		return answer(errors.Join(ErrWriterBusy, context.DeadlineExceeded))
	case statusOverloaded, httppool.StatusOverloaded:
		return answer(ErrOverloaded)
	case statusClosed:
		return answer(errPeerClosed)
	case statusCanceled, httppool.StatusCancelled:
		return answer(context.DeadlineExceeded)
	default:
		// It gave up in the middle, whatever it had done by then.
		resp.Flags |= flagMaybe
		return answer(errors.New("the peer failed to answer: " + resp.Message))
	}
}

// errPeerClosed says that the peer shut down. It is not ErrClosed, which is
// about this node.
var errPeerClosed = errors.New("the peer is shutting down")

// causeOf returns what a user's function on a peer returned.
func (c *groupCore) causeOf(resp *httppool.Response) error {
	re := &remoteError{text: resp.Message}
	for _, known := range identities {
		if resp.Flags&known.flag != 0 {
			re.is = errors.Join(re.is, known.err)
		}
	}
	if resp.Flags&flagSentinel != 0 {
		names := strings.Split(resp.Message, "\x00")
		names, re.text = names[:len(names)-1], names[len(names)-1]
		for _, s := range c.sentinels {
			if slices.Contains(names, s.name) {
				re.is = errors.Join(re.is, s.err)
			}
		}
	}
	return re
}

// A remoteError is an error that happened on a peer: its text, and the identity
// that could be carried across.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }
