package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

// seen is what a member says at one moment.
type seen struct {
	At      time.Time        `json:"at"`
	Stats   httpapi.Stats    `json:"stats"`
	Members []httpapi.Member `json:"members"`
	Groups  []httpapi.Group  `json:"groups"`
}

// show writes a look, with what happened a second since the one before.
func (s *seen) show(w io.Writer, before *seen) error {
	agree := "they agree"
	if !s.Stats.Settled {
		agree = "they do not agree yet"
	}
	fmt.Fprintf(w, "%s  %s  %d members, %s, mode %s", plain(s.Stats.Name), s.At.Format(time.TimeOnly), s.Stats.Members, agree, plain(s.Stats.Mode))
	if len(s.Stats.Unreachable) > 0 {
		fmt.Fprintf(w, ", unreachable: %s", plain(strings.Join(s.Stats.Unreachable, " ")))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\n\nGROUP\tENTRIES\tBYTES\tFULL\tGETS/S\tHITS\tSETS/S\tDELETES/S\tEVICTIONS/S\t")
	for _, g := range s.Groups {
		var was httpapi.Group
		for _, old := range before.groups() {
			if old.Name == g.Name && old.Gets <= g.Gets { // else the member has begun anew
				was = old
			}
		}
		rate := func(now, was uint64) string {
			if before == nil || was > now {
				return "-"
			}
			return fmt.Sprintf("%.0f", float64(now-was)/s.At.Sub(before.At).Seconds())
		}
		hits := "-"
		if gets := g.Gets - was.Gets; gets > 0 {
			hits = fmt.Sprintf("%.1f%%", min(100, 100*float64(g.OwnHits+g.HotHits+g.PeerHits-was.OwnHits-was.HotHits-was.PeerHits)/float64(gets)))
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%.1f%%\t%s\t%s\t%s\t%s\t%s\t\n", plain(g.Name), g.Entries, g.Bytes, 100*float64(g.Bytes)/float64(max(g.MaxBytes, 1)),
			rate(g.Gets, was.Gets), hits, rate(g.Sets, was.Sets), rate(g.Deletes, was.Deletes), rate(g.Evictions, was.Evictions))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	table = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nMEMBER\tADDRESS\t")
	for _, m := range s.Members {
		note := ""
		if m.Leaving {
			note = "leaves"
		} else if m.Self {
			note = "this one"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", plain(m.Name), plain(m.Addr), note)
	}
	return table.Flush()
}

func (s *seen) groups() []httpapi.Group {
	if s == nil {
		return nil
	}
	return s.Groups
}
