package seam

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/httppool"
)

// Inside returns the inside of a *cachemesh.Node. The package cachemesh sets it before
// anything runs; nothing but this module's own tests calls it.
var Inside func(node any) Node

// A Node is what tests may see of a node's inside, and do there. Its methods are called
// concurrently, and return zeros for what the node does not know.
type Node interface {
	// MemberID returns the id of this run of the member.
	MemberID() string

	// ViewID returns the id of the node's view.
	ViewID() uint64

	// OwnerAddr returns the address of the owner of a key as the node sees it.
	OwnerAddr(group, key string) string

	// Stored calls f for the keys that the node stores of a group, and says whether it
	// owns them.
	Stored(group string, f func(key string, owned bool))

	// Parked returns what the node keeps for groups that are not registered, and for how
	// many.
	Parked() (bytes, groups int)

	// Failures returns how many failures a group remembers, and what they take.
	Failures(group string) (keys int, bytes int64)

	// FlushLog waits until the user's log handler has what the node has logged.
	FlushLog()

	// Handle answers a request as one that came from a peer.
	Handle(ctx context.Context, from string, req *httppool.Request, resp *httppool.Response)

	// Call calls an address, whether or not a member is known there.
	Call(ctx context.Context, addr string, req *httppool.Request, resp *httppool.Response) error

	// GetAt asks a member for a key, as it is asked as the owner, whoever owns the key by
	// now.
	GetAt(ctx context.Context, group, member, key string) error

	// Park parks a list of values for a group that a request did not find, and returns
	// the answer's status.
	Park(group string, list []byte) uint8

	// AdoptLife adopts the node's view anew with another life of a member, of which nobody
	// else has heard, and reports whether the node takes that view for settled.
	AdoptLife(name string, life uint32) (settled bool)

	// Judge decides anew what the node may do.
	Judge()

	// SkewVersions makes the clock by which the node numbers what it writes run ahead.
	SkewVersions(ahead time.Duration)
}
