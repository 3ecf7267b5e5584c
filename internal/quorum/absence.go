package quorum

import "maps"

// absence is what is known of members of bases that are not in the view.
type absence struct {
	missing   map[string]int64    // since when
	ended     map[string]struct{} // runs that are certainly over
	forgotten map[string]struct{} // runs that an operator says are over
}

func newAbsence() absence {
	return absence{missing: make(map[string]int64), ended: make(map[string]struct{}), forgotten: make(map[string]struct{})}
}

// prune drops what is known of runs that no base names any more.
func (a *absence) prune(members []Member) {
	named := make(map[string]struct{})
	for _, m := range members {
		named[m.ID] = struct{}{}
	}
	for _, set := range []map[string]struct{}{a.ended, a.forgotten} {
		maps.DeleteFunc(set, func(id string, _ struct{}) bool { _, ok := named[id]; return !ok })
	}
	maps.DeleteFunc(a.missing, func(id string, _ int64) bool { _, ok := named[id]; return !ok })
}

// Ended says that a run is certainly over: its address refuses connections.
func (a *absence) Ended(id string) { a.ended[id] = struct{}{} }

// Forget says that an operator knows of a run that it is gone for good.
func (a *absence) Forget(id string) {
	if len(a.forgotten) < maxWaits {
		a.forgotten[id] = struct{}{}
	}
}
