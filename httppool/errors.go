package httppool

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

var (
	// ErrClosed reports that the pool was closed.
	ErrClosed = errors.New("httppool: closed")
	// ErrUnreachable reports that the peer could not be dialled, or that it could
	// not a moment ago and the next attempt is not due yet.
	ErrUnreachable = errors.New("httppool: peer unreachable")
	// ErrRefused reports that a connection was refused while it was opened; the
	// wrapping error says why and what to do.
	ErrRefused = errors.New("httppool: connection refused by the handshake")
	// ErrMismatch reports, with ErrRefused or ErrUnreachable, that the other end answered
	// and that waiting will not help: another secret, certificate authority, mesh, protocol.
	ErrMismatch = errors.New("httppool: the peer answered and does not fit this member")
	// ErrAddrTaken reports, with ErrMismatch, that the peer is another process and has this
	// member's own address.
	ErrAddrTaken = errors.New("httppool: another process has this member's address")
	// ErrFull reports, together with ErrRefused, that the peer has as many connections as
	// it may; see Config.MaxConns.
	ErrFull = errors.New("httppool: the peer has too many connections")
	// ErrDraining reports, together with ErrRefused, that the peer is shutting down.
	ErrDraining = errors.New("httppool: the peer is shutting down")
	// ErrTooLarge reports a field over its limit; see TooLargeError.
	ErrTooLarge = errors.New("httppool: too large")
	// ErrConnLost reports that the connection ended before the answer came.
	ErrConnLost = errors.New("httppool: connection lost")
	// ErrSilent reports that the peer said nothing for Config.Patience although it owed
	// an answer and was pinged, or that it was found so before and has said nothing since.
	ErrSilent = errors.New("httppool: the peer is silent")
	// ErrOverloaded reports that too many calls to the peer are waiting already.
	ErrOverloaded = errors.New("httppool: too many calls in flight")
)

// CallError is every error of Peer.Call.
type CallError struct {
	Addr string
	// Sent false guarantees that no handler of the peer saw the request; true
	// means that it may have been applied.
	Sent bool
	Err  error
}

// Error names the peer, the cause and whether the request may have been applied.
func (e *CallError) Error() string {
	fate := "not sent"
	if e.Sent {
		fate = "may have been applied"
	}
	return fmt.Sprintf("httppool: call to %s (%s): %v", e.Addr, fate, e.Err)
}

// Unwrap returns the cause: a sentinel of this package or the context's error.
func (e *CallError) Unwrap() error { return e.Err }

// TooLargeError names the field that passed its limit. It matches ErrTooLarge.
type TooLargeError struct {
	Field       string
	Size, Limit int // bytes
}

// Error names the field, its size and the limit.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("httppool: %s of %d bytes is larger than the limit of %d", e.Field, e.Size, e.Limit)
}

// Is reports whether target is ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// mismatchError makes an error match ErrMismatch, and also what else it is.
type mismatchError struct{ error }

func (e mismatchError) Unwrap() error        { return e.error }
func (e mismatchError) Is(target error) bool { return target == ErrMismatch }

func markMismatch(err error) error { return mismatchError{err} }

// markStatus makes the refusals match ErrMismatch that are about who the caller is. Others
// pass: the peer is full or shutting down, or a proxy has nobody to pass the request to.
func markStatus(err error, code int) error {
	switch code {
	case http.StatusConflict:
		return markMismatch(fmt.Errorf("%w: %w", ErrAddrTaken, err))
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusUpgradeRequired, http.StatusHTTPVersionNotSupported:
		return markMismatch(err)
	}
	return err
}

// markTLS makes the errors of TLS match ErrMismatch that mean that an end does not trust the
// other or does not speak TLS, and not that the network failed.
func markTLS(err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return markMismatch(err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return markMismatch(err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // an alert
		return markMismatch(err)
	}
	return err
}

// backoffError answers calls between two dials. It matches ErrUnreachable and
// whatever made the last dial fail.
type backoffError struct{ cause error }

func (e *backoffError) Error() string {
	return "httppool: waiting before the next dial, since the last one failed: " + e.cause.Error()
}
func (e *backoffError) Unwrap() error        { return e.cause }
func (e *backoffError) Is(target error) bool { return target == ErrUnreachable }

// frameError is what a peer did against the protocol, under the name that Stats
// counts it by.
type frameError struct{ reason, detail string }

func (e *frameError) Error() string { return "httppool: bad frame: " + e.reason + ": " + e.detail }

func badFrame(reason, format string, args ...any) error {
	return &frameError{reason: reason, detail: fmt.Sprintf(format, args...)}
}

// Reasons by which Stats.BadFrames counts.
const (
	badType      = "unknown type"
	badSize      = "oversized"
	badTruncated = "truncated"
	badGarbage   = "garbage"
	badOrder     = "out of order"
)

var (
	// errRetry marks an error of a connection that failed before it took the request.
	errRetry = errors.New("connection no longer usable")

	errIdle     = errors.New("idle for too long")
	errPeerLeft = fmt.Errorf("%w: the peer is shutting down", ErrConnLost)
	errMate     = fmt.Errorf("%w: with the connection that it is tied to", ErrConnLost)
)

func lost(what string, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: closed by the peer", ErrConnLost)
	}
	return fmt.Errorf("%w: %s: %w", ErrConnLost, what, err)
}

// notTaken is the error of a connection that takes no call: it failed for err or, if that is
// nil, the peer is leaving it.
func notTaken(err error) error {
	if err == nil {
		return fmt.Errorf("%w: %w: the peer is closing it", ErrConnLost, errRetry)
	}
	return fmt.Errorf("%w (%w)", err, errRetry)
}
