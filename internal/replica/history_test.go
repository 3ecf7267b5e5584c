package replica

import "github.com/praveenduddu/cachemesh/internal/store"

// A history is what clients of a key know. Nothing that a client starts later may be
// older than the floor: what was answered with nil, or seen.
type history struct {
	floor   store.Version
	deleted bool // the floor is a Delete
	values  int
	deletes []store.Version // that were sent out
	evicted store.Version   // the newest that an owner evicted
}

func (h *history) raise(v store.Version, deleted bool) {
	if v.After(h.floor) {
		h.floor, h.deleted = v, deleted
	}
}

// acts reports whether a member answers for a key by what it holds.
func (n *node) acts(hash uint64) bool {
	return !n.dead && !n.apart && n.view != nil && n.w.now < n.right && n.core.Shows(hash)
}

// read reads a key at a member.
func (n *node) read(hash uint64) {
	w, h := n.w, &n.w.keys[hash]
	if !n.acts(hash) {
		if n.view != nil && n.view.owner(hash) == n.id {
			w.counts.hidden++
			n.core.Want(hash)
		}
		return
	}
	w.counts.reads++
	e := n.Peek(hash)
	w.log("%s reads %d: %v", n.id, hash, VersionOf(e))
	if e != nil && !e.Negative {
		if h.floor.After(VersionOf(e)) || h.deleted && h.floor == VersionOf(e) { // the Delete needed no trace
			w.fail("%s shows %v of key %d, after %v (deleted %v)", n.id, VersionOf(e), hash, h.floor, h.deleted)
		}
		h.raise(VersionOf(e), false)
		return
	}
	// There is nothing: a Delete that is not older must have been sent.
	if h.floor == (store.Version{}) || h.deleted || !h.floor.After(h.evicted) {
		return
	}
	var least store.Version
	for _, d := range h.deletes {
		if d.After(h.floor) && (least == store.Version{} || least.After(d)) {
			least = d
		}
	}
	if least == (store.Version{}) {
		if w.sizes { // it was at fewer members than it should
			return
		}
		w.fail("%s has lost %v of key %d", n.id, h.floor, hash)
	}
	h.raise(least, true)
}

func (w *world) fail(format string, args ...any) {
	if w.broke == "" {
		w.log("BROKEN: "+format, args...)
		w.broke = sprintf(format, args...)
	}
}

// A writing is a client's Set or Delete at an owner.
type writing struct {
	n       *node
	hash    uint64
	deleted bool
	value   int
	refused bool // it was too large for others: what was there before is written again
	cond    *condition
	write   *Write
	part    uint32
	entry   *store.Entry
	over    bool
}

// begin begins a write at a member.
func (n *node) begin(hash uint64, deleted bool) {
	w, h := n.w, &n.w.keys[hash]
	if !n.acts(hash) || n.writing[hash] {
		return
	}
	if deleted && n.core.Nothing(hash) { // it is done, and what was there is not there any more
		w.counts.nothing++
		h.deleted = h.deleted || h.floor != (store.Version{})
		return
	}
	h.values++
	x := &writing{n: n, part: n.part, hash: hash, deleted: deleted, value: h.values, entry: n.entry(h.values, deleted)}
	var err error
	if _, ok := n.Takes(x.entry); !ok {
		return
	}
	if x.write, err = n.core.Begin(hash, x.entry); err != nil {
		return
	}
	w.counts.sets++
	x.cond = n.condition(hash)
	n.writing[hash] = true
	w.log("%s writes %d: %v deleted %v", n.id, hash, VersionOf(x.entry), deleted)
	x.sent()
	x.pump()
}

func (x *writing) sent() {
	if x.deleted {
		h := &x.n.w.keys[x.hash]
		h.deletes = append(h.deletes, VersionOf(x.entry))
	}
}

func (x *writing) pump() {
	n := x.n
	if x.over || n.dead || n.part != x.part {
		return
	}
	sends, state := n.core.Next(x.write, n.w.now)
	switch state {
	case Waiting:
		for _, s := range sends {
			n.send(s, x.pump)
		}
	case Outdone:
		n.see(x.write.Newest().Clock)
		x.entry = n.entry(x.value, x.deleted)
		if p := x.write.Newest().Primary; p > x.entry.Version.Primary {
			x.entry.Version.Primary = p
		}
		x.sent()
		x.write.Renew(x.entry)
		x.pump()
	case Unheld:
		if n.w.counts.unheld++; x.write.Nowhere() || x.refused {
			x.over = true
			x.end(false)
			return
		}
		x.refused = true
		former := n.Peek(x.hash)
		x.deleted = former == nil || former.Negative
		x.value = 1
		x.entry = n.entry(x.value, x.deleted)
		if !x.deleted {
			x.entry.Data = former.Data
			if x.value = 1; len(former.Data) > 1 {
				x.value = 3
			}
		}
		x.sent()
		x.write.Restore(x.entry)
		x.pump()
	case Enough:
		x.over = true
		n.w.after(n.w.rnd.Int64N(30*ms), x.install) // copies are recalled meanwhile
	default:
		x.over = true
		x.end(false)
	}
}

// install is what the owner does once copies were recalled.
func (x *writing) install() {
	n := x.n
	if n.dead || n.part != x.part {
		return
	}
	if n.w.now >= n.right || !x.cond.isMet(x) {
		x.end(false)
		return
	}
	ok := n.core.Install(x.write)
	delete(n.writing, x.hash)
	n.w.log("%s installed %d: %v %v", n.id, x.hash, VersionOf(x.entry), ok)
	if _, fits := n.Takes(x.entry); ok && !fits { // it was given less room meanwhile, and the client is told
		n.w.counts.unheldHere++
	} else if ok {
		n.w.counts.nils++
		x.cond.check(x)
		n.w.keys[x.hash].raise(VersionOf(x.entry), x.deleted)
	} else {
		n.w.counts.maybes++
	}
}

func (x *writing) end(bool) {
	x.n.core.Abandon(x.write)
	delete(x.n.writing, x.hash)
	x.n.w.counts.maybes++
	x.n.w.log("%s gives up %d: %v", x.n.id, x.hash, VersionOf(x.entry))
}
