package dashboard

import (
	"slices"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

const (
	lookEvery   = time.Second
	glanceEvery = lookEvery / 4 // between looks, at who is in the mesh, while somebody watches

	maxEvents = 200
	maxGroups = 64               // whose history is kept
	maxSeen   = 1024             // members that are remembered, those that are gone included
	keepGone  = 15 * time.Minute // how long a member that is gone is shown
	history   = 600              // looks that are remembered
)

// seen is a node at one moment.
type seen struct {
	at      time.Time
	stats   cachemesh.NodeStats
	members []cachemesh.Member
	views   []cachemesh.MemberView
	groups  []groupSeen
}

// A groupSeen is a group at one moment.
type groupSeen struct {
	group cachemesh.AnyGroup
	stats cachemesh.Stats
}

// seenOf looks at a node.
func seenOf(node *cachemesh.Node) seen {
	s := membersOf(node)
	for _, g := range node.Groups() {
		s.groups = append(s.groups, groupSeen{g, g.Stats()})
	}
	return s
}

// membersOf looks at who is in the mesh. The members and the node's numbers are of one view, unless views
// follow each other faster than one can look.
func membersOf(node *cachemesh.Node) seen {
	s := seen{at: time.Now(), stats: node.Stats()}
	for range 3 {
		before := s.stats
		s.members, s.stats = node.Members(), node.Stats()
		if before.Epoch == s.stats.Epoch && before.Missing == s.stats.Missing {
			break
		}
	}
	s.views = node.Views()
	return s
}

// A watch remembers what was seen of a node. Its methods are called concurrently.
type watch struct {
	mu        sync.Mutex // guards the fields below
	last      seen
	members   map[string]memberSeen // by name
	total     series
	groups    map[cachemesh.AnyGroup]*series
	events    []event            // the newest last
	happened  int                // events that there ever were
	unsettled time.Time          // since then members do not agree; zero: they do
	sharesOf  uint64             // the epoch that sharesAre is of
	sharesAre map[string]float64 // read-only; nil: not reckoned yet
	looked    chan struct{}      // closed by the next look
}

// A memberSeen is what is remembered of a member.
type memberSeen struct {
	cachemesh.Member
	since, gone time.Time // gone is zero for one that is there
	fate        fate      // of one that is gone
}

func newWatch() *watch {
	return &watch{members: make(map[string]memberSeen), groups: make(map[cachemesh.AnyGroup]*series), looked: make(chan struct{})}
}

// look takes in what is seen now.
func (w *watch) look(now seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := w.last.at.IsZero()
	if !first {
		w.compareLocked(&w.last, &now)
	}
	w.meetLocked(now.members, now.at, first)
	w.partLocked(&now, now.stats.Missing-w.last.stats.Missing)
	w.countLocked(&now)
	w.lookedLocked(now)
}

func (w *watch) lookedLocked(now seen) {
	w.last = now
	close(w.looked)
	w.looked = make(chan struct{})
}

// glance takes in who is in the mesh if that has changed since the last look, so that whoever watches hears of
// it sooner. Its groups are those of the last look, since what they count is kept by the second.
func (w *watch) glance(node *cachemesh.Node) {
	stats := node.Stats()
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	if s := &last.stats; stats.Epoch == s.Epoch && stats.Missing == s.Missing && stats.Mode == s.Mode && stats.Settled == s.Settled &&
		slices.Equal(stats.Unreachable, s.Unreachable) && slices.Equal(stats.Expelled, s.Expelled) {
		return
	}
	now := membersOf(node)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.at.After(now.at) { // another has looked meanwhile
		return
	}
	now.groups = w.last.groups
	w.compareLocked(&w.last, &now)
	w.meetLocked(now.members, now.at, false)
	w.partLocked(&now, now.stats.Missing-w.last.stats.Missing)
	w.lookedLocked(now)
}

// countLocked adds to the history of each group, and of all together.
func (w *watch) countLocked(now *seen) {
	before := make(map[cachemesh.AnyGroup]counts, len(w.last.groups))
	for _, g := range w.last.groups {
		before[g.group] = countsOf(&g.stats)
	}
	still := make(map[cachemesh.AnyGroup]*series, len(now.groups))
	var sum counts
	for _, g := range now.groups {
		// What a group counted before it was first seen is not of this second.
		last, known := before[g.group]
		if !known {
			last = countsOf(&g.stats)
		}
		step := countsOf(&g.stats).minus(last)
		sum = sum.plus(step)
		s := w.groups[g.group]
		if s == nil && len(still) < maxGroups {
			s = new(series)
		}
		if s != nil {
			s.add(step)
			still[g.group] = s
		}
	}
	w.groups = still
	w.total.add(sum)
}

// now returns the last look, the members that are remembered, and the events, the newest
// first. What it returns is not changed.
func (w *watch) now() (last seen, members []memberSeen, events []event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.members {
		members = append(members, m)
	}
	for i := range w.events {
		events = append(events, w.events[len(w.events)-1-i])
	}
	return w.last, members, events
}

// recent returns the history of a group, nil for all together, oldest first; nil if none is
// kept.
func (w *watch) recent(g *cachemesh.AnyGroup) []counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if g == nil {
		return w.total.all()
	}
	if s := w.groups[*g]; s != nil {
		return s.all()
	}
	return nil
}

// next returns what is closed by the next look, and how many events there were.
func (w *watch) next() (<-chan struct{}, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.looked, w.happened
}
