package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// VersionOf returns the version of an entry, the zero value for nil.
func VersionOf(e *store.Entry) store.Version {
	if e == nil {
		return store.Version{}
	}
	return e.Version
}

// Held is what a member has of a group: its own values, copies of others', and traces of
// Deletes, which are negative entries.
type Held interface {
	// Peek returns what is held under a hash, nil for nothing.
	Peek(hash uint64) *store.Entry
	// Set holds an entry in the place of what was held under the hash. It reports false if there is no
	// room for it: then nothing is held.
	Set(hash uint64, e *store.Entry) bool
	// Takes reports whether a copy of an entry can be held here, and if not, what is in the way.
	Takes(e *store.Entry) (Limit, bool)
	// Delete holds nothing under the hash any more.
	Delete(hash uint64)
	// Range calls f for everything that is held, until it returns false. f may delete what
	// it was called for.
	Range(f func(hash uint64, e *store.Entry) bool)
	// Walk calls f for some of what is held, as it is found, from a place on, and returns where to go on; more says that
	// there may be others. Over a whole walk it is called for all that is held throughout.
	Walk(at store.Place, f func(hash uint64, e *store.Entry)) (next store.Place, more bool)
}

// A View is who is in the mesh, as one member believes. It is immutable.
type View struct {
	ID      uint64   // equal for equal views
	Members []string // IDs of runs, those that are leaving included; at most 65 535

	// Owner returns the ID of who owns a key, "" if nobody does.
	Owner func(hash uint64) string

	// Successors returns the IDs of the first n members from a hash on, the owner first,
	// without those that are leaving; of all, if there are fewer. They are read, and may be
	// changed, before it is called again.
	Successors func(hash uint64, n int) []string

	// Kept reports whether a key that this member owns was its own in the view that settled
	// last, and in every one since: nobody else can have owned it meanwhile. A view must not
	// settle before this member was Ready in it. It is called for keys that it owns. Nil:
	// none was, as when others went on without this member.
	Kept func(hash uint64) bool

	// Missing says that a member is gone and may be back with what it holds.
	Missing bool

	// Outdated says that this member was gone for longer than traces are kept: what it
	// holds may have been deleted, and must go.
	Outdated bool
}

// who is a member by its index in View.Members.
type who uint16

// A Line says of one key what a member holds of it.
type Line struct {
	Hash    uint64
	Version store.Version
	Deleted bool
}

func with(list []who, w who) []who {
	if slices.Contains(list, w) {
		return list
	}
	return append(list, w)
}

func without(list []who, w who) []who {
	return slices.DeleteFunc(list, func(x who) bool { return x == w })
}

func rest(ids []string) []string { return ids[min(1, len(ids)):] }

// equal reports whether two lists are of the same members.
func equal(a, b []who) bool {
	for _, w := range a {
		if !slices.Contains(b, w) {
			return false
		}
	}
	return len(a) == len(b)
}
