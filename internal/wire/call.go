package wire

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

const (
	MaxKeyLen   = 4096 // bytes of a key
	MaxGroupLen = 255  // bytes of a group's name
)

// A Peer calls one peer. A nil error means that resp is the peer's answer.
// Neither req nor resp is kept after it returns; resp.Value is the caller's.
type Peer interface {
	Call(ctx context.Context, req *httppool.Request, resp *httppool.Response) error
}

// A Starter is a Peer that can start a call: see httppool.Peer.Start.
type Starter interface {
	Start(ctx context.Context, req *httppool.Request) (p httppool.Pending, ok bool)
}

// A Call holds what one peer call needs, so that it costs no allocation.
type Call struct {
	Req  httppool.Request
	Resp httppool.Response
	Hash uint64 // of the key, if it is about one
}

var callPool = sync.Pool{New: func() any { return new(Call) }}

// NewCall returns a call that Free takes back. The strings may alias a buffer that outlives it.
func NewCall(op uint8, group, key string) *Call {
	k := callPool.Get().(*Call)
	k.Req.Op, k.Req.Group, k.Req.Key = op, group, key
	return k
}

// Free gives a call back. What its response has stays the caller's.
func (k *Call) Free() {
	*k = Call{}
	callPool.Put(k)
}

const relayIdempotent byte = 1

// PackRequest returns a request as it is relayed: a flag byte, op and flags, View, TTL and Arg
// as uvarints, group and key with their lengths, and the rest is the value.
func PackRequest(req *httppool.Request) []byte {
	b := make([]byte, 0, 64+len(req.Group)+len(req.Key)+len(req.Value))
	flag, flags := byte(0), req.Flags
	if req.Idempotent {
		flag = relayIdempotent
	}
	if mayKeep(req.Op) {
		flags &^= FlagCopy | FlagRenew
	}
	b = append(b, flag, req.Op, flags)
	b = binary.AppendUvarint(b, req.View)
	b = binary.AppendUvarint(b, uint64(req.TTL))
	b = binary.AppendUvarint(b, req.Arg)
	b = binary.AppendUvarint(b, uint64(len(req.Group)))
	b = append(b, req.Group...)
	b = binary.AppendUvarint(b, uint64(len(req.Key)))
	b = append(b, req.Key...)
	return append(b, req.Value...)
}

// mayKeep reports whether who asks may want copies.
func mayKeep(op uint8) bool { return op == OpGet || op == OpGetMany || op == OpClaim }

// ParseRequest undoes PackRequest. What it returns aliases b. It reports false if b is
// malformed or asks for what a relay does not do.
func ParseRequest(b []byte) (req httppool.Request, ok bool) {
	if len(b) < 3 || b[1] == OpRelay {
		return req, false
	}
	req.Idempotent, req.Op, req.Flags = b[0]&relayIdempotent != 0, b[1], b[2]
	b = b[3:]
	for _, field := range []*uint64{&req.View, (*uint64)(nil), &req.Arg} {
		u, n := binary.Uvarint(b)
		if n <= 0 {
			return req, false
		}
		if b = b[n:]; field == nil {
			req.TTL = time.Duration(u)
		} else {
			*field = u
		}
	}
	group, b, ok := CutBytes(b)
	if !ok || len(group) > MaxGroupLen {
		return req, false
	}
	key, b, ok := CutBytes(b)
	if !ok || len(key) > MaxKeyLen {
		return req, false
	}
	if req.Group, req.Key = string(group), string(key); len(b) > 0 {
		req.Value = b
	}
	if mayKeep(req.Op) {
		req.Flags &^= FlagCopy | FlagRenew // they would be for this member
	}
	return req, true
}
