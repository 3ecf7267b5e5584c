package settle

import (
	"fmt"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh/internal/quorum"
	"github.com/praveenduddu/cachemesh/internal/view"
)

// reporter says in the log what state the mesh is in, when that changes or lasts.
// Its fields belong to the settle goroutine.
type reporter struct {
	*setting
	mandate *mandate

	phase view.Phase
	since int64 // when the view was not settled; 0: it is
	said  []string
}

// complainEvery is how often a state that lasts is said again.
const complainEvery = time.Minute

// report says what changed.
func (r *reporter) report(vd quorum.Verdict) {
	now, p := r.clock.Now(), r.state.Phase()
	switch {
	case p == r.phase:
	case p == view.ByMajority:
		r.log.Info("this member is with the majority again", "primary", vd.Number)
	case p == view.AsHalf:
		r.log.Warn("the other half of this mesh of two is out of reach: what is loaded is kept for MaxStale at most, until it is back, "+
			"or certainly gone", "waits_for", few(r.mandate.waitsFor()), "max_stale", r.opts.MaxStale)
	default:
		r.log.Warn("this member sees no majority of the mesh: what is loaded is kept for MaxStale at most, and writes return ErrMinority, "+
			"until enough of these are back, or certainly gone, or forgotten by Node.Forget", "waits_for", few(r.mandate.waitsFor()), "max_stale", r.opts.MaxStale)
	}
	r.phase = p
	r.unreachable()
	if vd.Mode != quorum.Unsettled {
		r.since = 0
		return
	}
	if r.since == 0 {
		r.since = now
	}
	if now-r.since < int64(r.opts.MaxStale) {
		return
	}
	r.since = now + int64(complainEvery-r.opts.MaxStale)
	if r.holdings.ValuesMove() {
		r.log.Info("values are being handed over, and the mesh waits for that")
		return
	}
	r.log.Warn("these members do not agree on who is in the mesh, or cannot be called: until they do, nothing new is stored; "+
		"is their TCP port open?", "peers", few(r.named(r.mandate.lagging())))
}

// unreachable names the members that cannot be reached for long, once for
// each set of them.
func (r *reporter) unreachable() {
	ids := r.mandate.unreached()
	if slices.Equal(ids, r.said) {
		return
	}
	if r.said = ids; len(ids) > 0 {
		r.log.Warn("these members gossip and cannot be called, neither directly nor through others: if most members say so, "+
			"they go on without them; is their TCP port open?", "peers", few(r.named(ids)))
	}
}

// named returns the names of members by their IDs; an ID stays where the view has no such member.
func (r *reporter) named(ids []string) []string {
	names, v := slices.Clone(ids), r.state.View()
	if v == nil {
		return names
	}
	for _, m := range v.Members {
		for i, id := range ids {
			if id == m.ID {
				names[i] = m.Name
			}
		}
	}
	return names
}

// changed says who came and who went, with one word for each.
func (r *reporter) changed(members []quorum.Member, old *view.View, gone []departure, missing int, epoch uint64) {
	leaves := make(map[string]bool) // by the ID of those who were members before
	if old != nil {
		for _, m := range old.Members {
			leaves[m.ID] = m.Leaving
		}
	}
	var joined, leaving, left, lost []string
	for _, m := range members {
		left, was := leaves[m.ID]
		switch {
		case !was && m.ID != r.opts.Self.ID:
			joined = append(joined, m.Name)
		case m.Leaving && !left: // this one, too: else its last line would not say what has changed
			leaving = append(leaving, m.Name)
		}
	}
	for _, d := range gone {
		if d.clean {
			left = append(left, d.member.Name)
		} else {
			lost = append(lost, d.member.Name)
		}
	}
	args := []any{"members", len(members), "missing", missing, "epoch", epoch}
	if len(joined) > 0 {
		args = append(args, "joined", few(joined))
	}
	if len(leaving) > 0 {
		args = append(args, "leaving", few(leaving))
	}
	if len(left) > 0 {
		args = append(args, "left", few(left))
	}
	if len(lost) > 0 {
		args = append(args, "gone", few(lost))
	}
	r.log.Info("the mesh changed", args...)
}

// maxNamed bounds the members that one line names.
const maxNamed = 32

// few returns names for a line of the log, not all if they are very many.
func few(names []string) []string {
	if len(names) <= maxNamed {
		return names
	}
	return append(slices.Clone(names[:maxNamed]), fmt.Sprintf("and %d more", len(names)-maxNamed))
}

// vanished names the members that are gone and did not leave in order.
func (r *reporter) vanished(gone []departure) {
	var names, addrs []string
	for _, d := range gone {
		if !d.clean {
			names, addrs = append(names, d.member.Name), append(addrs, d.member.Addr)
		}
	}
	if len(names) > 0 {
		r.log.Warn("members are gone without leaving: they crashed, or this member cannot reach them; writes of their keys wait "+
			"until none of them can act any more", "gone", few(names), "addrs", few(addrs), "at_most", r.opts.Right)
	}
}
