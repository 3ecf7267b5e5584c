package cachemesh

import (
	"context"
	"time"

	"github.com/praveenduddu/cachemesh/internal/owner"
)

// GroupOptions configure a Group. The zero value is fit for use.
type GroupOptions[V any] struct {
	// MaxBytes is this member's budget for the group: keys, values and all
	// bookkeeping. Values that are kept decoded, beside their bytes, are measured when
	// they are decoded; a type that knows better is a Sizer. Default: 64 MiB, with
	// Options.TotalBytes an equal part of what that leaves.
	MaxBytes int64

	// Replicas is how many members hold each value that is Set, its owner included, in a
	// group without a loader, so that it survives the crash of all but one of them. All
	// members should say the same. Set and Delete take a round trip more with it, and each
	// copy takes its part of MaxBytes. From 1, the owner alone, to 8. Where fewer members have
	// registered the group a Set fails with ErrFewCopies, and where fewer can hold the value with
	// ErrTooLarge: see FewerReplicas. Default: 2 with FewerReplicas, so that a mesh of one works;
	// 1 in a group with a loader, a Writer or Cache.
	Replicas int

	// FewerReplicas lets as many copies do as there can be where fewer members than Replicas have
	// registered the group, or can hold a value: one in a mesh of one. Who registers it later is sent copies. Default: false,
	// true without Replicas.
	FewerReplicas bool

	// TTL is how long a loaded value lives, and one that is Set without a TTL of
	// its own. Default: Forever, until evicted.
	TTL time.Duration

	// TTLFunc returns a value's TTL, instead of TTL: Forever for until evicted. If
	// it is zero or negative, as for a value that has expired on its way, the value
	// is not kept: a loaded one is returned, and one that is Set only ends the value
	// before it. A loader can say the same with KeepFor. A panic fails the load or the Set. Default: TTL for all.
	TTLFunc func(key string, v V) time.Duration

	// Codec turns values into bytes. Default: []byte and string as they are,
	// JSON for all else.
	//
	// Every Get, on any member, returns what the codec makes of the bytes, and never what
	// it left out of them: unexported fields, the type within an interface, the monotonic
	// reading of a time. A loaded value is decoded once, when it is kept; where JSON
	// certainly gives back the same value, as it does for structs of exported fields of
	// plain types, it is spared that.
	//
	// A type of which JSON keeps nothing at all, as a struct without an exported field, is an
	// *OptionError.
	//
	// A value that the codec cannot decode, because another version of your program made
	// it, counts as a miss: it is loaded, counted in Stats.Unreadable and logged, once a
	// minute. See Version.
	Codec Codec[V]

	// Version names what the codec makes of a value, such as "2". Change it when you
	// change the type or the codec, so that what the former version wrote is not decoded
	// into the wrong fields while both run: values of another Version are misses. Each
	// version reads and keeps its own; Delete, Clear and TTLs are for all. The owner of a
	// key loads for its own version only, the others for themselves, without keeping
	// what they load. A Set replaces the value of any version. With a Writer it fails with
	// ErrOtherVersion if the owner has another. Default: none, which is a version too.
	Version string

	// LoadTimeout bounds a call of the loader, whoever waits for it.
	// Default: 30 s.
	LoadTimeout time.Duration

	// HotReads is how many reads of a key within some minutes make this member keep a copy of
	// what another owns, of whose every change it is told. Default: the first read while there
	// is room, the second when there is none, and more of keys that change before anybody
	// reads them.
	HotReads int

	// CopyBytes is how much of MaxBytes such copies may take: from 4096, and half of MaxBytes
	// at most, which also bounds it in a group that shares Options.TotalBytes.
	// Default: an eighth of MaxBytes.
	CopyBytes int64

	// NoHotCopies switches off copies of keys that others own: each read of one is a call.
	NoHotCopies bool

	// LoadMany loads several keys in one call; GetMany then calls it once per
	// owner for what is missing. It may stand alone or beside the loader, which
	// then loads single keys. Default: none.
	LoadMany LoadManyFunc[V]

	// BatchWindow is how long a single load waits for others, to be loaded
	// together by LoadMany. A millisecond spares an origin that is asked for many
	// keys at once most of its round trips. Default: 0, single loads do not wait.
	BatchWindow time.Duration

	// NotFoundTTL is how long it is remembered that a key does not exist, so that
	// asking for it again does not reach the origin. A Set or Delete ends it at
	// once. Default: 0, not at all.
	NotFoundTTL time.Duration

	// FailureTTL is how long a load's failure is remembered: who asks for the key
	// gets the same *LoadError, and the origin is left alone. Each further failure is
	// remembered twice as long, 10 s in the end, so with 100 ms an origin that is down
	// sees nine loads of a key in the first half minute, and then one in 10 s. A value
	// that StaleFor keeps comes first. A Set, Delete or Clear ends it at once. A 32nd
	// of MaxBytes is set aside for it; large errors are kept as with StaleFor. Default: 0,
	// not at all.
	FailureTTL time.Duration

	// RefreshAfter is the age at which a value that is read is loaded again in the
	// background, once in the mesh, while it is served. Keys in use then never
	// wait for a load. If the load fails the old value stays until its TTL, and
	// the next attempts wait longer and longer. Less than TTL; values without a TTL are loaded
	// again, too. Default: never.
	RefreshAfter time.Duration

	// RefreshPart is RefreshAfter as a part of each value's own TTL, for values whose
	// TTL differs, as with TTLFunc or KeepFor: from 0 to 1, and 0.8 is a good start.
	// Values without a TTL are never loaded again ahead, so it needs one. Not together with
	// RefreshAfter. Default: 0, never.
	RefreshPart float64

	// StaleFor is how long after its TTL a value is still served, stale, together with a
	// *StaleError, if the loader fails: see OnStale for callers that shall not meet that. For data
	// that is better old than missing.
	// After a load has failed the next ones are made in the background, so that
	// nobody waits for an origin that hangs; attempts are 0.1 s apart at first and
	// 10 s in the end. A 32nd of MaxBytes is set aside for what loaders said: an error of
	// more than 2 KiB is kept by its text and as on another member, see LoadError.
	// Default: 0, not at all.
	StaleFor time.Duration

	// OnStale is told of each stale value that is returned, by what a *StaleError would say: Get and
	// all else that returns one then returns it with a nil error. ctx is the caller's. It is called
	// on the caller's goroutine, which waits for it, under no lock and concurrently; a panic is
	// logged. It needs StaleFor. Default: none, and a *StaleError comes beside each stale value.
	//
	//	OnStale: func(ctx context.Context, key string, stale *cachemesh.StaleError) { staleTotal.Inc() },
	OnStale func(ctx context.Context, key string, stale *StaleError)

	// StaleWait is how long a Get waits for a load when a value past its TTL is kept
	// (StaleFor): then it returns that, with a *StaleError that matches
	// context.DeadlineExceeded, and the load goes on. It counts from the begin of the
	// load, so while an origin hangs nobody waits again. A caller with less time gets
	// the value shortly before its deadline. Forever: until the load ends. Default:
	// 250 ms.
	StaleWait time.Duration

	// Cache says that a group without a loader is a cache all the same, and no map: its
	// values are loaded where they are wanted, by GetOr or by whoever has a Claim. They may
	// be forgotten, so they are not handed over to new owners, and a Delete leaves no trace.
	// A plain Get there finds what is in memory, or ErrNotFound, and waits for no claim. All
	// members must say the same: see ErrNotCache. Default: off; a group with a loader is a
	// cache, and needs it not.
	Cache bool

	// FinishLoads lets a load that has begun go on when nobody waits for it any more,
	// until it returns or LoadTimeout is over, and keeps its value. For origins that
	// take longer than callers have: else each caller's load is called off with it,
	// and nothing is ever cached. Default: off.
	FinishLoads bool

	// TTLJitter shortens each loaded value's TTL by a random part, up to this
	// fraction of it, so that keys that were loaded together do not expire
	// together. From 0 to 1; 0.1 is a good start. It needs a TTL. Default: 0.
	TTLJitter float64

	// Tags returns the tags of a value, such as "tenant:7": DeleteTag then forgets all values
	// with a tag at once. It is called at the key's owner, for each value that is loaded, written
	// or handed over, and at members that hold copies of it, and must give the same for the same value on every member; it may be
	// called concurrently and should be quick. A value may have 64 tags of up to 1 KiB; one that
	// has more, for which Tags panics, or that this member cannot decode (see Version) goes with
	// every tag that is deleted. That a key does not exist (NotFoundTTL) has no tags.
	//
	// A value takes 160 bytes more with a tag and 64 with each further one, with tags of up to
	// 16 bytes, and a 16th of MaxBytes is set aside for the tags themselves, 144 bytes each. Tags
	// for which that has no room work as well; DeleteTag then looks at all values that
	// have one of these. Default: none, and DeleteTag forgets nothing.
	Tags func(key string, v V) []string

	// OnRemove is told of each value that this member owned and holds no more, and why. It is
	// called soon after that, under no lock, one call at a time; another value of the key may
	// be there by then. Nobody waits for it: when 4096 calls wait, or 256 KiB of keys, further
	// ones are left out and counted in Stats.RemovalsDropped, as are panics in
	// Stats.RemovalPanics. Nothing is told of hot copies, nor when the group or the node is
	// closed; with Replicas nothing of the copies, nor of a value that another member owns by
	// now. Default: none.
	OnRemove func(key string, cause RemovalCause)

	// OnInvalidate is called with a key before anything changes of it that Lend returned, on
	// whatever member; with "" soon after this member has lost the right to all that it did.
	// Whoever changes the key waits for it, for four thirds of Options.Lease at most: it must be quick, and must
	// not call the node. It is called concurrently, under no lock, and for keys too that were
	// not asked for. Default: none, and Lend fails.
	OnInvalidate func(key string)

	// Writer is the origin's other direction: Set and Delete then change it
	// first, at the key's owner, one at a time per key and never beside a load of
	// it. For services that write rows through the mesh alone: cache and origin
	// then cannot disagree. Clear leaves the origin alone. Default: none.
	Writer Writer[V]

	// MaxLoads bounds the loader calls that run at once on this member, one of
	// LoadMany counting as one, until they return: a loader that ignores its context
	// keeps others waiting. For origins that fall over when a cold mesh asks for all
	// at once. Loads that a Get waits for go before refreshes. One that a loader of the
	// group waits for, which has called Get with its own ctx, is not bounded. A Get
	// whose deadline comes before its turn fails with ErrOverloaded, a little before
	// it. Default: 0, no bound.
	MaxLoads int

	// MaxQueued bounds the loads that wait for their turn when MaxLoads is
	// reached; further ones fail at once with ErrOverloaded. Default: 16384.
	MaxQueued int

	// Errors are errors of the loader or Writer, such as sql.ErrConnDone, that
	// errors.Is shall recognise on every member and not only on the one that ran
	// it. They are matched by their text. At most 64.
	Errors []error
}

// MaxReplicas is the most that GroupOptions.Replicas can be.
const MaxReplicas = 8

// Forever is the TTL of values that live until they are evicted. What zero means is in the
// package's documentation: Zero and for ever.
const Forever time.Duration = owner.Forever
