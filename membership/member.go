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

	// Life counts, from 1, how often this run learnt that others had held it for dead, and came back.
	Life uint32
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
	// and came back in between is in Gone and, with a later Life, in Members.
	Gone []Departure

	// Returned says that others held this member for dead, which it learnt only now, maybe after being paused: what
	// it owned may have changed hands without a view of its own that says so. Those others take it back into their
	// views after OnView has returned from this view, and not before.
	Returned bool
}

// differs says whether v, made after old, tells anything new.
func (v *View) differs(old *View) bool {
	return v.Returned || len(v.Gone) > 0 || !slices.Equal(v.Members, old.Members)
}
