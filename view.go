package cachemesh

import (
	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/membership"
)

// A Member is one process in the mesh, as this node sees it.
type Member struct {
	Name    string
	Addr    string // what peers dial
	Self    bool
	Leaving bool // it is shutting down and owns nothing any more
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
