// Package wire is what members say to each other: operations, statuses and flags, lists of
// keys and of answers, and errors, both ways. What carries them is package httppool.
//
// Lists of keys and of answers travel in a call's Value: each key as a uvarint
// length and its bytes, each answer as status, flags, a uvarint length and the
// value or the message.
//
// What holds: whatever a peer sent is parsed or refused, and never trusted for a length. Numbers
// of operations and statuses are never used again.
//
// Caveats: what is parsed aliases the buffer that it came in, unless it says that it is copied.
package wire

import "github.com/praveenduddu/cachemesh/internal/ring"

// An Encoding is GroupOptions.Version as it travels: with a request, for the values that
// the caller can read or sends, and with values that are handed over. 0: no Version.
type Encoding uint64

// encodingSeed sets encodings apart from the hashes of keys. It is part of the protocol.
var encodingSeed = ring.Seed("GroupOptions.Version")

// EncodingOf returns how GroupOptions.Version travels.
func EncodingOf(version string) Encoding {
	if version == "" {
		return 0
	}
	return max(Encoding(ring.Hash(encodingSeed, version)), 1)
}

// Operations of the peer protocol. Numbers are never reused.
const (
	OpGet          uint8 = 1  // Key, Arg: an encoding, Value: see carriedFrom → Value
	OpSet          uint8 = 2  // Key, Value, TTL, Arg: the value's encoding
	OpDelete       uint8 = 3  // Key
	OpGetMany      uint8 = 4  // Key: see carriedFrom, Value: a list of keys, Arg: an encoding, TTL, with FlagCopy: of how many of the first copies are wanted → Value: a list of results
	OpDeleteMany   uint8 = 5  // Value: a list of keys → Value: a list of results
	OpClear        uint8 = 6  // View: the whole group, on the peer that is called, if it acts by this view
	OpInvalidate   uint8 = 7  // Key, or Arg: its hash, or FlagAll: drop the hot copies, keep nothing that is on its way
	OpRenew        uint8 = 19 // of the caller's session → View: its number, Lease: for how long
	OpHandOver     uint8 = 9  // View, Value: a list of values that the peer owns now
	OpRefresh      uint8 = 11 // Key: see carriedFrom, Value: a list of keys → Value: a list of results
	OpRelay        uint8 = 10 // View, Key: a member's id, Value: a request for it → its answer
	OpFence        uint8 = 8  // Value: a quorum.Word → Value: another
	OpUpdate       uint8 = 12 // Key, Value: a condition and a value, TTL, Arg: the encoding → Value: a verdict
	OpItem         uint8 = 13 // Key, Arg: an encoding → Value: an item, TTL
	OpClaim        uint8 = 14 // Key, Arg: an encoding, Value: a Bid → as OpGet, or Value: a Grant
	OpFill         uint8 = 15 // Key, Value: a Fill, TTL, Arg: the value's encoding
	OpHolding      uint8 = 20 // Value: a list of claims, TTL: how long to wait → Value: a byte for each
	OpDeleteTag    uint8 = 24 // View, Value: a list of tags: as OpClear, what bears one of them
	OpDeletePrefix uint8 = 25 // View, Value: a list of one prefix: as OpClear, the keys with it
	OpScan         uint8 = 26 // View, Value: a page that is asked for → Value: a page
	OpDigest       uint8 = 16 // View, Key: the caller's id, Value: a place, or nothing → Value: a DigestPage
	OpCopies       uint8 = 17 // Key: the caller's id, Value: CopyRequests → Value: CopyAnswers
	OpClearing     uint8 = 18 // View, Key: the Clear's name, Value: a round and a version → Value: a version
)

// OpNames are the operations in the words of *PeerError.
var OpNames = [...]string{
	OpGet: "get", OpSet: "set", OpDelete: "delete", OpGetMany: "get", OpDeleteMany: "delete", OpClear: "clear", OpInvalidate: "invalidate", OpRenew: "renew",
	OpFence: "fence", OpHandOver: "hand over", OpRelay: "relay", OpRefresh: "refresh", OpUpdate: "update", OpItem: "get",
	OpDigest: "digest", OpCopies: "copy", OpClearing: "clear",
	OpClaim: "claim", OpFill: "fill", OpHolding: "ask for claims",
	OpDeleteTag: "delete tag", OpDeletePrefix: "delete prefix", OpScan: "scan",
}

// Flags of a request.
const (
	FlagStandIn uint8 = 1 // answer in place of an owner that cannot be reached
	FlagCopy    uint8 = 2 // with OpGet, OpGetMany and OpClaim: the caller is to keep a copy: note it as a holder

	FlagPeek      uint8 = 4   // answer from memory or not at all
	FlagNoValue   uint8 = 8   // with OpGetMany: load, but leave the values out of the answer
	FlagCacheOnly uint8 = 16  // with OpDelete: the origin was written already
	FlagAgain     uint8 = 32  // nobody waits: a copy is fetched again
	FlagCarried   uint8 = 64  // with OpUpdate: Value begins with what the caller's context carries
	FlagRenew     uint8 = 128 // with OpGet, OpGetMany and OpClaim: renew the caller's session first
	FlagAll       uint8 = 1   // with OpInvalidate: all of the group
)

// Flags of a response.
const (
	FlagHit       uint8 = 1 // the value was in memory
	FlagKept      uint8 = 2 // with StatusOK and StatusNotFound, without FlagStale: the caller is noted as a holder, under the session View; Version: from when on the owner wants to hear of a read
	FlagPanic     uint8 = 2 // with StatusLoadFailed, and with FlagStale: the loader panicked
	FlagDeadline  uint8 = 4 // with StatusLoadFailed: errors.Is DeadlineExceeded
	FlagCanceled  uint8 = 8 // with StatusLoadFailed: errors.Is Canceled
	FlagOverload  uint8 = 16
	FlagSentinel  uint8 = 32  // with StatusLoadFailed: Message starts with the names of sentinels, a NUL after each
	FlagMaybe     uint8 = 128 // with an error: the write may have been applied
	FlagStale     uint8 = 64  // the value's TTL has passed Version nanoseconds ago; Message: what the loader said
	maxErrorBytes       = 2048
)

// Statuses of a response, beside those of httppool. Numbers are never reused.
const (
	StatusOK           uint8 = 0
	StatusNotFound     uint8 = 1
	StatusNotOwner     uint8 = 2 // Message: address of the owner as the peer sees it
	StatusUnknownGroup uint8 = 3
	StatusLoadFailed   uint8 = 4 // Message: what the loader said
	StatusTooLarge     uint8 = 5 // Message: how large
	StatusInvalid      uint8 = 6 // Message: what is wrong with the request
	StatusClosed       uint8 = 7
	StatusCanceled     uint8 = 8 // the caller's context ended first
	StatusOverloaded   uint8 = 9
	StatusWriteFailed  uint8 = 11 // Message: what the writer said
	StatusOtherVersion uint8 = 18 // the peer's GroupOptions.Version is not the request's Arg, which matters here
	StatusOverflow     uint8 = 19 // a sum does not fit
	StatusNotInteger   uint8 = 20 // what is to be counted up
	StatusFewCopies    uint8 = 30 // the write may be applied, and too few members have a copy
	StatusWon          uint8 = 21 // the claim is the caller's
	StatusBusy         uint8 = 22 // another's claim stands
	StatusClaimVoid    uint8 = 23
	StatusClaimOver    uint8 = 24
	StatusNotCache     uint8 = 25
	StatusMinority     uint8 = 17 // the write holds on the peer's side of a cut only; with FlagMaybe it was applied there
	StatusWriterBusy   uint8 = 16 // an earlier write of the key has not returned from the Writer
	StatusNoRelay      uint8 = 12 // the request was not passed on. Message: why
	StatusRelayLost    uint8 = 13 // it may have been, and there is no answer. Message: why
	StatusUnsettled    uint8 = 10 // the members do not agree yet on who owns the key
)
