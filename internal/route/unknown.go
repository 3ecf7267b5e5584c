package route

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/clock"
)

// unknownTo are the members that answered that they do not know a group, and since when.
// During a deployment that passes; a name that somebody misspelled does not, and costs a
// load for every Get.
type unknownTo struct {
	Calls atomic.Uint64 // that were answered so
	some  atomic.Bool   // there are members in since

	mu     sync.Mutex       // guards the fields below
	since  map[string]int64 // by name, on the node's clock; at most maxUnknown
	warned bool
}

// unknownFor is how long a member may lack a group before that is worth a warning.
const unknownFor = time.Minute

// heard notes whether a member knows the group. It returns who does not, once, when that is
// so for long.
func (u *unknownTo) heard(member string, knows bool, now *clock.Clock) []string {
	if !knows {
		u.Calls.Add(1)
		return u.note(member, now.Now())
	}
	if u.some.Load() {
		u.mu.Lock()
		delete(u.since, member)
		u.some.Store(len(u.since) > 0)
		u.mu.Unlock()
	}
	return nil
}

// note notes that a member lacks the group. It returns who does, once, when that is so
// for long.
func (u *unknownTo) note(member string, now int64) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	since, noted := u.since[member]
	switch {
	case u.warned:
	case noted && now-since >= int64(unknownFor):
		u.warned = true
		return slices.Sorted(maps.Keys(u.since))
	case !noted && len(u.since) < maxUnknown:
		if u.since == nil {
			u.since = make(map[string]int64)
		}
		u.since[strings.Clone(member)] = now
		u.some.Store(true)
	}
	return nil
}

// maxUnknown bounds the members that are noted.
const maxUnknown = 1024
