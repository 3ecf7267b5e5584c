package httpapi

import (
	"fmt"
	"net/http"

	"github.com/praveenduddu/cachemesh"
)

// A Member is what GET /v1/members says of each member, in a list.
type Member struct {
	Name    string `json:"name"`
	Addr    string `json:"addr"`
	Self    bool   `json:"self"`
	Leaving bool   `json:"leaving"`

	// What the member told this one last: that it sees the same members, and whom it cannot call.
	Agrees     bool     `json:"agrees"`
	CannotCall []string `json:"cannotCall,omitempty"`
}

func (s *Server) members(w http.ResponseWriter, _ *http.Request) {
	all := make([]Member, 0, 8)
	views := make(map[string]cachemesh.MemberView)
	for _, v := range s.o.Node.Views() {
		views[v.Name] = v
	}
	for _, m := range s.o.Node.Members() {
		v := views[m.Name]
		all = append(all, Member{Name: m.Name, Addr: m.Addr, Self: m.Self, Leaving: m.Leaving, Agrees: v.Agrees, CannotCall: v.Unreachable})
	}
	answer(w, map[string]any{"members": all})
}

// A Group is what GET /v1/groups says of each group, in a list, and GET /v1/groups/{group} of
// one: what this member counted.
type Group struct {
	Name string `json:"name"`

	Gets      uint64 `json:"gets"`
	OwnHits   uint64 `json:"ownHits"`
	HotHits   uint64 `json:"hotHits"`
	PeerHits  uint64 `json:"peerHits"`
	Sets      uint64 `json:"sets"`
	Deletes   uint64 `json:"deletes"`
	Evictions uint64 `json:"evictions"`
	Expired   uint64 `json:"expired"`

	PeerCalls  uint64 `json:"peerCalls"`
	PeerErrors uint64 `json:"peerErrors"`

	Entries  int64 `json:"entries"`
	Bytes    int64 `json:"bytes"`
	MaxBytes int64 `json:"maxBytes"`
}

func describe(name string, g *cachemesh.Group[[]byte]) Group {
	s := g.Stats()
	return Group{Name: name, Gets: s.Gets, OwnHits: s.OwnHits, HotHits: s.HotHits, PeerHits: s.PeerHits, Sets: s.Sets, Deletes: s.Deletes,
		Evictions: s.Evictions, Expired: s.Expired, PeerCalls: s.PeerCalls, PeerErrors: s.PeerErrors, Entries: s.Entries, Bytes: s.Bytes, MaxBytes: s.MaxBytes}
}

func (s *Server) groups(w http.ResponseWriter, _ *http.Request) {
	names := s.o.Groups.Names()
	all := make([]Group, 0, len(names))
	for _, name := range names {
		all = append(all, describe(name, s.o.Groups.Get(name)))
	}
	answer(w, map[string]any{"groups": all})
}

func (s *Server) group(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("group")
	g := s.o.Groups.Get(name)
	if g == nil {
		problem(w, http.StatusNotFound, fmt.Sprintf("this member has no group %.300q", name))
		return
	}
	answer(w, describe(name, g))
}

// Stats is what GET /v1/stats says of this member.
type Stats struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Members     int      `json:"members"`
	Settled     bool     `json:"settled"`
	Mode        string   `json:"mode"`
	WaitsFor    []string `json:"waitsFor,omitempty"`
	Unreachable []string `json:"unreachable,omitempty"`
	Calls       uint64   `json:"calls"`
	CallErrors  uint64   `json:"callErrors"`
	Served      uint64   `json:"served"`
	Bytes       int64    `json:"bytes"`
	MaxBytes    int64    `json:"maxBytes"`
	HandedOver  uint64   `json:"handedOver"`
	Lost        uint64   `json:"lost"`
	Health      int      `json:"health"`
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request) {
	n := s.o.Node.Stats()
	answer(w, Stats{Name: s.o.Node.Name(), Version: s.o.Version, Members: n.Members, Settled: n.Settled, Mode: n.Mode, WaitsFor: n.WaitsFor,
		Unreachable: n.Unreachable, Calls: n.Calls, CallErrors: n.CallErrors, Served: n.CallsServed, Bytes: n.Bytes, MaxBytes: n.MaxBytes,
		HandedOver: n.HandedOver, Lost: n.Lost, Health: n.Health})
}
