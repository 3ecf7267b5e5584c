package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/praveenduddu/cachemesh/bench/hitratio"
	"github.com/praveenduddu/cachemesh/bench/work"
)

// merged returns a result whose histogram can be asked.
func merged(r *work.Result) *work.Result {
	out := &work.Result{}
	if r != nil {
		out.Merge(r)
	}
	return out
}

func (d *Document) hitRatio(b *strings.Builder, charts []chart) {
	if len(d.HitRatio) == 0 {
		return
	}
	b.WriteString("\n## " + hitRatioTitle + "\n\nOne reader, values of 128 B. CacheMesh gets the budget in bytes, bookkeeping included, with which it " +
		"holds the given number of entries when it is full of keys that were read once; the others hold that number of entries. ristretto is bare, with ten counters per entry.\n")
	show(b, charts, "hitratio")
	for _, t := range d.Traces {
		fmt.Fprintf(b, "\n### %s\n\n%d reads of %d keys; %s.\n\n", t.Name, t.Reads, t.Distinct, t.Source)
		policies := hitratio.Policies()
		head := []string{"entries"}
		for _, p := range policies {
			head = append(head, p.Name)
		}
		table := newTable(b, head...)
		for _, capacity := range d.capacities(t.Name) {
			row := []string{fmt.Sprint(capacity)}
			for _, p := range policies {
				row = append(row, d.point(t.Name, p.Name, capacity))
			}
			table.row(row...)
		}
	}
}

func (d *Document) capacities(trace string) (out []int) {
	for _, p := range d.HitRatio {
		if p.Trace == trace && !slices.Contains(out, p.Capacity) {
			out = append(out, p.Capacity)
		}
	}
	return out
}

func (d *Document) point(trace, policy string, capacity int) string {
	for _, p := range d.HitRatio {
		if p.Trace != trace || p.Policy != policy || p.Capacity != capacity {
			continue
		}
		if p.Err != "" {
			return p.Err
		}
		return fmt.Sprintf("%.1f %%", 100*p.Ratio)
	}
	return "–"
}

// worstLead returns the least difference in points, over all traces and
// capacities, between the baseline and another policy.
func (d *Document) worstLead(other string) (points float64, ok bool) {
	ratio := func(p hitratio.Point, policy string) (float64, bool) {
		for _, q := range d.HitRatio {
			if q.Trace == p.Trace && q.Capacity == p.Capacity && q.Policy == policy && q.Err == "" {
				return q.Ratio, true
			}
		}
		return 0, false
	}
	for _, p := range d.HitRatio {
		if p.Policy != "CacheMesh" || p.Err != "" {
			continue
		}
		if r, found := ratio(p, other); found {
			if lead := 100 * (p.Ratio - r); !ok || lead < points {
				points, ok = lead, true
			}
		}
	}
	return points, ok
}
