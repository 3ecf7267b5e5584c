package report

import (
	"slices"
	"strings"
)

// rivals writes, for each kind of rival, how the strongest one does where services read
// through a cache: the one with the most operations a second in the mixed work.
func (d *Document) rivals(b *strings.Builder) {
	var kinds []string
	for _, s := range d.Systems {
		if s.Rival != "" && !slices.Contains(kinds, s.Rival) {
			kinds = append(kinds, s.Rival)
		}
	}
	const near, far, slow = "mixed", "mixed-far", "paced-500"
	if len(kinds) == 0 || !d.has(near) {
		return
	}
	b.WriteString("\n## Beside the strongest of each kind\n\nThe strongest is the one with the most operations a second in the first column.\n\n")
	t := newTable(b, "", "strongest", "mixed work: CacheMesh is faster by", "half a millisecond away", "stale per million", "500 a second: in own memory", "p90", "p99")
	row := func(kind, name string) {
		figure := func(cell string, m Metric, format func(float64) string) string {
			if len(d.Samples.Of(cell, name)) == 0 {
				return "–"
			}
			return format(d.Samples.Median(cell, name, m))
		}
		t.row(kind, d.title(name), d.compare(Cell{Name: near}, name), d.compare(Cell{Name: far}, name), figure(near, Stale, digits),
			figure(slow, Near, share), figure(slow, P90, nanos), figure(slow, P99, nanos))
	}
	row("this", baseline)
	for _, kind := range kinds {
		if name := d.strongest(near, kind); name != "" {
			row(kind, name)
		}
	}
}

// strongest returns the system of a kind with the most operations a second in a cell.
func (d *Document) strongest(cell, kind string) string {
	for _, name := range d.Samples.Systems(cell, Rate, true) {
		if slices.ContainsFunc(d.Systems, func(s System) bool { return s.Name == name && s.Rival == kind }) {
			return name
		}
	}
	return ""
}
