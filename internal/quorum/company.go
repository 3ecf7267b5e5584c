package quorum

import (
	"slices"
	"sort"
)

// company is the view, and what its members have said in it.
type company struct {
	cfg    Config
	view   View
	number uint64 // of the vote for view; 0: none yet
	vote   Vote
	heard  map[string]*heard // what the others said in this view, by ID
	urgent bool              // somebody should be asked at once
}

// heard is what one member of the view has said in it.
type heard struct {
	agrees    bool
	handing   bool
	number    uint64
	vote      Vote
	last      uint64
	lastView  uint64
	base      bool
	wantsBase bool
	takenIn   uint64
	confirmed int64 // when the latest question was sent that it said yes to; 0: never
	stood     int64 // when the latest question was sent to which it said that it stands by the asker's primary; 0: never
	asked     int64 // when it was asked last
	urgent    bool  // it should be asked at once

	unreachable []string
	holds       uint64 // the view that it said it holds, last
	reported    int64  // when it said so; 0: never
}

// A Said is what a member of the view said last.
type Said struct {
	ID          string
	Holds       bool // the view, too
	Unreachable []string
	At          int64 // 0: it has said nothing in this view
}

// Said returns what the others said last, in no order.
func (c *company) Said() []Said {
	all := make([]Said, 0, len(c.heard))
	for id, h := range c.heard {
		all = append(all, Said{id, h.reported != 0 && h.holds == c.view.ID, h.unreachable, h.reported})
	}
	return all
}

// elsewhere reports whether a run is not in the view.
func (c *company) elsewhere(id string) bool { return id != c.cfg.Self.ID && !c.in(id) }

// primary is what the view becomes if all vote for it with that number.
func (c *company) primary(number uint64) Primary {
	return Primary{Number: number, View: c.view.ID, Set: c.view.staying()}
}

// in reports whether a run is in the view.
func (c *company) in(id string) bool {
	return c.heard[id] != nil || id == c.cfg.Self.ID && c.view.ID != 0
}

// agreed reports whether every member of the view said that it holds it, and hands
// nothing over any more. To vote before would be to stand by nothing meanwhile.
func (c *company) agreed() bool {
	for _, h := range c.heard {
		if !h.agrees || h.handing {
			return false
		}
	}
	return c.view.ID != 0
}

// highest returns the highest number that a member of the view voted with.
func (c *company) highest() (n uint64) {
	for _, h := range c.heard {
		n = max(n, h.number)
	}
	return n
}

// lagging reports whether a member has not said that it holds the view, or has not
// voted as this one did.
func (c *company) lagging(h *heard) bool {
	return !h.agrees || h.handing || c.number > 0 && (h.number != c.number || h.vote == NoVote)
}

// urge has members asked at once.
func (c *company) urge(who func(h *heard) bool) {
	for _, h := range c.heard {
		if h.urgent = who(h); h.urgent {
			c.urgent = true
		}
	}
}

// Ask returns whom to ask now: who lags and was not asked for the time again, and
// everyone that was not asked for the time every. urgent says that Ask should be
// called at once, and is said once.
func (c *company) Ask(again, every, now int64) (ids []string) {
	for id, h := range c.heard {
		since, lags := now-h.asked, c.lagging(h)
		if h.urgent || since >= every || lags && since >= again {
			h.asked, h.urgent = now, false
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Lagging reports whether anybody in the view lags.
func (c *company) Lagging() bool {
	for _, h := range c.heard {
		if c.lagging(h) {
			return true
		}
	}
	return false
}

// LaggingIDs returns who lags.
func (c *company) LaggingIDs() (ids []string) {
	for id, h := range c.heard {
		if c.lagging(h) {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// Urgent reports, once, that Ask should be called at once.
func (c *company) Urgent() bool {
	urgent := c.urgent
	c.urgent = false
	return urgent
}

// HeardOf reports whether a member of the view has said that it holds the view,
// and whether it knows of a mesh that was founded.
func (c *company) HeardOf(id string) (heard, founded bool) {
	h := c.heard[id]
	return h != nil && h.agrees, h != nil && h.last > 0
}

// present counts the members of a set that are in the view.
func (c *company) present(set []Member) (n int) {
	for _, m := range set {
		if c.in(m.ID) {
			n++
		}
	}
	return n
}

// outvotes reports whether the view has more than half of a set, or half of four or
// more and the greatest of them.
func (c *company) outvotes(set []Member) bool {
	here := c.present(set)
	return 2*here > len(set) || 2*here == len(set) && len(set) >= 4 && c.in(greatest(set))
}

func greatest(set []Member) (id string) {
	for _, m := range set {
		id = max(id, m.ID)
	}
	return id
}

func (c *company) rightFrom(sent int64) int64 {
	if len(c.heard) == 0 {
		return Forever // nobody else is in the view
	}
	return sent + c.cfg.Right
}

// saidYes returns the latest time such that at least need members of a set have
// said yes to a question sent then or later; when tells for each. This member says
// yes now.
func (c *company) saidYes(set []Member, need int, now int64, when func(h *heard) int64) (sent int64, ok bool) {
	times := make([]int64, 0, len(set))
	for _, m := range set {
		if m.ID == c.cfg.Self.ID {
			times = append(times, now)
		} else if h := c.heard[m.ID]; h != nil && when(h) > 0 {
			times = append(times, when(h))
		}
	}
	if need <= 0 || len(times) < need {
		return 0, false
	}
	slices.Sort(times)
	return times[len(times)-need], true
}
