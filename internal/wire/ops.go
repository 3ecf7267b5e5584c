// Package wire is what members say to each other: operations, statuses and flags, lists of
// keys and of answers, and errors, both ways. What carries them is package httppool.
//
// Lists of keys and of answers travel in a call's Value: each key as a uvarint
// length and its bytes, each answer as status, flags, a uvarint length and the
// value or the message.
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
	OpGet        uint8 = 1  // Key, Arg: an encoding, Value: see carriedFrom → Value
	OpSet        uint8 = 2  // Key, Value, TTL, Arg: the value's encoding
	OpDelete     uint8 = 3  // Key
	OpGetMany    uint8 = 4  // Key: see carriedFrom, Value: a list of keys, Arg: an encoding → Value: a list of results
	OpDeleteMany uint8 = 5  // Value: a list of keys → Value: a list of results
	OpClear      uint8 = 6  // View: the whole group, on the peer that is called, if it acts by this view
	OpInvalidate uint8 = 7  // Key: drop the hot copy, keep nothing that is on its way
	OpHandOver   uint8 = 9  // View, Value: a list of values that the peer owns now
	OpRefresh    uint8 = 11 // Key: see carriedFrom, Value: a list of keys → Value: a list of results
	OpRelay      uint8 = 10 // View, Key: a member's id, Value: a request for it → its answer
	OpFence      uint8 = 8  // Value: a quorum.Word → Value: another
)

// OpNames are the operations in the words of *PeerError.
var OpNames = [...]string{
	OpGet: "get", OpSet: "set", OpDelete: "delete", OpGetMany: "get", OpDeleteMany: "delete", OpClear: "clear", OpInvalidate: "invalidate",
	OpFence: "fence", OpHandOver: "hand over", OpRelay: "relay", OpRefresh: "refresh",
}

// Flags of a request.
const (
	FlagStandIn uint8 = 1 // answer in place of an owner that cannot be reached
	FlagLease   uint8 = 2 // the caller reads the key often: grant it a lease

	FlagPeek      uint8 = 4  // answer from memory or not at all
	FlagNoValue   uint8 = 8  // with OpGetMany: load, but leave the values out of the answer
	FlagCacheOnly uint8 = 16 // with OpDelete: the origin was written already
	FlagRenewal   uint8 = 32 // nobody waits: a lease is renewed
)

// Flags of a response.
const (
	FlagHit       uint8 = 1 // the value was in memory
	FlagPanic     uint8 = 2 // with StatusLoadFailed: the loader panicked
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
	StatusMinority     uint8 = 17 // the write holds on the peer's side of a cut only; with FlagMaybe it was applied there
	StatusWriterBusy   uint8 = 16 // an earlier write of the key has not returned from the Writer
	StatusNoRelay      uint8 = 12 // the request was not passed on. Message: why
	StatusRelayLost    uint8 = 13 // it may have been, and there is no answer. Message: why
	StatusUnsettled    uint8 = 10 // the members do not agree yet on who owns the key
)
