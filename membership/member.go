package membership

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Member is one run of one process in the mesh, as gossip sees it.
type Member struct {
	Name    string // unique in the mesh and stable across restarts
	Addr    string // host:port that peers dial
	Boot    uint64 // identity of this run of the process, never 0
	Leaving bool   // it announced that it is leaving: it owns nothing, but is still reachable for hand-over
}

// ID returns the name and the boot in hexadecimal, joined by "#". It is unique per run of a process.
func (m Member) ID() string { return m.Name + "#" + strconv.FormatUint(m.Boot, 16) }

// compareMembers orders members as their IDs are ordered, without building them for members of different names.
func compareMembers(a, b Member) int {
	if a.Name == b.Name && a.Boot == b.Boot {
		return 0
	}
	return cmp.Compare(a.ID(), b.ID())
}

// Departure says how and when a member went away, as this member saw it.
type Departure struct {
	Member Member
	Clean  bool      // it had announced that it was leaving; false means that it crashed, restarted or was cut off
	At     time.Time // when this member came to believe it
}

// View is what one member believes at one time. It is immutable, as are its slices: do not write to them.
type View struct {
	Epoch   uint64   // counts this member's own views, from 1, strictly increasing
	Members []Member // sorted by ID, this member included

	// Gone lists, sorted by ID, every member of the previous view that went away since. A member that went away
	// and came back in between is in Gone and in Members.
	Gone []Departure

	// Returned says that, since the previous view, this member learnt that others held it for dead, or were about
	// to: what it owned may have changed hands meanwhile, without it having seen a view that says so.
	Returned bool
}

// differs says whether v, made after old, tells anything new.
func (v *View) differs(old *View) bool {
	return v.Returned || len(v.Gone) > 0 || !slices.Equal(v.Members, old.Members)
}
