package httppool

import (
	"context"
	"time"
)

// Request is one call to a peer. Every operation shares this flat shape; what Op,
// Flags, View and Arg mean belongs to the caller and the Handler.
//
// On the calling side a Request is only read, and not used after Call returned. On the
// serving side Group, Key and Value alias a buffer and are valid until the handler
// returns; an empty Value arrives as nil.
type Request struct {
	Op, Flags uint8

	// Idempotent says that it does no harm to carry the request out twice. So the call
	// is given up with ErrSilent as soon as the peer is found silent, to be made in
	// another way. It is not sent.
	Idempotent bool

	View  uint64
	Group string        // at most 255 bytes, any bytes
	Key   string        // at most Config.MaxKey bytes, any bytes
	Value []byte        // at most Config.MaxValue bytes
	TTL   time.Duration // time remaining, never a time; 0: none
	Arg   uint64
}

// Response is the answer to a Request. On the calling side Value is a fresh slice that
// belongs to the caller; an empty Value arrives as nil. On the serving side Value is only
// read, after the handler returned too, until it is written: it must not be modified.
type Response struct {
	Status, Flags uint8 // statuses from 240 up are this package's own
	View          uint64
	TTL, Lease    time.Duration // time remaining, never a time; 0: none
	Version       uint64
	Value         []byte
	Message       string // cut at 4096 bytes
}

// Statuses that this package answers by itself. A Handler uses those below
// StatusReserved.
const (
	StatusReserved   uint8 = 240 // first of the statuses below
	StatusCancelled  uint8 = 252 // the caller cancelled before its request was complete; no handler ran
	StatusTooLarge   uint8 = 253 // the handler's Value is larger than the caller accepts
	StatusInternal   uint8 = 254 // the handler panicked
	StatusOverloaded uint8 = 255 // too many calls or request bytes at once; no handler ran
)

// Handler answers calls from peers. It is called from many goroutines at once.
type Handler interface {
	// ServeFast answers req into the empty resp, or returns false to have Serve called
	// on a goroutine of its own with another resp. It runs on the goroutine that reads
	// the connection, so it must not block. A request whose Value is larger than 32 KiB
	// goes to Serve without it.
	ServeFast(from string, req *Request, resp *Response) bool

	// Serve answers req into resp. ctx carries the caller's remaining time and is
	// cancelled when the caller cancels or the connection ends; Pool.Close waits for
	// Serve to return.
	Serve(ctx context.Context, from string, req *Request, resp *Response)
}
