package dashboard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A level says how much something matters; its words are shown beside its shape.
type level string

const (
	good level = "good"
	note level = "note"
	warn level = "warning"
	bad  level = "bad"
)

// An event is something that happened to the mesh as this member saw it.
type event struct {
	At      time.Time
	Level   level
	Subject string
	Text    string
}

// sayLocked remembers an event.
func (w *watch) sayLocked(at time.Time, l level, subject, format string, args ...any) {
	if len(w.events) == maxEvents {
		w.events = slices.Delete(w.events, 0, 1)
	}
	w.events = append(w.events, event{at, l, subject, fmt.Sprintf(format, args...)})
	w.happened++
}

// meetLocked notes who has come. That a member was there at the first look is
// no event.
func (w *watch) meetLocked(members []cachemesh.Member, at time.Time, first bool) {
	for _, m := range members {
		old, known := w.members[m.Name]
		if !known && len(w.members) >= maxSeen {
			continue
		}
		switch {
		case !known || !old.gone.IsZero():
			old.since = at
			if !first {
				w.sayLocked(at, good, m.Name, "joined, at %s", m.Addr)
			}
		case m.Addr != old.Addr:
			w.sayLocked(at, note, m.Name, "is at %s now", m.Addr)
		case m.Leaving && !old.Leaving:
			w.sayLocked(at, note, m.Name, "is leaving")
		}
		w.members[m.Name] = memberSeen{Member: m, since: old.since}
	}
}

// A fate is how a member went, in words.
type fate string

const (
	left   fate = "left in order"
	lost   fate = "gone without leaving"
	unsure fate = "gone"
)

// partLocked notes who is gone, of whom so many more are missing than before. Whether one left
// in order is seen by its announcement, which may pass between two looks, or by nobody missing
// it.
func (w *watch) partLocked(now *seen, missing int) {
	here := make(map[string]bool, len(now.members))
	for _, m := range now.members {
		here[m.Name] = true
	}
	var gone []string
	for name, m := range w.members {
		switch {
		case here[name]:
		case len(here) == 0: // this node has gone, not the others
			delete(w.members, name)
		case !m.gone.IsZero():
			if now.at.Sub(m.gone) > keepGone {
				delete(w.members, name)
			}
		case m.Leaving:
			w.goneLocked(name, now.at, left)
		default:
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	how := unsure
	switch {
	case missing <= 0:
		how = left
	case missing >= len(gone):
		how = lost
	}
	for _, name := range gone {
		w.goneLocked(name, now.at, how)
	}
}

func (w *watch) goneLocked(name string, at time.Time, how fate) {
	m := w.members[name]
	m.gone, m.fate = at, how
	w.members[name] = m
	switch how {
	case left:
		w.sayLocked(at, note, name, "left in order")
	case lost:
		w.sayLocked(at, bad, name, "is gone without leaving: it crashed, or cannot be reached")
	default:
		w.sayLocked(at, warn, name, "is gone")
	}
}

// compareLocked notes what else has changed.
func (w *watch) compareLocked(old, now *seen) {
	a, b := &old.stats, &now.stats
	if a.Mode != b.Mode {
		w.sayLocked(now.at, levelOf(b.Mode), "this member", "answers by the right of: %s (before: %s)", b.Mode, a.Mode)
	}
	switch {
	case !b.Settled && w.unsettled.IsZero() && len(now.members) > 0:
		w.unsettled = now.at
	case b.Settled && !w.unsettled.IsZero():
		w.agreeLocked(now, now.at.Sub(w.unsettled))
		w.unsettled = time.Time{}
	case b.Settled && a.Epoch != b.Epoch:
		w.agreeLocked(now, 0)
	}
	w.namesLocked(now.at, names(a.Unreachable), names(b.Unreachable), "gossips and cannot be called", "can be called again, or is gone")
	w.namesLocked(now.at, a.Expelled, b.Expelled, "is gone on without, because most members cannot call it", "is not expelled any more")
	w.reasonsLocked(now.at, a.Refused, b.Refused, "refused %d times: %s")
	w.reasonsLocked(now.at, a.BadFrames, b.BadFrames, "closed %d connections for what the peer sent: %s")
	if n := b.Lost - a.Lost; b.Lost > a.Lost {
		w.sayLocked(now.at, bad, "this member", "lost %d values that no loader can bring back", n)
	}
	w.groupsLocked(old, now)
}

func (w *watch) agreeLocked(now *seen, after time.Duration) {
	took := "less than a second"
	if after >= time.Second {
		took = "about " + after.Round(time.Second).String()
	}
	w.sayLocked(now.at, good, "mesh", "its %d members agree, after %s", now.stats.Members, took)
}

// groupsLocked notes which groups were registered and closed.
func (w *watch) groupsLocked(old, now *seen) {
	before := make(map[cachemesh.AnyGroup]bool, len(old.groups))
	for _, g := range old.groups {
		before[g.group] = true
	}
	for _, g := range now.groups {
		if !before[g.group] {
			w.sayLocked(now.at, note, groupName(g.group), "the group is registered here")
		}
		delete(before, g.group)
	}
	for g := range before {
		w.sayLocked(now.at, note, groupName(g), "the group is closed here")
	}
}

// namesLocked notes which members came into a list, and which went from it.
func (w *watch) namesLocked(at time.Time, old, now []string, came, went string) {
	for _, name := range now {
		if !slices.Contains(old, name) {
			w.sayLocked(at, warn, name, "%s", came)
		}
	}
	for _, name := range old {
		if !slices.Contains(now, name) {
			w.sayLocked(at, note, name, "%s", went)
		}
	}
}

// reasonsLocked notes which counts by reason have grown.
func (w *watch) reasonsLocked(at time.Time, old, now map[string]uint64, format string) {
	for _, reason := range slices.Sorted(maps.Keys(now)) {
		if n := now[reason] - old[reason]; now[reason] > old[reason] {
			w.sayLocked(at, warn, "this member", format, n, reason)
		}
	}
}

// names returns the members' names in their IDs.
func names(ids []string) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id
		if at := strings.LastIndexByte(id, '#'); at > 0 {
			all[i] = id[:at]
		}
	}
	return all
}

func levelOf(mode string) level {
	switch mode {
	case "majority":
		return good
	case "minority":
		return bad
	}
	return warn
}

// groupName returns the name by which a group is shown.
func groupName(g cachemesh.AnyGroup) string {
	if name := g.Name(); name != "" {
		return name
	}
	return "(default)"
}
