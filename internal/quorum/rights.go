package quorum

// rights are until when this member, and others, may act.
type rights struct {
	right   int64            // until when this member may act by what it holds
	limited int64            // until when it may act as a minority
	waits   map[string]int64 // until when members may act, as far as known here
	passed  int64            // until when somebody may act who is not in the view, as others said
}

// wait notes that a member may act until then.
func (r *rights) wait(id string, until int64) { r.waits[id] = max(r.waits[id], until) }

// waitsUntil returns until when somebody may act who is elsewhere: not in the view.
func (r *rights) waitsUntil(elsewhere func(id string) bool) int64 {
	until := r.passed
	for id, t := range r.waits {
		if elsewhere(id) {
			until = max(until, t)
		}
	}
	return until
}

// lapse drops the waits that are over, and those that are too many: of these only the
// latest time is kept.
func (r *rights) lapse(now int64) {
	for id, until := range r.waits {
		if until <= now || len(r.waits) > maxWaits {
			r.passed = max(r.passed, until)
			delete(r.waits, id)
		}
	}
}

// left returns how much longer this member may act if nobody answers it.
func (r *rights) left(now int64) int64 { return max(max(r.right, r.limited)-now, 0) }

// shorten ends the rights then, if they would last longer.
func (r *rights) shorten(until int64) {
	r.right, r.limited = min(r.right, until), min(r.limited, until)
}
