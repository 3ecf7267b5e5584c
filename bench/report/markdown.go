package report

import (
	"fmt"
	"strings"
	"time"
)

// markdown writes the report.
func (d *Document) markdown(charts []chart, notes string) string {
	var b strings.Builder
	b.WriteString("# CacheMesh beside other caches\n\n")
	fmt.Fprintf(&b, "Measured with `%s` in `bench/` on %s, %d cores, %s of memory, %s, %s.\n\n",
		d.Command, d.Machine.CPU, d.Machine.Cores, d.Machine.Memory, d.Machine.System, d.Machine.Go)
	d.method(&b)
	d.targets(&b)
	d.rivals(&b)
	for _, s := range d.Suites {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", s.Title, s.Text)
		show(&b, charts, s.Name)
		for _, c := range s.Cells {
			d.cell(&b, s, c)
		}
	}
	d.growth(&b, charts)
	d.hitRatio(&b, charts)
	if notes != "" {
		b.WriteString("\n" + strings.TrimSpace(notes) + "\n")
	}
	d.appendix(&b)
	return b.String()
}

func (d *Document) method(b *strings.Builder) {
	fmt.Fprintf(b, `**Read the ratios, not the absolute figures**, which drift with the machine and whatever else it does. Each system runs in
processes of its own on this machine and is reached over loopback TCP. There are %d rounds. In each all systems of a section are
started anew, and every measurement goes through them in an order that changes: %v of warm-up at least, a garbage collection, %v at least that count.
A ratio is taken within one round; given are the median of the rounds' ratios and, in brackets, the least and the greatest. Other figures are medians
of the rounds. Every answer is checked, and one that is wrong or missing is an error. The callers' own cost, a few nanoseconds,
is included. *CPU* is the processor time of all processes of a system, servers included; *allocs* are heap allocations in the calling processes.
All processes share the machine's cores, so throughput with many callers is about the inverse of CPU per operation.
`, d.Rounds, d.Warm, d.Duration)
	kept(d.Kept, b)
	if len(d.Skipped) > 0 {
		b.WriteString("\n**Skipped:**\n\n")
		for _, s := range d.Skipped {
			b.WriteString("- " + s + "\n")
		}
	}
	if trouble := d.Samples.Trouble(); len(trouble) > 0 {
		b.WriteString("\n**Errors:**\n\n")
		for _, s := range trouble {
			b.WriteString("- " + strings.ReplaceAll(s, "\n", " ") + "\n")
		}
	}
}

// cell writes one table, the best system first.
func (d *Document) cell(b *strings.Builder, s Suite, c Cell) {
	if !d.has(c.Name) {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n", c.Title)
	switch {
	case c.Work == "memory":
		d.memoryTable(b, c)
	case c.Work == "storm":
		d.stormTable(b, c)
	case c.Work == "hit":
		d.hitTable(b, c)
	case c.Work == "mixed":
		d.mixedTable(b, c)
	case c.Work == "paced":
		d.pacedTable(b, c)
	default:
		d.callTable(b, c)
	}
}

func (d *Document) compare(c Cell, system string) string {
	if system == baseline {
		return "1"
	}
	return times(d.Samples.Compare(Rate, c.Name, baseline, c.Name, system))
}

func (d *Document) hitTable(b *strings.Builder, c Cell) {
	t := newTable(b, "", "CacheMesh is faster by", "time of a hit", "allocs", "from hot copies")
	for _, name := range d.Samples.Systems(c.Name, PerOp, false) {
		median := func(m Metric) float64 { return d.Samples.Median(c.Name, name, m) }
		hot := "–"
		if share := median(HotShare); share > 0 {
			hot = fmt.Sprintf("%.0f %%", 100*share)
		}
		t.row(d.title(name), d.compare(c, name), nanos(median(PerOp)), digits(median(Allocs)), hot)
	}
}

func (d *Document) callTable(b *strings.Builder, c Cell) {
	rate := "operations/s"
	if c.Work == "getmany" {
		rate = "keys/s"
	}
	t := newTable(b, "", "CacheMesh is faster by", rate, "p50", "p99", "p99.9", "CPU", "allocs")
	for _, name := range d.Samples.Systems(c.Name, Rate, true) {
		median := func(m Metric) float64 { return d.Samples.Median(c.Name, name, m) }
		t.row(d.title(name), d.compare(c, name), short(median(Rate)), nanos(median(P50)), nanos(median(P99)), nanos(median(P999)),
			nanos(median(CPU)), digits(median(Allocs)))
	}
}

func (d *Document) mixedTable(b *strings.Builder, c Cell) {
	t := newTable(b, "", "CacheMesh is faster by", "operations/s", "p50", "p99", "p99.9", "loads per 1000", "CPU", "of which the database", "allocs", "resident", "stale per million")
	for _, name := range d.Samples.Systems(c.Name, Rate, true) {
		median := func(m Metric) float64 { return d.Samples.Median(c.Name, name, m) }
		t.row(d.title(name), d.compare(c, name), short(median(Rate)), nanos(median(P50)), nanos(median(P99)), nanos(median(P999)),
			digits(median(Loads)), nanos(median(CPU)), nanos(median(Origin)), digits(median(Allocs)), mebibytes(median(Resident)), digits(median(Stale)))
	}
}

// pacedTable has the system first that answers nine tenths of its Gets soonest.
func (d *Document) pacedTable(b *strings.Builder, c Cell) {
	t := newTable(b, "", "in own memory", "p50", "p90", "p99", "loads per 1000", "stale per million", "late", "not begun")
	for _, name := range d.Samples.Systems(c.Name, P90, false) {
		median := func(m Metric) float64 { return d.Samples.Median(c.Name, name, m) }
		t.row(d.title(name), share(median(Near)), nanos(median(P50)), nanos(median(P90)), nanos(median(P99)), digits(median(Loads)),
			digits(median(Stale)), share(median(Late)), share(median(Missed)))
	}
}

func (d *Document) stormTable(b *strings.Builder, c Cell) {
	t := newTable(b, "", "loads per key", "slowest caller")
	for _, name := range d.Samples.Systems(c.Name, PerKey, false) {
		median := func(m Metric) float64 { return d.Samples.Median(c.Name, name, m) }
		t.row(d.title(name), digits(median(PerKey)), nanos(median(P999)))
	}
}

func (d *Document) memoryTable(b *strings.Builder, c Cell) {
	t := newTable(b, "", "live heap per entry", "resident per entry", "of which not value")
	const value = 128
	for _, name := range d.Samples.Systems(c.Name, Resident, false) {
		median := func(m Metric) float64 { return d.Samples.Median(c.Name, name, m) }
		heap := "–"
		if h := median(Heap); h > value {
			heap = digits(h) + " B"
		}
		t.row(d.title(name), heap, digits(median(Resident))+" B", digits(median(Resident)-value)+" B")
	}
}

func (d *Document) growth(b *strings.Builder, charts []chart) {
	if len(d.Growth) == 0 {
		return
	}
	b.WriteString("\n## " + growthTitle + "\n\nAll members in one process; keys of 128 B without hot copies. *Own key*: one caller; others: 64 callers. " +
		"Gossip is what one idle member sends over UDP. *Idle* is the share of a core that one member takes while nobody calls, and " +
		"*idle, with copies* the same while each member holds copies of every other's keys, for which it renews its right.\n")
	show(b, charts, "growth")
	b.WriteString("\n")
	t := newTable(b, "members", "Get, own key", "Get/s, any key", "p99", "Set/s, any key", "p99", "started together, all see all", "one more, seen by all", "gossip packets/s", "bytes/s", "idle", "idle, with copies")
	for _, g := range d.Growth {
		get, set := Sample{}, Sample{}
		get.Fill(merged(g.GetAnywhere), 1)
		set.Fill(merged(g.SetAnywhere), 1)
		own := float64(g.GetHere.Elapsed) / float64(max(g.GetHere.Ops, 1))
		t.row(fmt.Sprint(g.Members), nanos(own), short(get.Rate), nanos(get.P99), short(set.Rate), nanos(set.P99),
			g.AllJoined.Round(time.Millisecond).String(), g.OneMore.Round(time.Millisecond).String(), digits(g.PacketRate), short(g.ByteRate), fmt.Sprintf("%.2f %%", 100*g.IdleCPU), fmt.Sprintf("%.2f %%", 100*g.SessionsCPU))
	}
	d.heldWrites(b)
}

// heldWrites says what a write costs of which others hold copies.
func (d *Document) heldWrites(b *strings.Builder) {
	b.WriteString("\nA Set, by the owner, of a key of which other members hold copies: it returns when all of them have dropped theirs.\n\n")
	t := newTable(b, "members", "holders", "p50", "p99")
	for _, g := range d.Growth {
		for _, h := range g.Held {
			t.row(fmt.Sprint(g.Members), fmt.Sprint(h.Holders), nanos(float64(h.P50)), nanos(float64(h.P99)))
		}
	}
}

func (d *Document) appendix(b *strings.Builder) {
	b.WriteString("\n## Systems\n\n")
	t := newTable(b, "", "version", "how it is driven")
	for _, s := range d.Systems {
		t.row(s.Title, s.Module+" "+s.Version, s.Note)
	}
	fmt.Fprintf(b, "\nServers get the memory of all members together and evict the least recently used; they write nothing to disk. "+
		"The order of the systems is determined by the seed %d. Raw data: [results.json](results.json).\n", d.Seed)
}
