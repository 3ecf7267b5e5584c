package quorum

import (
	"slices"
	"sort"
	"strconv"
)

// A Member is one run of a process. Another run under its name is another member.
type Member struct {
	ID      string // name and run
	Name    string
	Addr    string // what peers dial
	Life    uint32 // how often this run came back after others went on without it
	Leaving bool   // it is going: it votes, and is not counted later
}

// key names one life of a run.
func (m Member) key() string { return m.ID + "/" + strconv.FormatUint(uint64(m.Life), 10) }

// A View is a set of members that believe in each other. It is immutable.
type View struct {
	ID      uint64 // equal for equal sets; 0: no view
	Members []Member
}

// has reports whether a run is in the view.
func (v View) has(id string) bool {
	return slices.ContainsFunc(v.Members, func(m Member) bool { return m.ID == id })
}

// staying returns the members that are not leaving.
func (v View) staying() []Member {
	return slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return m.Leaving })
}

// A Primary is a view that all of its members voted for, or one that a member
// voted for and that may have become a primary elsewhere.
type Primary struct {
	Number uint64 // 0: none
	View   uint64
	Set    []Member // without those that were leaving
}

// A Vote is what a member thinks of a view. Each is worth more than the one
// before.
type Vote uint8

const (
	NoVote Vote = iota // not asked yet
	No                 // the view has no majority of the member's base
	Half               // it has half of a base of two
	Yes
)

// A Mode is how a view settled at a member.
type Mode uint8

const (
	Unsettled Mode = iota
	Minority       // all agree on the view, and somebody voted no
	HalfOfTwo      // all agree, nobody voted no, and somebody has half of a base of two
	Settled        // a primary
)

// String returns the mode in words for logs and statistics.
func (m Mode) String() string {
	return [...]string{"unsettled", "minority", "half", "majority"}[m]
}

// A Word is what one member says to another of itself, in questions and in
// answers. Durations are nanoseconds that were left when it was said.
type Word struct {
	From   string // who says it
	View   uint64
	Number uint64 // that of the vote; 0: none yet
	Vote   Vote

	Last, LastView uint64 // the newest primary that settled at the speaker
	Known          uint64 // the newest that a member of the view told it of
	Promised       uint64 // the highest number that it voted with
	Base           bool   // it has a base, or may found a mesh
	WantsBase      bool   // it has none: tell it yours
	Stands         bool   // it has voted for nothing since Last, and may say yes by that
	Handing        bool   // it hands over values, and cannot vote yet

	RightFor  int64  // how long a right of the speaker lasts
	RightLeft int64  // how long it may act at most if nobody answers it any more
	WaitsLeft int64  // how long somebody who is not in the view may act
	TakenIn   uint64 // when the speaker took in the one it speaks to, after having voted without it; 0: it never did

	Unreachable []string  // members that the speaker cannot reach, for long
	Expelled    []string  // lives that it goes on without for that reason
	Forgotten   []string  // runs that an operator said are gone for good
	Bases       []Primary // for one without a base: that of the speaker, the settled one first
}

func listed[V any](set map[string]V) (ids []string) {
	for id := range set {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids[:min(len(ids), maxListed)]
}
