package cachemesh

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

// A relay is a wire: it calls the member that a request names once, and returns the
// answer unchanged. It never relays a relayed request, keeps nothing, asks for no lease,
// and answers from its own store only if it is the member named. What it did not pass on
// it says so, and what it may have passed on without an answer too, so that a writer knows
// what may have been applied.
//
// A relayed request: a flag byte, op and flags, View, TTL and Arg as uvarints, group and
// key with their lengths, and the rest is the value.

const relayIdempotent byte = 1

func packRequest(req *httppool.Request) []byte {
	b := make([]byte, 0, 64+len(req.Group)+len(req.Key)+len(req.Value))
	flag, flags := byte(0), req.Flags
	if req.Idempotent {
		flag = relayIdempotent
	}
	if req.Op == opGet {
		flags &^= flagLease
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

// parseRequest undoes packRequest. What it returns aliases b. It reports false if b is
// malformed or asks for what a relay does not do.
func parseRequest(b []byte) (req httppool.Request, ok bool) {
	if len(b) < 3 || b[1] == opRelay {
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
	group, b, ok := cutBytes(b)
	if !ok || len(group) > MaxGroupLen {
		return req, false
	}
	key, b, ok := cutBytes(b)
	if !ok || len(key) > MaxKeyLen {
		return req, false
	}
	if req.Group, req.Key = string(group), string(key); len(b) > 0 {
		req.Value = b
	}
	if req.Op == opGet {
		req.Flags &^= flagLease // it would be granted to this member
	}
	return req, true
}

// serveRelay passes a request on to the member that it names.
func (n *Node) serveRelay(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response) {
	inner, ok := parseRequest(req.Value)
	v := n.view.Load()
	switch {
	case !ok:
		resp.Status, resp.Message = statusInvalid, "malformed request to pass on"
		return
	case v == nil || v.id != req.View:
		resp.Status, resp.Message = statusNoRelay, "the relay has another view of the mesh"
		return
	case req.Key == n.id:
		if h := (peerHandler{n}); !h.ServeFast(from, &inner, resp) {
			*resp = httppool.Response{}
			h.Serve(ctx, from, &inner, resp)
		}
		resp.Lease = 0
		return
	}
	o := v.peers[req.Key]
	if o == nil || !n.lives(ctx, o) {
		resp.Status, resp.Message = statusNoRelay, "the relay cannot reach the member either"
		return
	}
	switch err := o.peer.Call(ctx, &inner, resp); {
	case err == nil:
		resp.Lease = 0
	case wasSent(err):
		*resp = httppool.Response{Status: statusRelayLost, Message: clip(err.Error())}
	default:
		*resp = httppool.Response{Status: statusNoRelay, Message: clip(err.Error())}
	}
}
