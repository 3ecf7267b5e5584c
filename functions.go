package cachemesh

import (
	"context"

	"github.com/praveenduddu/cachemesh/internal/codec"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// What the user gives to a group: functions towards the origin, and formats.

// A LoaderFunc fetches the value of a key from where it really lives. It runs
// on the key's owner, at most once at a time per key in the whole mesh, but for
// calls whose value is of no use any more: one of these may run beside it. It
// returns ErrNotFound, wrapped or not, for a key that does not exist. Joined with
// another error it is a failure: not everything that was asked has answered.
//
// ctx carries the values of the context of whoever asked first, on another member
// those that Options.InjectContext carries across, but not its
// deadline: it ends after GroupOptions.LoadTimeout, or when nobody waits any
// more, unless GroupOptions.FinishLoads is set. What the loader returns is shared and must not be changed afterwards;
// a []byte is copied. With ctx it can say how long that lives (KeepFor), and see what
// the key still has (Former). A nil slice or map is an empty value, and what others get is
// a []byte of no bytes; any other nil without an error is an error.
//
// A loader should return when ctx ends. One that does not counts as running until
// LoadTimeout is over; when 8 calls for a key have not returned, Gets of it fail
// with a *LoadError that matches ErrOverloaded until one has.
type LoaderFunc[V any] func(ctx context.Context, key string) (V, error)

// A LoadManyFunc fetches the values of several keys in one go, at their owner. A
// key that is missing from the map does not exist. If it returns an error, the
// keys that are in the map have loaded all the same, and the others failed. With a
// KeyErrors it says what happened to each: keys that are in neither do not exist,
// as those whose error is ErrNotFound. If that is joined with other errors, keys
// that are in neither failed.
//
// The map may have more than was asked for: up to 1024 of these are kept, if this
// member owns their keys and has nothing of them, and nothing came in between.
//
// ctx is as for a LoaderFunc, but ends only when nobody waits for any key. In a call
// that gathered for BatchWindow it has the values of the first that came. The slice
// is the function's own.
type LoadManyFunc[V any] func(ctx context.Context, keys []string) (map[string]V, error)

// A Writer changes the origin of a group's values. Its methods run on the key's
// owner, one at a time per key, and never beside a load of the key whose value
// is kept. While the members agree on the owner, that is one at a time in the
// whole mesh. They are called once for each Set and Delete that returns nil, and
// at most once for one that fails.
//
// ctx carries the values of the context of a Set or Delete on the same member,
// but ends only after GroupOptions.LoadTimeout. A method should return when it
// ends and have changed nothing after that. If it does not, reads go on, and the
// cache follows when the method returns; until then other writes of the key wait,
// and fail with ErrWriterBusy, not applied, when their own time ends first.
//
// When the key gets another owner while a method runs, its new owner calls the
// Writer only after that one has returned. One that has not returned when twice
// LoadTimeout is over is given up, with a line in the log: what it changes after
// that may undo a write through the new owner, though the cache then shows what the
// origin has. So may one that runs on a member that crashed or was cut off.
type Writer[V any] interface {
	Store(ctx context.Context, key string, v V) error
	Delete(ctx context.Context, key string) error
}

// A Codec turns values into bytes and back. Its methods are called
// concurrently. Members of one mesh must use codecs that read each other's
// bytes; see GroupOptions.Codec.
type Codec[V any] interface {
	// Marshal returns the value's bytes. The cache keeps them: Marshal must not
	// touch them again.
	Marshal(v V) ([]byte, error)

	// Unmarshal returns the value of these bytes, which it must not change or
	// keep a reference to unless the value is read-only.
	Unmarshal(data []byte) (V, error)
}

// JSONCodec is the default codec of every type but []byte and string.
type JSONCodec[V any] struct{}

// Marshal returns v as JSON.
func (JSONCodec[V]) Marshal(v V) ([]byte, error) { return codec.JSON[V]{}.Marshal(v) }

// Unmarshal parses JSON.
func (JSONCodec[V]) Unmarshal(data []byte) (V, error) { return codec.JSON[V]{}.Unmarshal(data) }

// A Sizer is a value that says how many bytes of memory it takes, with all that it
// refers to and nobody else has. The cache asks it once for each value that it decodes
// or loads, instead of measuring that, and charges MaxBytes with the answer; it must
// be right, or MaxBytes is no bound. A negative answer, or a panic, means that the
// value is measured after all. For values that share much, whose memory is not Go's, or
// that have locks: what is in a struct with a mutex may be changing, and is not measured.
// Only the group's values are asked, not their parts.
type Sizer interface {
	CacheSize() int
}

// A RemovalCause says why a member holds a value no more: see GroupOptions.OnRemove.
type RemovalCause uint8

// Why values go.
const (
	CauseEvicted  RemovalCause = iota // it made room for others, or could not be decoded
	CauseExpired                      // its time was over; told when somebody comes across it
	CauseDeleted                      // by Delete, GetDelete or an Update, or a load found that the key does not exist
	CauseReplaced                     // by a write or a load
	CauseTagged                       // by DeleteTag or DeletePrefix
	CauseCleared                      // by Clear
	CauseMoved                        // another member owns the key now, or it may be older than what others wrote
)

// String returns the cause as a word.
func (c RemovalCause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "unknown"
}

var causeNames = [...]string{"evicted", "expired", "deleted", "replaced", "tagged", "cleared", "moved"}

// removalCauses are the store's causes in words of the user.
var removalCauses = map[store.Cause]RemovalCause{
	store.Capacity: CauseEvicted, store.Rejected: CauseEvicted, store.Collision: CauseEvicted, store.Expired: CauseExpired,
	store.Replaced: CauseReplaced, store.Deleted: CauseDeleted, store.Picked: CauseTagged, store.Cleared: CauseCleared,
	store.Moved: CauseMoved, store.Swept: CauseMoved,
}
