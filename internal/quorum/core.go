package quorum

// Config says how a member takes part.
type Config struct {
	Self  Member
	Right int64 // nanoseconds that a right to act lasts from when the question was sent
	Lease int64 // nanoseconds that a copy granted by this member may outlive its grant

	// Unreachable is how long a member must not have been reached, in nanoseconds,
	// before this one says so.
	Unreachable int64

	// ForgetAfter is how long a member must be missing before a view as large as
	// the one it is missing from does without it; see released. 0: for ever.
	ForgetAfter int64
}

// drift lengthens what a member waits, for clocks that do not run alike.
func drift(d int64) int64 { return d + d/64 }

const (
	// Forever is the right of a member that needs nobody's.
	Forever = int64(1) << 62

	maxTried  = 64  // views voted for since a primary settled
	maxWaits  = 512 // members that are waited for
	maxListed = 32  // names in each list of a Word

	// maxStep is how far a number that is heard may be ahead of all that are known.
	// Meshes that meet differ by the changes that they have seen; a greater one is a
	// mistake, and to vote with it would leave the others none to go on with.
	maxStep = 1 << 32
)

// A Core is one member's part in deciding who may go on. Its methods must not be
// called concurrently. Times are nanoseconds on one monotonic clock.
type Core struct {
	cfg     Config
	founder bool // may found a mesh: it knows of nobody else
	gaveUp  bool // it has looked for a mesh long enough

	last     Primary   // the newest primary that settled here, or a copy of another's; Number 0: none
	copied   bool      // last and tried are another's
	tried    []Primary // views voted for since
	promised uint64    // highest number ever voted with

	view    View
	epoch   uint64 // counts views, for takenIn
	handing bool   // values of former views are on their way: no vote yet
	number  uint64 // of the vote for view; 0: none yet
	vote    Vote
	known   uint64
	heard   map[string]*heard // what the others said in this view, by ID
	mode    Mode              // how the view settled
	served  bool              // some view settled, ever
	counted bool              // a vote of this member may have counted for a primary, ever

	right   int64            // until when this member may act by what it holds
	limited int64            // until when it may act as a minority
	waits   map[string]int64 // until when members may act, as far as known here
	passed  int64            // until when somebody may act who is not in the view, as others said

	takenIn map[string]uint64 // by ID: the epoch in which it was taken in, 0 if nothing was served before
	parted  map[string]uint64 // takenIn of members that were in the view, and that no vote has left out since
	stamps  map[string]uint64 // what others said of that to this member when a view last settled
	leftOut bool              // others went on without this member
	freed   bool              // the vote for view is yes because the rest of a base is released
	woke    int64             // answers to questions sent before are void

	missing   map[string]int64    // members of bases that are not in the view, and since when
	ended     map[string]struct{} // runs that are certainly over
	forgotten map[string]struct{} // runs that an operator says are over

	unreached map[string]int64    // members of the view that cannot be reached, and since when
	reported  map[string]struct{} // of these, those that everyone was asked about
	expelled  map[string]Member   // by life
	changed   bool                // expelled has one more

	toldExpelled bool // somebody who can call this member said that it was expelled
	urgent       bool // somebody should be asked at once
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
	reported    int64 // when it said so
}

// New returns the part of a member that knows no view yet.
func New(cfg Config) *Core {
	return &Core{
		cfg: cfg, takenIn: make(map[string]uint64), parted: make(map[string]uint64), stamps: make(map[string]uint64), waits: make(map[string]int64),
		missing: make(map[string]int64), ended: make(map[string]struct{}), forgotten: make(map[string]struct{}),
		unreached: make(map[string]int64), reported: make(map[string]struct{}), expelled: make(map[string]Member),
	}
}

// Found says that this member knows of nobody else, or need not wait for them:
// it may found a mesh with those in its view.
func (c *Core) Found() { c.founder = true }

// GiveUp says that this member has looked for a mesh long enough: without one it
// goes on as a minority.
func (c *Core) GiveUp() { c.gaveUp = true }

// Founder reports whether Found was called.
func (c *Core) Founder() bool { return c.founder }

// hasBase reports whether this member may be what a primary starts from.
func (c *Core) hasBase() bool { return c.last.Number > 0 || c.founder }

// Adopt makes v this member's view. clean are the runs that are gone because they
// left in order. Whoever calls it has stopped acting by the former view.
func (c *Core) Adopt(v View, clean []string, now int64) {
	c.noteGone(v, clean, now)
	c.noteTakenIn(v)
	c.view, c.number, c.vote, c.known, c.mode = v, 0, NoVote, c.last.Number, Unsettled
	c.heard = make(map[string]*heard, len(v.Members))
	for _, m := range v.Members {
		if m.ID == c.cfg.Self.ID {
			c.cfg.Self = m // it may have begun another life
		} else {
			c.heard[m.ID] = &heard{asked: now, urgent: true}
		}
	}
	for id := range c.unreached {
		if c.heard[id] == nil {
			delete(c.unreached, id)
		}
	}
	if len(v.Members) > 1 { // who was alone needed nobody's right; now it does
		c.right = min(c.right, now+c.cfg.Right)
		c.limited = min(c.limited, now+c.cfg.Right)
	}
}

// noteGone notes what a new view says about those that are not in it.
func (c *Core) noteGone(v View, clean []string, now int64) {
	for _, id := range clean {
		c.ended[id] = struct{}{}
		delete(c.waits, id)
	}
	for _, m := range c.view.Members {
		if v.has(m.ID) || m.ID == c.cfg.Self.ID {
			continue
		}
		if _, over := c.ended[m.ID]; !over && !m.Leaving {
			// It may hold copies that this member granted until now.
			c.waits[m.ID] = max(c.waits[m.ID], now+drift(c.cfg.Lease))
		}
	}
	c.noteMissing(v, now)
	for id, until := range c.waits {
		if until <= now || len(c.waits) > maxWaits {
			c.passed = max(c.passed, until)
			delete(c.waits, id)
		}
	}
}

// noteMissing notes which members of the bases are not in a view, and which of
// them are over: another run has their name or their address. Who is in it is not
// over, whatever was found out or said before.
func (c *Core) noteMissing(v View, now int64) {
	for _, m := range v.Members {
		delete(c.ended, m.ID)
		delete(c.forgotten, m.ID)
	}
	for _, m := range c.baseMembers() {
		if v.has(m.ID) {
			delete(c.missing, m.ID)
			continue
		}
		if _, known := c.missing[m.ID]; !known {
			c.missing[m.ID] = now
		}
		for _, other := range v.Members {
			if other.Name == m.Name || other.Addr == m.Addr {
				c.ended[m.ID] = struct{}{}
			}
			if other.Name == m.Name && other.Addr == m.Addr {
				delete(c.waits, m.ID) // both: whoever started it knew that the other was over
			}
		}
	}
	if len(c.ended) > maxWaits {
		c.prune()
	}
}

// noteTakenIn records for each member that is new here whether this one may have
// gone on without it before, that is, whether it gave a vote for a view without it:
// then what that member holds may be outdated. Who was a minority meanwhile, and
// voted for nothing, has left nobody out.
func (c *Core) noteTakenIn(v View) {
	c.epoch++
	takenIn := make(map[string]uint64, len(v.Members))
	for _, m := range v.Members {
		epoch, known := c.takenIn[m.ID]
		if !known {
			epoch, known = c.parted[m.ID]
			delete(c.parted, m.ID)
		}
		if !known && c.counted {
			epoch = c.epoch
		}
		takenIn[m.ID] = epoch
	}
	for id, epoch := range c.takenIn {
		if _, stays := takenIn[id]; !stays && len(c.parted) < maxWaits {
			c.parted[id] = epoch
		}
	}
	c.takenIn = takenIn
}

// in reports whether a run is in the view.
func (c *Core) in(id string) bool { return c.heard[id] != nil || id == c.cfg.Self.ID && c.view.ID != 0 }

// baseMembers returns the members of this member's bases.
func (c *Core) baseMembers() []Member {
	members := c.last.Set
	for _, t := range c.tried {
		members = append(members[:len(members):len(members)], t.Set...)
	}
	return members
}

// Hand says whether values of former views are on their way to new owners. Until
// they are, this member votes for nothing.
func (c *Core) Hand(handing bool) { c.handing = handing }

// Wake says that this member's clock may have stood still: it has no right, and
// answers to what it asked before give none.
func (c *Core) Wake(now int64) {
	c.right, c.limited, c.woke = 0, 0, now
	for _, h := range c.heard {
		h.confirmed, h.stood = 0, 0
	}
}
