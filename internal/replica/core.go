package replica

import (
	"slices"

	"github.com/praveenduddu/cachemesh/internal/store"
)

// A Core is one member's part in the copies of one group. Its methods must not be called
// concurrently. Times are nanoseconds on one monotonic clock.
//
// Its parts stand one on the other, and each knows only what is below: the notebook is of
// keys, over the members of the view; beside each other on that, the writes and the repairs
// of this member's own keys, and what it holds of others'.
type Core struct {
	notebook
	writes
	repairs
	holder
}

// New returns the part of a member that has no view yet.
func New(cfg Config) *Core {
	c := new(Core)
	c.cfg, c.epoch = cfg, cfg.Epoch
	c.notes, c.carried = make(map[uint64]*note), make(map[string]uint64)
	if cfg.Faults != nil {
		c.faults = *cfg.Faults
	}
	if !c.faults.SameNumbers {
		c.first, c.number = cfg.Epoch, cfg.Epoch
	}
	c.cfg.Copies = max(1, cfg.Copies)
	if cfg.Hide == nil {
		c.cfg.Hide = func(uint64) {}
	}
	c.writes.notebook, c.repairs.notebook, c.holder.notebook = &c.notebook, &c.notebook, &c.notebook
	return c
}

// Adopt makes v this member's view. Whoever calls it has stopped acting by the former one.
// What this member owned and goes on owning stays shown; what it gained is not. It looks at no
// key: Carry does that.
func (c *Core) Adopt(v View) {
	by, kept := c.layout(), c.keeps()
	switch {
	case c.Ready():
		c.lost = false
	case len(c.formers) == maxFormers:
		c.lost = true
	}
	c.enter(v)
	clear(c.carried)
	c.turn(by, kept)
	c.carries = true
	if v.Outdated {
		c.cfg.Held.Range(func(hash uint64, _ *store.Entry) bool { c.cfg.Held.Delete(hash); return true })
	}
}

// Digested takes lines of a member's digest, that this member asked for in the given epoch
// of its own; the last ones complete it. theirs is the epoch that came with them, which is
// one for all lines of a digest, and cleared is its Cleared.
func (c *Core) Digested(from string, asked, theirs uint64, cleared store.Version, lines []Line, last bool) {
	w, ok := c.ids[from]
	if asked != c.epoch || !ok || from == c.cfg.Self {
		return
	}
	c.Clear(cleared)
	c.heardEpoch(w, theirs)
	for _, l := range lines {
		if !c.faults.SuccessorsOnly || slices.Contains(c.ideal(l.Hash), w) {
			c.learn(l, w)
		}
	}
	c.peers[w].in = c.peers[w].in || last && (!c.peers[w].anew || c.faults.Unheard)
}

// IsLong reports whether Digested looks at all that is held, where a member has told of an epoch and of a Clear.
func (c *Core) IsLong(from string, theirs uint64, cleared store.Version) bool {
	w, ok := c.ids[from]
	regroups := ok && (c.peers[w].apart != (theirs >= Apart) || c.peers[w].epoch != 0 && !c.samePart(w, theirs))
	return regroups || cleared.After(c.cleared)
}

// Answered takes what became of a Send. Of a write, Next says what follows.
func (c *Core) Answered(s Send, a Answer, now int64) {
	if s.from != c.epoch {
		if s.write != nil {
			s.write.stopped = true
		}
		return
	}
	w := c.ids[s.To]
	if a.Result != NoAnswer && a.Result != Unsent && !c.samePart(w, s.Epoch) && !c.faults.Unheard {
		a = Answer{Result: Late} // what answered has gone since, and all that it held
	}
	c.heard(w, a.Result, now)
	if s.write != nil {
		c.writeAnswered(s, a, w)
	} else {
		c.repairAnswered(s, a, w)
	}
}

// Stats returns the counts, of what this member owns.
func (c *Core) Stats() Stats {
	s := c.stats
	s.Noted = len(c.notes) + c.former()
	return s
}

// Bytes returns what the Core takes for notes.
func (c *Core) Bytes() int64 {
	return int64(len(c.notes)+c.former())*noteBytes + int64(len(c.forgotten))*forgottenBytes
}

// Idle reports whether there is nothing to ask and nothing to send until something happens.
func (c *Core) Idle() bool {
	if len(c.due) > 0 || len(c.urgent) > 0 || c.carries {
		return false
	}
	for i := range c.peers {
		if p := &c.peers[i]; !p.in || !p.told && c.view.Members[i] != c.cfg.Self {
			return false
		}
	}
	return true
}

// Want has the copies of a key made before those of others: somebody waits for it.
func (c *Core) Want(hash uint64) {
	c.reach(hash)
	if n := c.notes[hash]; n != nil && n.hidden {
		n.wanted = true
		c.hurry(n)
	}
}
