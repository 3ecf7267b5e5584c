package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
)

// Config says how a member takes part.
type Config struct {
	Self   string // its ID
	Copies int    // of each value, its own included
	Fewer  bool   // where fewer members keep copies than that, as many will do
	Held   Held
	Epoch  uint64 // from EpochOf, before the first view
	Faults *faultinject.Replicas

	// Silent is for how long a member is passed over after it did not answer, in
	// nanoseconds.
	Silent int64

	// Trace returns the trace of a Delete: of a value that has gone from all of its holders,
	// as when they evicted it, or, with no version, of one that goes now, above all versions that
	// this member saw. Its key is not known, and its hash stands for it.
	Trace func(hash uint64, v store.Version) *store.Entry

	// Hide says that what is held under a hash, and was shown, must not be shown any more:
	// there is something newer. Nil: nobody need be told.
	Hide func(hash uint64)
}

// members are the others, as this member knows them in its view, and what it believes of
// itself. They know no key.
type members struct {
	cfg    Config
	faults faultinject.Replicas

	view    View
	ids     map[string]who
	peers   []peer // by who
	epoch   uint64 // counts views
	staying int    // members that are not leaving
	apart   int    // of these, those that keep no copies
	acts    bool   // nobody outside the view can act for what this member owns
	came    bool   // what came with the view was its own once: it stays so while all are asked again
	carries bool   // not all that was known in former views is known in this one yet
	lost    bool   // what was known in former views is not known any more
	first   uint64 // all of a Send's numbers are above it
	number  uint64 // of the latest Send
	ideals  []who  // what ideal returned
}

// peer is what this member knows of another in this view.
type peer struct {
	epoch  uint64 // its own, as it told
	told   bool   // epoch is known, and it takes what bears it
	stays  bool   // it is on the ring, and not leaving
	in     bool   // its digest is complete
	apart  bool   // it keeps no copies: it has none, and takes none
	silent int64  // until then it is passed over
	anew   bool   // it has begun anew since it was asked for its digest: what that tells may be over
}

// enter makes v the view, in which nobody has told anything yet. Who kept no copies does not, until it says otherwise.
func (c *members) enter(v View) {
	old, former := c.layout(), c.peers
	c.view, c.acts, c.came = v, false, false
	c.epoch++
	c.ids, c.peers = make(map[string]who, len(v.Members)), make([]peer, len(v.Members))
	for i, id := range v.Members {
		c.ids[id] = who(i)
		c.peers[i].in = id == c.cfg.Self
	}
	staying := c.numbers(nil, v.Successors(0, len(v.Members)))
	for _, w := range staying {
		c.peers[w].stays = true
	}
	c.staying, c.apart = len(staying), 0
	for i, id := range old.view.Members {
		if w, ok := c.ids[id]; ok && former[i].epoch != 0 {
			c.peers[w].epoch = former[i].epoch
			if former[i].apart {
				c.setApart(w, true)
			}
		}
	}
}

// heard notes what an answer, or that there was none, says of the member that was asked.
func (c *members) heard(w who, r Result, now int64) {
	p := &c.peers[w]
	switch r {
	case NoAnswer, Unsent:
		p.silent = now + max(c.cfg.Silent, 1)
	case Refused:
		p.told = false // it has another view; or had, and counts anew
	default:
		p.silent = 0
	}
}

// answers reports whether a member may be sent something: its epoch is known, and it is not
// passed over.
func (c *members) answers(w who, now int64) bool {
	return c.peers[w].told && now >= c.peers[w].silent
}

// Epoch returns the number of the view that this member has. Whoever asks another for its
// digest hands it to Digested.
func (c *members) Epoch() uint64 { return c.epoch }

// First returns the number above which this member numbers what it sends.
func (c *members) First() uint64 { return c.first }

// Tells returns the epoch of this member in the view with the given id. Not ok: it has
// another view.
func (c *members) Tells(view uint64) (epoch uint64, ok bool) {
	return c.epoch, view == c.view.ID && c.view.Owner != nil
}

// Own says that nobody outside the view can act for the keys of this member any more.
func (c *members) Own() { c.acts = true }

// Missing says whether a member is gone and may be back, when that changes within a view.
func (c *members) Missing(is bool) { c.view.Missing = is }

// Carries reports whether Carry has more to do.
func (c *members) Carries() bool { return c.carries }

// Ready reports whether everybody's digest is in.
func (c *members) Ready() bool {
	return !slices.ContainsFunc(c.peers, func(p peer) bool { return !p.in })
}

// Ask returns the members whose digest is not complete, or that must tell their epoch anew.
func (c *members) Ask() (ids []string) {
	for i, p := range c.peers {
		if !p.in || !p.told && c.view.Members[i] != c.cfg.Self {
			ids = append(ids, c.view.Members[i])
		}
	}
	return ids
}

// Unreached says that a member did not answer when it was asked for its digest.
func (c *members) Unreached(id string, asked uint64, now int64) {
	if w, ok := c.ids[id]; ok && asked == c.epoch {
		c.peers[w].silent = now + max(c.cfg.Silent, 1)
	}
}

// owns reports whether this member owns a key by its view.
func (c *members) owns(hash uint64) bool {
	return c.view.Owner != nil && c.view.Owner(hash) == c.cfg.Self
}

// kept reports whether a key of this member's own stayed so.
func (c *members) kept(hash uint64) bool {
	return c.view.Kept != nil && !c.lost && c.view.Kept(hash)
}

// keeps is kept of this view, to be asked in later ones.
func (c *members) keeps() func(hash uint64) bool {
	if c.view.Kept == nil || c.lost {
		return func(uint64) bool { return false }
	}
	return c.view.Kept
}

// gained reports whether keys that came with the view are this member's own by now. They are still when all are
// asked again, for the sake of other keys: else nothing would be noted of one that is evicted meanwhile, whose copies are known.
func (c *members) gained() bool {
	c.came = (c.came && !c.faults.HideGained) || (c.acts || c.faults.NoWait) && c.Ready()
	return c.came
}

// need is how many members must have what is written, which some cannot hold.
func (c *members) need(unable []who) int {
	if c.cfg.Fewer {
		return max(c.enough(unable), 1)
	}
	return min(c.cfg.Copies, c.staying)
}

// Alone reports whether nobody else has to have a value.
func (c *members) Alone() bool { return c.need(nil) <= 1 }

// enough is how many members must have what was written, which some cannot hold, before it is shown.
func (c *members) enough(unable []who) int {
	able := c.staying - c.apart
	for _, w := range unable {
		if c.peers[w].stays && !c.peers[w].apart {
			able--
		}
	}
	return min(c.cfg.Copies, able)
}

// ideal are the others that should have the copies of a key, if all of them answer. They are
// read before it is called again.
func (c *members) ideal(hash uint64) []who {
	c.ideals = c.numbers(c.ideals[:0], c.layout().ideal(hash, c.cfg.Copies))
	return c.ideals
}

// numbers appends members by their IDs to a list.
func (c *members) numbers(list []who, ids []string) []who {
	for _, id := range ids {
		if w, ok := c.ids[id]; ok {
			list = append(list, w)
		}
	}
	return list
}

func (c *members) send(op Op, w who, hash uint64, v store.Version) Send {
	c.number++
	return Send{Op: op, To: c.view.Members[w], Hash: hash, Version: v, Epoch: c.peers[w].epoch, Number: c.number, from: c.epoch}
}
