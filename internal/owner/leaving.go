package owner

import "github.com/praveenduddu/cachemesh/internal/session"

// A departure is registrations that are taken back together, with their holders, by hash.
type departure struct {
	mark    uint64 // tells it from others, of the same registrations too
	holders map[uint64][]session.Slot
}

// isLeaving reports whether the registration of a hash is being taken back.
func (r *registry) isLeaving(hash uint64) bool {
	_, is := r.leaving[max(hash, 1)]
	return is
}

// leave chooses registrations to be taken back: what the store has no more first, and what one
// member alone holds. left must follow for each.
func (r *registry) leave(most int, stored func(hash uint64) bool) departure {
	d := r.depart()
	for looked := 0; looked < min(len(r.cells), 8*most) && len(d.holders) < most; looked++ {
		r.hand++
		c := &r.cells[r.hand%len(r.cells)]
		if c.hash() == 0 || c.holders[1] != 0 && looked < 4*most && stored(c.hash()) {
			continue
		}
		r.noteLeaving(d, r.hand%len(r.cells))
	}
	return d
}

// leaveAll is leave of all that which chooses.
func (r *registry) leaveAll(which func(hash uint64) bool) departure {
	d := r.depart()
	for i := range r.cells {
		if hash := r.cells[i].hash(); hash != 0 && which(hash) {
			r.noteLeaving(d, i)
		}
	}
	return d
}

func (r *registry) depart() departure {
	r.departures++
	return departure{mark: r.departures, holders: make(map[uint64][]session.Slot)}
}

// noteLeaving adds a cell's registration. If it leaves already the later departure is the one
// that ends it: it has the same holders, for none is added meanwhile.
func (r *registry) noteLeaving(d departure, i int) {
	hash := r.cells[i].hash()
	d.holders[hash] = r.holders(nil, i)
	if r.leaving == nil {
		r.leaving = make(map[uint64]uint64)
	}
	r.leaving[hash] = d.mark
}

// left forgets a registration whose holders have dropped their copies, unless a write has taken it
// meanwhile, or another departure.
func (r *registry) left(d departure, hash uint64, room *allowance) {
	if mark, is := r.leaving[max(hash, 1)]; is && mark == d.mark {
		delete(r.leaving, max(hash, 1))
		if i := r.find(hash); i >= 0 {
			r.remove(i, room)
		}
	}
}
