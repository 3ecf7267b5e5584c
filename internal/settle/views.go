package settle

import (
	"cmp"
	"slices"
	"time"
)

// A MemberView is how a member of the view sees the mesh, by what it said last.
type MemberView struct {
	Name        string
	Agrees      bool          // it holds the view that this node holds
	Unreachable []string      // names of members that it cannot call
	Age         time.Duration // since it said so; negative: it has said nothing in this view
}

// Views returns how each member of the view sees the mesh, sorted by name, this node included. It asks
// nobody: members tell each other all the time.
func (s *Settler) Views() []MemberView {
	v := s.state.View()
	if v == nil {
		return nil
	}
	name := make(map[string]string, len(v.Members))
	for _, m := range v.Members {
		name[m.ID] = m.Name
	}
	names := func(ids []string) (all []string) {
		for _, id := range ids {
			all = append(all, cmp.Or(name[id], id))
		}
		return all
	}
	said, now := s.mandate.said()
	all := []MemberView{{Name: s.opts.Self.Name, Agrees: true, Unreachable: names(s.mandate.unreached())}}
	for _, m := range said {
		if name[m.ID] == "" {
			continue // another view was adopted in between
		}
		one := MemberView{name[m.ID], m.Holds, names(m.Unreachable), time.Duration(now - m.At)}
		if m.At == 0 {
			one.Age = -1
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b MemberView) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
