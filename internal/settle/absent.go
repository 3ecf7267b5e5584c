package settle

import (
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
	"github.com/praveenduddu/cachemesh/membership"
)

// absent are the members that vanished without leaving. While one is missing a
// Delete in a group without a loader leaves a trace, lest the value come back with
// it. Guarded by Settler.adopting.
type absent struct {
	missing map[string]missed // by member ID
	after   int64             // how long one is missed, in nanoseconds

	// tracesUntil is how long Deletes leave traces for a member that was forgotten
	// and may be back yet, with the values that it had.
	tracesUntil int64
}

type missed struct {
	member quorum.Member
	since  int64 // on the node's clock
}

// note records who went missing and who came back. It returns the IDs of those
// that left in order.
func (a *absent) note(members []quorum.Member, gone []departure, now int64) (clean []string) {
	for _, d := range gone {
		if d.clean {
			clean = append(clean, d.member.ID)
		} else {
			a.missing[d.member.ID] = missed{d.member, now}
		}
	}
	for _, m := range members {
		delete(a.missing, m.ID)
		for id, lost := range a.missing {
			// Another process has the address: the one that had it is dead.
			if lost.member.Addr == m.Addr {
				delete(a.missing, id)
			}
		}
	}
	return clean
}

// tracing forgets those who are missing for long, and reports whether Deletes
// must leave traces.
func (a *absent) tracing(now int64) bool {
	for id, lost := range a.missing {
		if now-lost.since >= a.after || len(a.missing) > maxMissing {
			delete(a.missing, id)
			a.tracesUntil = now + int64(view.TraceFor)
		}
	}
	return len(a.missing) > 0 || now < a.tracesUntil
}

// maxMissing bounds the members that are missed.
const maxMissing = 1024

// A departure is a member that is gone.
type departure struct {
	member quorum.Member
	clean  bool // it left in order
}

func departures(gone []membership.Departure) []departure {
	list := make([]departure, len(gone))
	for i, d := range gone {
		list[i] = departure{quorumMember(d.Member), d.Clean}
	}
	return list
}

func quorumMembers(members []membership.Member) []quorum.Member {
	list := make([]quorum.Member, len(members))
	for i, m := range members {
		list[i] = quorumMember(m)
	}
	return list
}

func quorumMember(m membership.Member) quorum.Member {
	return quorum.Member{ID: m.ID(), Name: m.Name, Addr: m.Addr, Life: m.Life, Leaving: m.Leaving}
}
