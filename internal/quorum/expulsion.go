package quorum

import (
	"maps"
	"slices"
	"sort"
)

// expulsion is whom this member cannot reach, and whom it goes on without.
type expulsion struct {
	patience  int64               // Config.Unreachable
	unreached map[string]int64    // members of the view that cannot be reached, and since when
	reported  map[string]struct{} // of these, those that everyone was asked about
	expelled  map[string]Member   // by life
	changed   bool                // expelled has one more

	toldExpelled bool // somebody who can call this member said that it was expelled
}

func newExpulsion(patience int64) expulsion {
	return expulsion{
		patience: patience, unreached: make(map[string]int64), reported: make(map[string]struct{}), expelled: make(map[string]Member),
	}
}

// Reached says that a member of the view answered, directly or by a relay.
func (e *expulsion) Reached(id string) { delete(e.unreached, id) }

// unreachable returns whom this member cannot reach for long.
func (e *expulsion) unreachable(now int64) (ids []string) {
	for id, since := range e.unreached {
		if now-since >= e.patience {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids[:min(len(ids), maxListed)]
}

// UnreachedSince returns the members that cannot be reached, and since when.
func (e *expulsion) UnreachedSince() map[string]int64 { return maps.Clone(e.unreached) }

// IsExpelled reports whether this member goes on without a life of another.
func (e *expulsion) IsExpelled(m Member) bool {
	_, ok := e.expelled[m.key()]
	return ok
}

// Expelled returns those that this member goes on without.
func (e *expulsion) Expelled() []Member {
	return slices.SortedFunc(maps.Values(e.expelled), func(a, b Member) int {
		if a.key() < b.key() {
			return -1
		}
		return 1
	})
}

// Readmit forgets expulsions of lives that are not among those there are.
func (e *expulsion) Readmit(all []Member) {
	there := make(map[string]struct{}, len(all))
	for _, m := range all {
		there[m.key()] = struct{}{}
	}
	maps.DeleteFunc(e.expelled, func(key string, _ Member) bool { _, ok := there[key]; return !ok })
}

// TakeNews reports, once, that an expulsion was followed, and that this member
// was told of its own by one that can call it.
func (e *expulsion) TakeNews() (expelled, self bool) {
	expelled, self = e.changed, e.toldExpelled
	e.changed, e.toldExpelled = false, false
	return expelled, self
}
