package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// table lays out rows in columns, aligned to the right.
func table(rows [][]string) string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 3, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	w.Flush()
	return out.String()
}

// statsTable shows what each member counted, and the sums.
func statsTable(all []memberStats) string {
	rows := [][]string{{"", "gets", "own hits", "hot copies", "peer hits", "loader calls", "joined a load", "errors", "entries", "KiB", "DB queries"}}
	for _, m := range append(all, sum(all)) {
		p := m.Places
		row := []string{m.Name}
		for _, n := range []uint64{p.Gets, p.OwnHits, p.HotHits, p.PeerHits, p.Loads, p.Deduplicated,
			p.LoadErrors + p.PeerErrors, uint64(p.Entries), uint64(p.Bytes >> 10), m.Queries} {
			row = append(row, thousands(int64(n)))
		}
		rows = append(rows, row)
	}
	return table(rows)
}

// sum adds up the columns of statsTable.
func sum(all []memberStats) memberStats {
	total := memberStats{Name: "all"}
	for _, m := range all {
		p, t := m.Places, &total.Places
		t.Gets += p.Gets
		t.OwnHits += p.OwnHits
		t.HotHits += p.HotHits
		t.PeerHits += p.PeerHits
		t.Loads += p.Loads
		t.Deduplicated += p.Deduplicated
		t.LoadErrors += p.LoadErrors
		t.PeerErrors += p.PeerErrors
		t.Entries += p.Entries
		t.Bytes += p.Bytes
		total.Queries += m.Queries
	}
	return total
}

// latencyTable shows how long the look-ups took.
func latencyTable(d *driver) string {
	rows := [][]string{{"", "look-ups", "Get p50", "p99", "HTTP p50", "p99"}}
	for k := range kinds {
		s := &d.seen[k]
		s.sort()
		row := []string{k.String(), thousands(int64(len(s.get)))}
		for _, times := range [][]time.Duration{s.get, s.total} {
			row = append(row, short(quantile(times, 0.5)), short(quantile(times, 0.99)))
		}
		rows = append(rows, row)
	}
	return table(rows) + fmt.Sprintf(
		"Get is timed inside the member, HTTP by the caller; %d callers, and all processes share this machine.\n",
		callersPerMember*len(d.clients))
}

// short writes a duration with three significant digits.
func short(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// check compares what the members counted with what was asked of them.
func check(s *screen, d *driver, all []memberStats) error {
	total := sum(all)
	distinct := uint64(d.distinct())
	s.printf("%s different places were asked for; the loader ran %s times and the database answered %s queries.",
		thousands(int64(distinct)), thousands(int64(total.Places.Loads)), thousands(int64(total.Queries)))
	s.printf("All %s answers were compared with the rows in the database.", thousands(d.done.Load()))
	return errors.Join(
		same("loader calls", total.Places.Loads, "distinct places", distinct),
		same("database queries", total.Queries, "distinct places", distinct),
		same("answers by kind", total.Places.OwnHits+total.Places.HotHits+total.Places.PeerHits+total.Places.Loads+total.Places.Deduplicated,
			"Gets counted", total.Places.Gets),
		same("Gets counted", total.Places.Gets, "look-ups made", uint64(d.done.Load())),
		same("errors", total.Places.LoadErrors+total.Places.PeerErrors, "expected", 0),
	)
}

func same(what string, got uint64, as string, want uint64) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s: %d, %s: %d", what, got, as, want)
}
