package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A note is what an owner knows of the copies of a key, where they are not as they should
// be.
type note struct {
	hash    uint64
	version store.Version // the newest that is known of
	deleted bool          // it is a trace
	hidden  bool          // it is not shown yet
	queued  bool          // it is in due
	urgent  bool          // it is in urgent
	wanted  bool          // somebody waited for it
	ending  bool          // the trace is being dropped
	orphan  bool          // while it was written, the newest went with the group of who had it
	writes  uint8         // under way

	countedHidden, countedLacking bool  // in Stats
	has                           []who // others that have the newest version
	may                           []who // others that may have an older one
	sent                          []who // of these, those that were sent something and have not answered
	unable                        []who // others that cannot hold the newest version

	rooms [2][2]who // of has and may, at first
}

// A notebook has the notes of the keys that this member owns.
type notebook struct {
	members
	passage

	cleared store.Version // nothing up to it is held any more
	noted   store.Version // a Clear that may be carried out: at least cleared

	notes  map[uint64]*note
	due    []*note // those to look at, each once; all but what is only being written
	urgent []*note // those to look at first: somebody waits
	stats  Stats
}

// Stats counts what a Core knows and has done.
type Stats struct {
	Noted   int    // keys whose copies are not as they should be
	Lacking int    // of these, those with too few copies
	Hidden  int    // of these, those that are not shown yet
	Repairs uint64 // copies made, writes aside
	Dropped uint64 // copies that others dropped by this member's word
	Evicted uint64 // values for which there was no room here
	Lost    uint64 // values whose copies had all gone from their holders
}

// noteBytes is what a note takes, with its lists and its place in the map and the queue.
const noteBytes = 192

// assess counts a note among those of keys that are hidden, or lack copies, or not any
// more.
func (c *notebook) assess(n *note) {
	c.recount(n, n.hidden, !n.ending && (c.count(n) < c.need(n.unable) || c.mayGoBack(n)))
}

func (c *notebook) recount(n *note, hidden, lacking bool) {
	change := func(count *int, was, is bool) {
		switch {
		case is && !was:
			*count++
		case was && !is:
			*count--
		}
	}
	change(&c.stats.Hidden, n.countedHidden, hidden)
	change(&c.stats.Lacking, n.countedLacking, lacking)
	n.countedHidden, n.countedLacking = hidden, lacking
}

// forget removes a note.
func (c *notebook) forget(n *note) {
	c.recount(n, false, false)
	delete(c.notes, n.hash)
	if c.carries && !c.faults.CarryTwice {
		c.forgotten[n.hash] = struct{}{}
	}
}

// turn begins anew: what was known by a layout is to be carried over.
func (c *notebook) turn(by layout, kept func(hash uint64) bool) {
	if c.lost || c.faults.SkipView {
		c.formers = nil
	}
	c.passage.begin(known{by, kept, c.notes, c.due, c.forgotten})
	c.notes, c.due, c.urgent = make(map[uint64]*note), nil, nil
	c.stats.Hidden, c.stats.Lacking = 0, 0
}

// hurry has a note looked at before others if somebody waits for its key.
func (c *notebook) hurry(n *note) {
	if n.wanted && n.hidden && !n.urgent && len(c.urgent) < maxUrgent {
		n.urgent = true
		c.urgent = append(c.urgent, n)
	}
}

// maxUrgent bounds the keys that are waited for; others come in their turn.
const maxUrgent = 1024

// queue has a note looked at that has changed, or that needs more.
func (c *notebook) queue(n *note) {
	c.assess(n)
	if n.queued {
		return
	}
	n.queued = true
	for i := 0; i < dueLooks && len(c.due) > 2*len(c.notes)+maxLooks; i++ {
		first := c.due[0]
		if c.due = c.due[1:]; c.notes[first.hash] == first {
			c.due = append(c.due, first)
		}
	}
	c.due = append(c.due, n)
}

// dueLooks is how many of due are looked at, for each that is added, while most of them are of notes that have gone: all
// at once would be long.
const dueLooks = 4

// maxLooks bounds the notes that one call of Work looks at.
const maxLooks = 1024

// count is how many members that stay have the newest version of a key.
func (c *notebook) count(n *note) (have int) {
	for _, w := range n.has {
		if c.peers[w].stays { // a copy at one that leaves will not last
			have++
		}
	}
	if VersionOf(c.cfg.Held.Peek(n.hash)) == n.version {
		have++
	}
	return have
}

// gone reports whether a version was cleared.
func (c *notebook) gone(v store.Version) bool { return !v.After(c.cleared) }

// best is ideal of a key of whose value some cannot hold copies. It is read before either is
// called again.
func (c *notebook) best(n *note) []who {
	if len(n.unable) == 0 {
		return c.ideal(n.hash)
	}
	list := c.numbers(c.ideals[:0], c.layout().ideal(n.hash, c.cfg.Copies+len(n.unable)))
	c.ideals = slices.DeleteFunc(list, func(w who) bool { return slices.Contains(n.unable, w) })
	return c.ideals[:min(len(c.ideals), c.cfg.Copies-1)]
}

// mayGoBack reports whether others may have an older value of a key, and fewer have this one than shall,
// since some cannot hold it.
func (c *notebook) mayGoBack(n *note) bool {
	return len(n.unable) > 0 && len(n.may) > 0 && c.count(n) < c.enough(nil) && !c.faults.KeepOlder
}
