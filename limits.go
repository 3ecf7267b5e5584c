package cachemesh

import (
	"time"

	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/membership"
)

// forgetAfter is how long a member that vanished without leaving is missed. While
// it is, it may live on the other side of a cut and serve writes there, so no
// loaded value is kept longer than MaxStale here.
const forgetAfter = time.Minute

// doubts are what a node must assume of members that it cannot see, and what
// follows for the values it holds. Guarded by Node.adopting.
type doubts struct {
	missing map[string]missed // by member ID

	// whole are the IDs of the members there were when none was missing. Only they
	// count towards a majority: each side of a cut may have got new ones since.
	whole map[string]struct{}

	// heardUntil is how long another member says that somebody is missing. A
	// process that started meanwhile has never seen who is.
	heardUntil int64

	// alone says that no bootstrap node ever answered: others most likely live.
	alone bool

	// tracesUntil is how long Deletes leave traces for a member that was forgotten
	// and may be back yet, with the values that it had.
	tracesUntil int64

	// sweepAt is when entries of an era before sweepEra are dropped; 0: never.
	sweepAt  int64
	sweepEra uint64
}

type missed struct {
	member membership.Member
	until  int64 // on the node's clock
}

// note records who went missing and who came back. It reports whether somebody
// went missing.
func (d *doubts) note(mv *membership.View, now int64) (lost bool) {
	for _, gone := range mv.Gone {
		if !gone.Clean {
			d.missing[gone.Member.ID()] = missed{gone.Member, now + int64(forgetAfter)}
			lost = true
		}
	}
	for _, m := range mv.Members {
		delete(d.missing, m.ID())
		for id, gone := range d.missing {
			// Another process has the address: the one that had it is dead.
			if gone.member.Addr == m.Addr {
				delete(d.missing, id)
			}
		}
	}
	if len(d.missing) == 0 {
		d.setWhole(mv.Members)
	}
	return lost && len(d.missing) > 0
}

func (d *doubts) setWhole(members []membership.Member) {
	d.whole = make(map[string]struct{}, len(members))
	for _, m := range members {
		d.whole[m.ID()] = struct{}{}
	}
}

// majority reports whether most of those who were there when none was missing
// are among the members.
func (d *doubts) majority(members []membership.Member) bool {
	left := 0
	for _, m := range members {
		if _, ok := d.whole[m.ID()]; ok {
			left++
		}
	}
	return 2*left > len(d.whole)
}

// forget drops those who are missing for long, on the side that sees a majority.
func (d *doubts) forget(members []membership.Member, now int64) {
	if !d.majority(members) {
		return
	}
	for id, gone := range d.missing {
		if now >= gone.until {
			delete(d.missing, id)
			d.tracesUntil = now + int64(traceFor)
		}
	}
	if len(d.missing) == 0 {
		d.setWhole(members)
	}
}

// meet notes how many members a view has. The first other one that a node meets
// may have been as alone itself.
func (d *doubts) meet(members int, now int64) {
	if d.alone && members > 1 {
		d.alone = false
		d.heardUntil = max(d.heardUntil, now+int64(forgetAfter))
	}
}

// doubted returns how much longer somebody is missed, 0 if nobody is. Told to
// others, it lets them doubt for as long, and no longer however often they tell
// it each other.
func (d *doubts) doubted(members []membership.Member, now int64) time.Duration {
	until := d.heardUntil
	for _, gone := range d.missing {
		until = max(until, gone.until)
		if !d.majority(members) { // it is not forgotten here
			until = max(until, now+int64(forgetAfter))
		}
	}
	return time.Duration(max(until-now, 0))
}

// hearDoubts notes that another member misses somebody until then. n.adopting is
// held.
func (n *Node) hearDoubts(until int64) {
	now := n.now()
	if until <= now || until <= n.doubts.heardUntil {
		return
	}
	n.doubts.heardUntil = until
	before := n.doubtful.Load()
	n.tellDoubts(now) // before the new era, as in adopt
	if !before {
		n.limitHeld(now + int64(n.opts.MaxStale))
	}
}

// tellDoubts tells those who write what they must assume. n.adopting is held.
func (n *Node) tellDoubts(now int64) {
	missing := len(n.doubts.missing) > 0 || n.doubts.alone || now < n.doubts.heardUntil
	n.doubtful.Store(missing)
	n.tracing.Store(missing || now < n.doubts.tracesUntil)
}

// limitNew limits the life of a value that is about to be stored while a member
// is missing, which may serve writes that are not seen here.
func (n *Node) limitNew(e *store.Entry, now int64) {
	if n.doubtful.Load() {
		limitExpiry(e, now+int64(n.opts.MaxStale))
	}
}

func limitExpiry(e *store.Entry, limit int64) {
	if e.Expires == 0 || e.Expires > limit {
		e.Expires = limit
	}
}

// limitHeld gives everything that is held now until deadline to live. Groups
// without a loader are spared: nobody could bring their values back.
// n.adopting is held.
func (n *Node) limitHeld(deadline int64) {
	n.doubts.sweepEra = n.era.Add(1)
	if n.doubts.sweepAt == 0 || deadline < n.doubts.sweepAt {
		n.doubts.sweepAt = max(deadline, 1)
	}
	n.settler.poke()
}

// enforceLimits drops what has outlived its limit and forgets members that are
// missing for long. It returns when it wants to be called again.
func (n *Node) enforceLimits() time.Duration {
	n.adopting.Lock()
	defer n.adopting.Unlock()
	now, d := n.now(), &n.doubts
	if v := n.view.Load(); v != nil {
		d.forget(v.members, now)
		n.tellDoubts(now)
	}
	if d.sweepAt == 0 {
		return forgetAfter
	}
	if left := time.Duration(d.sweepAt - now); left > 0 {
		return left
	}
	for _, c := range *n.groups.Load() {
		c.dropBefore(d.sweepEra)
	}
	d.sweepAt = 0
	return forgetAfter
}

// dropBefore drops what was stored before an era, if it can be loaded again.
func (c *groupCore) dropBefore(era uint64) {
	if c.loader == nil {
		return
	}
	// Whoever read the era before it changed has stored its value after this.
	for i := range c.shards {
		c.shards[i].mu.Lock()
		//lint:ignore SA2001 a barrier, not a critical section
		c.shards[i].mu.Unlock()
	}
	c.store.DeleteIf(func(_ uint64, e *store.Entry) bool { return e.Epoch.Load() < era })
}
