package quorum

// taking is whom this member has taken in anew, after it may have gone on without them.
type taking struct {
	epoch   uint64            // counts views
	counted bool              // a vote of this member may have counted for a primary, ever
	takenIn map[string]uint64 // by ID: the epoch in which it was taken in, 0 if nothing was served before
	parted  map[string]uint64 // takenIn of members that were in the view, and that no vote has left out since
	stamps  map[string]uint64 // what others said of that to this member when a view of theirs last settled
}

func newTaking() taking {
	return taking{takenIn: make(map[string]uint64), parted: make(map[string]uint64), stamps: make(map[string]uint64)}
}

// noteTakenIn records for each member that is new here whether this one may have
// gone on without it before, that is, whether it gave a vote for a view without it:
// then what that member holds may be outdated. Who was a minority meanwhile, and
// voted for nothing, has left nobody out.
func (t *taking) noteTakenIn(v View) {
	t.epoch++
	takenIn := make(map[string]uint64, len(v.Members))
	for _, m := range v.Members {
		epoch, known := t.takenIn[m.ID]
		if !known {
			epoch, known = t.parted[m.ID]
			delete(t.parted, m.ID)
		}
		if !known && t.counted {
			epoch = t.epoch
		}
		takenIn[m.ID] = epoch
	}
	for id, epoch := range t.takenIn {
		if _, stays := takenIn[id]; !stays && len(t.parted) < maxWaits {
			t.parted[id] = epoch
		}
	}
	t.takenIn = takenIn
}
