package dashboard

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// others says what a page does not have.
const others = "What other members hold and count is not known here: ask their own dashboards."

// minute is how many looks the numbers a second are of.
const minute = int(time.Minute / lookEvery)

// overview shows how the mesh is, and what this member does.
func overview(w *watch, _ *http.Request, _ url.Values, p *page) int {
	last, members, events := w.now()
	all := w.recent(nil)
	p.Title, p.Live = "Overview", true
	v := judge(&last, all, members)
	p.Verdict = &v
	p.Charts = []chart{draw("gets", "Gets on this member, by what answered", all, answered), draw("loads", "Loads on this member", all, loaded)}
	p.Tables = []table{
		{ID: "members", Caption: "Members", Columns: memberColumns, Rows: w.memberRows(&last, members), Empty: notStarted, Fixed: true},
		factTable("mesh", "The mesh, as this member sees it", meshFacts(&last)),
		lastMinute(all),
		{ID: "events", Caption: "What happened last", Columns: eventColumns, Rows: eventRows(events[:min(len(events), 8)]), Empty: nothingYet, Fixed: true},
	}
	p.Notes = []string{others}
	return http.StatusOK
}

const (
	notStarted = "This member has not started, or is closed."
	nothingYet = "Nothing has happened since this dashboard began to look."
)

// judge says in a sentence how things are.
func judge(s *seen, all []counts, members []memberSeen) verdict {
	st := &s.stats
	var missed []string
	for _, m := range members {
		if m.fate == lost && !m.gone.IsZero() {
			missed = append(missed, m.Name)
		}
	}
	slices.Sort(missed)
	sum, _ := sumOf(all, minute)
	switch {
	case len(s.members) == 0:
		return verdict{note, notStarted}
	case st.Mode == "minority":
		return verdict{bad, "This member sees no majority of the mesh: its writes fail, and it keeps what it loads for a short time only. It waits for: " + list(st.WaitsFor) + "."}
	case st.Mode == "half":
		return verdict{warn, "This is one of two members and has lost the other: it goes on alone, and keeps what it loads for a short time only. It waits for: " + list(st.WaitsFor) + "."}
	case !st.Settled || st.Mode != "majority":
		return verdict{warn, "The members do not agree yet on who is in the mesh: until they do, nothing new is stored."}
	case len(st.Expelled) > 0:
		return verdict{warn, "The mesh goes on without members that cannot be called: " + list(st.Expelled) + "."}
	case len(st.Unreachable) > 0:
		return verdict{warn, "These members gossip and cannot be called from here: " + list(names(st.Unreachable)) + "."}
	case sum.errors > 0 && 20*sum.errors >= sum.loads:
		return verdict{warn, fmt.Sprintf("The %d members agree, but %d of %d loads on this member failed in the last minute: look at the database.", st.Members, sum.errors, sum.loads)}
	case len(missed) > 0:
		return verdict{warn, fmt.Sprintf("The mesh goes on; members in it now: %d. Gone without leaving, within 15 minutes: %s.", st.Members, list(missed))}
	case st.Members == 1:
		return verdict{good, "This member is alone, and nothing is wrong."}
	}
	return verdict{good, fmt.Sprintf("All %d members agree, and nothing is wrong.", st.Members)}
}

func list(names []string) string {
	if len(names) == 0 {
		return "nobody it knows"
	}
	return strings.Join(names, ", ")
}

// A fact is a line of a table of two columns.
type fact struct {
	name  string
	value cell
}

func factTable(id, caption string, facts []fact) table {
	t := table{ID: id, Caption: caption, Columns: []column{{Key: "what", Title: "What"}, {Key: "value", Title: "Value", Number: true}}, Fixed: true}
	for _, f := range facts {
		t.Rows = append(t.Rows, []cell{text(f.name), f.value})
	}
	return t
}

func number[N int | int64 | uint64 | uint32](n N) cell {
	return cell{Text: strconv.FormatInt(int64(n), 10), Value: float64(n)}
}

func meshFacts(s *seen) []fact {
	st := &s.stats
	mode := cell{Text: st.Mode, Level: levelOf(st.Mode)}
	settled := cell{Text: "yes", Level: good}
	if !st.Settled {
		settled = cell{Text: "not yet", Level: warn}
	}
	return []fact{
		{"Members", number(st.Members)},
		{"They agree", settled},
		{"Answers by the right of", mode},
		{"For", cell{Text: st.ModeSince.Round(time.Second).String(), Value: st.ModeSince.Seconds()}},
		{"Gone without leaving, not forgotten", number(st.Missing)},
		{"Views so far", number(st.Epoch)},
		{"Calls to peers, failed", cell{Text: fmt.Sprintf("%d, %d", st.Calls, st.CallErrors)}},
		{"Connections in, out", cell{Text: fmt.Sprintf("%d, %d", st.ConnsIn, st.ConnsOut)}},
		{"Memory of the limit", cell{Text: size(st.Bytes) + " of " + size(st.MaxBytes), Value: float64(st.Bytes)}},
		{"Values lost that no loader brings back", number(st.Lost)},
	}
}

// lastMinute returns what the charts end with, in numbers.
func lastMinute(all []counts) table {
	sum, looks := sumOf(all, minute)
	per := func(n uint32) cell {
		if looks == 0 {
			return number(n)
		}
		v := float64(n) / (float64(looks) * lookEvery.Seconds())
		return cell{Text: rate(v), Value: v}
	}
	hits := cell{Text: "no Gets"}
	if gets := sum.gets(); gets > 0 {
		share := float64(gets-sum.miss) / float64(gets)
		hits = cell{Text: fmt.Sprintf("%.1f %%", 100*share), Value: share}
	}
	return factTable("minute", "The last minute", []fact{
		{"Gets", per(sum.gets())}, {"… from own memory", per(sum.own)}, {"… from copies", per(sum.copied)},
		{"… from the owner's memory", per(sum.peer)}, {"… misses", per(sum.miss)}, {"Hit ratio", hits},
		{"Loads", per(sum.loads)}, {"… failed", per(sum.errors)},
	})
}

var memberColumns = []column{{Key: "member", Title: "Member"}, {Key: "state", Title: "State"}, {Key: "address", Title: "Address"},
	{Key: "share", Title: "Keys, about", Number: true}, {Key: "since", Title: "Seen since"}}

// members shows who is in the mesh, and who was.
func members(w *watch, _ *http.Request, _ url.Values, p *page) int {
	last, all, _ := w.now()
	p.Title, p.Live = "Members", true
	p.Tables = []table{{ID: "members", Caption: "Members, as this member sees them", Columns: slices.Clone(memberColumns),
		Rows: w.memberRows(&last, all), Empty: notStarted}, viewTable(&last)}
	p.Notes = []string{others, "Shares are of a sample of 4096 keys. Members that are gone are shown for 15 minutes."}
	return http.StatusOK
}

func (w *watch) memberRows(last *seen, members []memberSeen) (rows [][]cell) {
	shares := w.shares(last)
	unreachable := names(last.stats.Unreachable)
	slices.SortFunc(members, func(a, b memberSeen) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range members {
		state := cell{Text: "in the mesh", Level: good}
		switch {
		case !m.gone.IsZero():
			state = cell{Text: string(m.fate), Level: map[fate]level{left: note, lost: bad, unsure: warn}[m.fate]}
		case slices.Contains(last.stats.Expelled, m.Name):
			state = cell{Text: "expelled: cannot be called", Level: bad}
		case slices.Contains(unreachable, m.Name):
			state = cell{Text: "cannot be called", Level: warn}
		case m.Leaving:
			state = cell{Text: "leaving", Level: note}
		case m.Self:
			state.Text = "in the mesh, this one"
		}
		share := cell{Text: "–", Value: 0.0}
		if n := shares[m.Name]; m.gone.IsZero() && n > 0 {
			share = cell{Text: fmt.Sprintf("%.0f %%", 100*n), Value: n}
		}
		rows = append(rows, []cell{text(m.Name), state, text(m.Addr), share, moment(m.since)})
	}
	return rows
}

func moment(t time.Time) cell { return cell{Text: t.UTC().Format("2006-01-02 15:04:05 MST")} }

var eventColumns = []column{{Key: "at", Title: "When"}, {Key: "level", Title: "What it is"}, {Key: "subject", Title: "Who"}, {Key: "text", Title: "What happened"}}

// eventsPage shows what happened, the newest first.
func eventsPage(w *watch, _ *http.Request, _ url.Values, p *page) int {
	_, _, events := w.now()
	p.Title, p.Live = "Events", true
	p.Tables = []table{{ID: "events", Caption: "What happened, the newest first", Columns: slices.Clone(eventColumns), Rows: eventRows(events), Empty: nothingYet}}
	p.Notes = []string{"The last 200, as this member saw them, to the second."}
	return http.StatusOK
}

func eventRows(events []event) (rows [][]cell) {
	for _, e := range events {
		rows = append(rows, []cell{moment(e.At), {Text: string(e.Level), Level: e.Level}, text(e.Subject), text(e.Text)})
	}
	return rows
}

// shareSample is how many keys shares are reckoned from.
const shareSample = 4096

// shares returns about which part of the keys each member owns.
func (w *watch) shares(last *seen) map[string]float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(last.groups) == 0 || len(last.members) == 0 {
		return nil
	}
	if w.sharesOf == last.stats.Epoch && w.sharesAre != nil {
		return w.sharesAre
	}
	found := make(map[string]float64)
	for i := range shareSample {
		if owner, err := last.groups[0].group.Owner(strconv.Itoa(i)); err == nil {
			found[owner] += 1.0 / shareSample
		}
	}
	w.sharesOf, w.sharesAre = last.stats.Epoch, found
	return found
}

// size returns a number of bytes for people.
func size(n int64) string {
	v, unit := float64(n), 0
	for ; v >= 1024 && unit < 4; unit++ {
		v /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, []string{"", "KiB", "MiB", "GiB", "TiB"}[unit])
}

func duration(d time.Duration) cell {
	if d == cachemesh.Forever {
		return cell{Text: "none: until it is evicted"}
	}
	return cell{Text: d.Round(time.Millisecond).String(), Value: d.Seconds()}
}
