package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// groupsPage shows the groups that are registered here.
func groupsPage(w *watch, _ *http.Request, _ url.Values, p *page) int {
	last, _, _ := w.now()
	p.Title, p.Live = "Groups", true
	t := table{ID: "groups", Caption: "Groups that are registered here", Empty: "There are none.", Columns: []column{
		{Key: "group", Title: "Group"}, {Key: "gets", Title: "Gets", Number: true}, {Key: "hits", Title: "Hit ratio", Number: true},
		{Key: "loads", Title: "Loads", Number: true}, {Key: "failed", Title: "… failed", Number: true},
		{Key: "entries", Title: "Entries", Number: true}, {Key: "bytes", Title: "Bytes", Number: true}, {Key: "full", Title: "… of the limit", Number: true}}}
	for _, g := range last.groups {
		s := &g.stats
		hits := cell{Text: "–", Value: -1.0}
		if s.Gets > 0 {
			share := float64(s.OwnHits+s.HotHits+s.PeerHits) / float64(s.Gets)
			hits = cell{Text: fmt.Sprintf("%.1f %%", 100*share), Value: share}
		}
		full := float64(s.Bytes) / float64(max(s.MaxBytes, 1))
		t.Rows = append(t.Rows, []cell{
			{Text: groupName(g.group), Value: g.group.Name(), Href: "group?" + url.Values{"name": {g.group.Name()}}.Encode()},
			number(s.Gets), hits, number(s.Loads), number(s.LoadErrors), number(s.Entries),
			{Text: size(s.Bytes), Value: float64(s.Bytes)}, {Text: fmt.Sprintf("%.1f %%", 100*full), Value: full}})
	}
	p.Tables = []table{t}
	p.Notes = []string{others, "Counted since the group was registered on this member."}
	return http.StatusOK
}

// find returns a group by its name, as it was last seen.
func find(last *seen, name string) *groupSeen {
	for i := range last.groups {
		if last.groups[i].group.Name() == name {
			return &last.groups[i]
		}
	}
	return nil
}

func groupPage(w *watch, _ *http.Request, query url.Values, p *page) int {
	last, _, _ := w.now()
	name := query.Get("name")
	g := find(&last, name)
	if g == nil {
		p.Title = "No such group"
		p.Notes = []string{fmt.Sprintf("No group %q is registered on this member.", name)}
		return http.StatusNotFound
	}
	p.Title, p.Live = "Group "+groupName(g.group), true
	if all := w.recent(&g.group); all != nil {
		p.Charts = []chart{draw("gets", "Gets on this member, by what answered", all, answered), draw("loads", "Loads on this member", all, loaded)}
		p.Tables = append(p.Tables, lastMinute(all))
	} else {
		p.Notes = append(p.Notes, "Of more than 64 groups those registered last have no history here.")
	}
	s := &g.stats
	p.Tables = append(p.Tables,
		factTable("counters", "Counted since the group was registered here", counterFacts(s)),
		factTable("evictions", "Entries that went, by cause", []fact{
			{"for want of room", number(s.Evictions - s.Rejected - s.Collided)}, {"new, and read less than others", number(s.Rejected)},
			{"another key has the same hash", number(s.Collided)}, {"TTL passed", number(s.Expired)}}),
		factTable("memory", "Memory of this member", []fact{
			{"Entries", number(s.Entries)}, {"Bytes", cell{Text: size(s.Bytes), Value: float64(s.Bytes)}},
			{"Limit", cell{Text: size(s.MaxBytes), Value: float64(s.MaxBytes)}}, {"Loaded values too large to be kept", number(s.TooLarge)}}),
		latencyTable("load-latency", "Loads, by how long they took", s.LoadLatency),
		latencyTable("peer-latency", "Calls to peers, by how long they took", s.PeerLatency))
	if s.RefreshError != nil {
		p.Notes = append(p.Notes, "The last refresh that failed said: "+s.RefreshError.Error())
	}
	p.Form = formOf(&last, name, "")
	return http.StatusOK
}

func counterFacts(s *cachemesh.Stats) []fact {
	return []fact{
		{"Gets", number(s.Gets)}, {"… from own memory", number(s.OwnHits)}, {"… from copies", number(s.HotHits)},
		{"… from the owner's memory", number(s.PeerHits)}, {"… of these, remembered as not found", number(s.NegativeHits)},
		{"Gets that joined a load", number(s.Deduplicated)}, {"Gets that peers asked", number(s.Served)},
		{"Loads", number(s.Loads)}, {"… failed", number(s.LoadErrors)}, {"… hang", number(s.StuckLoads)},
		{"Longest load", duration(s.LoadMax)}, {"Refreshes", number(s.Refreshes)}, {"… failed", number(s.RefreshErrors)},
		{"Served past their TTL", number(s.StaleServed)}, {"Unreadable", number(s.Unreadable)}, {"Unknown to a peer", number(s.UnknownGroup)},
		{"Sets", number(s.Sets)}, {"Deletes", number(s.Deletes)}, {"… by tag or prefix, or of all", number(s.Purges)}, {"Writers that hang", number(s.StuckWrites)},
		{"Calls to peers", number(s.PeerCalls)}, {"… failed", number(s.PeerErrors)}, {"… tried again", number(s.Retries)},
	}
}

// latencyTable shows how many calls took how long; buckets that counted none are left out.
func latencyTable(id, caption string, l cachemesh.Latency) table {
	t := table{ID: id, Caption: caption, Empty: "None is over yet.", Fixed: true,
		Columns: []column{{Key: "up_to", Title: "Up to"}, {Key: "calls", Title: "Calls", Number: true}, {Key: "share", Title: "All up to here", Number: true}}}
	all := l.Count()
	row := func(bound string, n, upTo uint64) {
		share := float64(upTo) / float64(all)
		t.Rows = append(t.Rows, []cell{text(bound), number(n), {Text: fmt.Sprintf("%.1f %%", 100*share), Value: share}})
	}
	var last uint64
	for bound, n := range l.Buckets() {
		if n > last {
			row(bound.String(), n-last, n)
		}
		last = n
	}
	if all > last {
		row("longer", all-last, all)
	}
	return t
}

// formOf returns the form with what was asked for.
func formOf(last *seen, group, key string) *keyForm {
	f := &keyForm{Key: key}
	for _, g := range last.groups {
		name := g.group.Name()
		f.Groups = append(f.Groups, option{name, groupName(g.group), name == group})
	}
	return f
}

// askWithin bounds how long the owner of a key is waited for.
const askWithin = 2 * time.Second

// keyPage shows what the owner of a key knows of it; the value stays where it is.
func keyPage(w *watch, r *http.Request, query url.Values, p *page) int {
	last, _, _ := w.now()
	group, key := query.Get("group"), query.Get("key")
	p.Title, p.Form = "Key", formOf(&last, group, key)
	if !query.Has("key") {
		return http.StatusOK
	}
	g := find(&last, group)
	if g == nil {
		p.Notes = []string{fmt.Sprintf("No group %q is registered on this member.", group)}
		return http.StatusNotFound
	}
	owner, err := g.group.Owner(key)
	if err != nil {
		p.Verdict = &verdict{bad, "Nobody can be asked: " + err.Error()}
		return http.StatusOK
	}
	ctx, cancel := context.WithTimeout(r.Context(), askWithin)
	defer cancel()
	facts := []fact{{"Owner, as this member sees it", text(owner)}}
	switch m, err := g.group.Meta(ctx, key); {
	case errors.Is(err, cachemesh.ErrNotFound) && m == (cachemesh.Meta{}):
		p.Verdict = &verdict{note, "Its owner has no value of it in memory. Nothing was loaded to find out."}
	case err != nil:
		p.Verdict = &verdict{warn, "Its owner did not say: " + err.Error()}
	default:
		p.Verdict = &verdict{good, "Its owner has a value of it in memory."}
		facts = slices.Concat(facts, []fact{
			{"Answered by", text(m.Owner)}, {"TTL that is left", duration(m.TTL)}, {"Age", duration(m.Age)},
			{"Bytes at its owner", cell{Text: size(m.Size), Value: float64(m.Size)}}, {"Version", text(m.Version.String())}})
	}
	p.Tables = []table{factTable("key", fmt.Sprintf("Key %q of group %s", key, groupName(g.group)), facts)}
	p.Notes = []string{"Values are not shown. Who holds copies of a key is its owner's affair and not known here."}
	return http.StatusOK
}
