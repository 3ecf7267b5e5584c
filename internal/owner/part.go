package owner

import (
	"github.com/praveenduddu/cachemesh/internal/copies"
	"github.com/praveenduddu/cachemesh/internal/faultinject"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// A Part is what this member owns of a group, so that its keys never go back: their
// values, loads, writes, and the registrations of copies that others hold.
//
// Its layers stand one on the other, and each knows only what is below: what loads are under
// way, over keys, over memory; beside each other on that, who waits for loads, loads whose
// value is not stored, and writes. What concerns all of them is the part's own.
type Part struct {
	Basis
	loads
	gets
	unstored
	claims
	writes
}

// Copies says how a part keeps copies of what is written on other members.
type Copies struct {
	Of      int    // of each value, its own included
	Fewer   bool   // where fewer members keep copies than that, as many will do
	Self    string // this member's ID
	Listens bool   // the part has a Listener
	Carrier copies.Carrier
	Lost    func(n int) // is told how many values of this member's keys nobody has any more; nil: nobody is
}

// KeepCopies has the part keep copies. It is called before the part is used, and when it has
// its store.
func (c *Part) KeepCopies(o Copies) {
	var faults *faultinject.Replicas
	if c.Faults != nil {
		faults = &c.Faults.Replicas
	}
	b := copies.Basis{Life: c.Life, Clock: c.Clock, State: c.State, Store: c.Store, Seed: c.Seed,
		Values: &c.Basis, Carrier: o.Carrier, Faults: faults, Learning: c.Duties.learning,
		Put: c.put, Self: o.Self, Member: c.Member, Addr: c.Addr, Copies: o.Of, Fewer: o.Fewer,
		MaxValue: c.AnswerLimit - wire.BatchBytes, Lost: o.Lost}
	if c.Labels != nil {
		b.Label = c.label
	}
	if o.Listens {
		b.Removed = c.tellRemoved
	}
	c.copies = copies.New(b)
}

// Evicted is told what the store gave up of its own accord, if the part keeps copies.
func (c *Part) Evicted(e *store.Entry, why store.Cause) { c.copies.Gone(e, why) }

// Copies returns this member's part in the copies of the group's values, nil if it keeps none.
func (c *keys) Copies() *copies.Part { return c.copies }

// Init prepares a part, whose store is made afterwards: that has to know what the rest takes.
// It must not be copied then.
func (c *Part) Init(b Basis, r Room) {
	c.Basis = b
	c.memory.init(&c.Basis, r)
	c.shards.init(r.All)
	c.holders = recaller{&c.Basis}
	c.gets.loads, c.unstored.loads, c.writes.loads, c.claims.loads = &c.loads, &c.loads, &c.loads, &c.loads
}
