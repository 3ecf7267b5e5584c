package quorum

// base is what this member's votes bind it to.
type base struct {
	last     Primary   // the newest primary that settled here, or a copy of another's; Number 0: none
	copied   bool      // last and tried are another's
	tried    []Primary // views voted for since
	promised uint64    // highest number ever voted with
	known    uint64    // the highest of a primary that a member of the view told of
	founder  bool      // may found a mesh: it knows of nobody else
	gaveUp   bool      // it has looked for a mesh long enough
}

// Found says that this member knows of nobody else, or need not wait for them:
// it may found a mesh with those in its view.
func (b *base) Found() { b.founder = true }

// GiveUp says that this member has looked for a mesh long enough: without one it
// goes on as a minority.
func (b *base) GiveUp() { b.gaveUp = true }

// record notes a vote before it is told. It reports false if too many are noted
// already: then the answer must be no.
func (b *base) record(vote Primary) bool {
	if len(b.tried) == maxTried {
		b.compact()
	}
	if len(b.tried) == maxTried {
		return false
	}
	b.tried = append(b.tried, vote)
	return true
}

// copyOf copies the base of another if this member has none of its own: it can
// found no mesh beside that one any more. It reports whether it did.
func (b *base) copyOf(bases []Primary) bool {
	if len(bases) == 0 || bases[0].Number <= b.last.Number || b.last.Number > 0 && !b.copied {
		return false
	}
	if len(b.tried)+len(bases)-1 > maxTried {
		return false // its own votes bind as well
	}
	b.last, b.tried, b.copied = bases[0], append(b.tried, bases[1:]...), true
	return true
}

// HasBase reports whether this member may be what a primary starts from: it knows of one, or
// may found a mesh.
func (b *base) HasBase() bool { return b.last.Number > 0 || b.founder }

// baseMembers returns the members of this member's bases.
func (b *base) baseMembers() []Member {
	members := b.last.Set
	for _, t := range b.tried {
		members = append(members[:len(members):len(members)], t.Set...)
	}
	return members
}

// samePrimary reports whether another counts the primary that this member counts.
func (b *base) samePrimary(w Word) bool {
	return b.last.Number > 0 && !b.copied && w.Last == b.last.Number && w.LastView == b.last.View
}

// compact keeps of the votes for one view only the last, which binds as the
// others do.
func (b *base) compact() {
	kept := b.tried[:0]
	for i, t := range b.tried {
		again := false
		for _, later := range b.tried[i+1:] {
			again = again || later.View == t.View
		}
		if !again {
			kept = append(kept, t)
		}
	}
	b.tried = kept
}

// voted reports whether this member voted for that view with that number.
func (b *base) voted(number, view uint64) bool {
	for _, t := range b.tried {
		if t.Number == number && t.View == view {
			return true
		}
	}
	return false
}

// floor is the highest number that this member knows of.
func (b *base) floor() uint64 { return max(b.promised, b.known, b.last.Number) }

// credible reports whether the numbers of a word may be true.
func (b *base) credible(w Word) bool {
	highest := max(w.Number, w.Last, w.Known, w.Promised)
	for _, p := range w.Bases {
		highest = max(highest, p.Number)
	}
	return highest < b.floor()+maxStep
}
