package report

import (
	"fmt"
	"slices"
	"strings"
)

// A target is a ratio that CacheMesh is meant to reach.
type target struct {
	claim      string
	metric     Metric
	cell, over string // the cell of CacheMesh, and of the other; "" for the same
	system     string // of this project; "" for the baseline
	other      string
	atLeast    bool
	bound      float64
}

var targets = slices.Concat([]target{
	{claim: "local hit, times as fast as golang/groupcache", metric: Rate, cell: "local", other: "groupcache", atLeast: true, bound: 2},
	{claim: "local hit, time of bare ristretto", metric: PerOp, cell: "local", other: "ristretto", bound: 1.3},
	{claim: "local hit of a struct, time of bare ristretto", metric: PerOp, cell: "local", system: "cachemesh-struct", other: "ristretto", bound: 1.3},
	{claim: "hot-copy hit, time of a local hit, 100 keys", metric: PerOp, cell: "hot", over: "local-100", other: baseline, bound: 1.2},
	{claim: "remote hit of 128 B, 64 callers, times as fast as golang/groupcache", metric: Rate, cell: "remote-128-64", other: "groupcache", atLeast: true, bound: 10},
	{claim: "remote hit of 128 B, 64 callers, times as fast as Redis through rueidis", metric: Rate, cell: "remote-128-64", other: "redis-rueidis", atLeast: true, bound: 2},
	{claim: "remote hit of 128 B, 64 callers, times as fast as Olric's cluster client", metric: Rate, cell: "remote-128-64", other: "olric", atLeast: true, bound: 8},
	{claim: "remote hit of 128 B, 64 callers, times as fast as Olric embedded", metric: Rate, cell: "remote-128-64", other: "olric-embedded", atLeast: true, bound: 8},
	{claim: "remote hit of 128 B, one caller, p50 of Redis through rueidis", metric: P50, cell: "remote-128-1", other: "redis-rueidis", bound: 1.15},
	{claim: "remote hit of 4 KiB, 64 callers, times as fast as Redis through rueidis", metric: Rate, cell: "remote-4096-64", other: "redis-rueidis", atLeast: true, bound: 2},
	{claim: "remote hit of 64 KiB, 64 callers, times as fast as Redis through rueidis", metric: Rate, cell: "remote-65536-64", other: "redis-rueidis", atLeast: true, bound: 1},
	{claim: "GetMany of 100 keys, one caller, keys/s of MGET through rueidis", metric: Rate, cell: "getmany-1", other: "redis-rueidis", atLeast: true, bound: 1},
	{claim: "GetMany of 100 keys, 16 callers, keys/s of MGET through rueidis", metric: Rate, cell: "getmany-16", other: "redis-rueidis", atLeast: true, bound: 1},
	{claim: "Set of a cold key, 64 callers, times as fast as Redis SET through rueidis", metric: Rate, cell: "set-cold", other: "redis-rueidis", atLeast: true, bound: 1},
	{claim: "mixed work, times as fast as groupcache-go", metric: Rate, cell: "mixed", other: "groupcache-go", atLeast: true, bound: 2.5},
	{claim: "mixed work, times as fast as Redis through rueidis with client-side caching", metric: Rate, cell: "mixed", other: strongest, atLeast: true, bound: 2},
	{claim: "mixed work, times as fast as Redis through rueidis", metric: Rate, cell: "mixed", other: "redis-rueidis", atLeast: true, bound: 3},
	{claim: "mixed work, times as fast as Redis through go-redis", metric: Rate, cell: "mixed", other: "redis-go-redis", atLeast: true, bound: 3},
	{claim: "mixed work, loads of groupcache-go", metric: Loads, cell: "mixed", other: "groupcache-go", bound: 1},
	{claim: "mixed work, loads of Redis through rueidis", metric: Loads, cell: "mixed", other: "redis-rueidis", bound: 1},
	{claim: "mixed work half a millisecond away, times as fast as groupcache-go", metric: Rate, cell: "mixed-far", other: "groupcache-go", atLeast: true, bound: 3},
	{claim: "mixed work half a millisecond away, times as fast as Redis through rueidis with client-side caching", metric: Rate, cell: "mixed-far", other: strongest, atLeast: true, bound: 2},
}, paced("paced-500"), paced("paced-3000"), paced("paced-20000"))

// strongest is the rival that answers most from the memory of who asks.
const strongest = "redis-rueidis-cached"

// paced returns the aims of one rate of the paced work, beside the strongest rival.
func paced(cell string) []target {
	rate := strings.TrimPrefix(cell, "paced-") + " a second, "
	const beside = " of Redis through rueidis with client-side caching"
	return []target{
		{claim: rate + "share of Gets answered in own memory" + beside, metric: Near, cell: cell, other: strongest, atLeast: true, bound: 1},
		{claim: rate + "p90" + beside, metric: P90, cell: cell, other: strongest, bound: 1},
		{claim: rate + "p99" + beside, metric: P99, cell: cell, other: strongest, bound: 1},
		{claim: rate + "loads" + beside, metric: Loads, cell: cell, other: strongest, bound: 1},
	}
}

// An absolute is a figure of CacheMesh alone.
type absolute struct {
	claim  string
	metric Metric
	cell   string
	system string
	bound  float64 // at most
}

var absolutes = []absolute{
	{"local hit, allocations", Allocs, "local", baseline, 0},
	{"local hit of a struct, allocations", Allocs, "local", "cachemesh-struct", 0},
	{"remote hit of 128 B, 64 callers, allocations", Allocs, "remote-128-64", baseline, 3},
	{"storm of misses, loads per key", PerKey, "storm", baseline, 1},
	{"bytes beside the value of a 128 B entry, resident", func(s *Sample) float64 { return s.Resident - 128 }, "memory", baseline, 300},
	{"bytes beside the value of a 128 B entry, live heap", func(s *Sample) float64 { return s.Heap - 128 }, "memory", baseline, 300},
	{"mixed work, stale answers", Stale, "mixed", baseline, 0},
	{"mixed work half a millisecond away, stale answers", Stale, "mixed-far", baseline, 0},
	{"500 a second, stale answers", Stale, "paced-500", baseline, 0},
	{"3000 a second, stale answers", Stale, "paced-3000", baseline, 0},
	{"20000 a second, stale answers", Stale, "paced-20000", baseline, 0},
}

// noise is what counts as none of a figure that background work adds to.
const noise = 0.01

// targets writes what was aimed for and what was reached.
func (d *Document) targets(b *strings.Builder) {
	b.WriteString("\n## What it is meant to reach\n\n")
	t := newTable(b, "", "aim", "measured", "")
	for _, x := range targets {
		over, system := x.over, x.system
		if over == "" {
			over = x.cell
		}
		if system == "" {
			system = baseline
		}
		if r := d.Samples.Compare(x.metric, x.cell, system, over, x.other); r.Rounds > 0 {
			t.row(x.claim, bound(x.atLeast, x.bound)+"×", times(r), verdict(x.atLeast, r.Median, x.bound))
		}
	}
	for _, x := range absolutes {
		if !d.has(x.cell) || len(d.Samples.Of(x.cell, x.system)) == 0 {
			continue
		}
		got := d.Samples.Median(x.cell, x.system, x.metric)
		t.row(x.claim, bound(false, x.bound), "**"+digits(got)+"**", verdict(false, got-noise, x.bound))
	}
	for _, other := range []string{"otter v2"} {
		if lead, ok := d.worstLead(other); ok {
			t.row("hit ratio beside "+other+", points, worst of all traces and capacities", "≥ -2", fmt.Sprintf("**%+.1f**", lead), verdict(true, lead, -2))
		}
	}
}

func bound(atLeast bool, x float64) string {
	if atLeast {
		return "≥ " + digits(x)
	}
	return "≤ " + digits(x)
}

// verdict says whether a bound was kept, and by how much it was not.
func verdict(atLeast bool, got, bound float64) string {
	switch {
	case atLeast && got >= bound, !atLeast && got <= bound:
		return "reached"
	case bound == 0:
		return "missed"
	}
	return fmt.Sprintf("missed by %.0f %%", 100*max(1-got/bound, got/bound-1))
}

// Needs returns the cells and the systems that the aims compare.
func Needs() (pairs [][2]string) {
	for _, x := range targets {
		system, over := x.system, x.over
		if system == "" {
			system = baseline
		}
		if over == "" {
			over = x.cell
		}
		pairs = append(pairs, [2]string{x.cell, system}, [2]string{over, x.other})
	}
	for _, x := range absolutes {
		pairs = append(pairs, [2]string{x.cell, x.system})
	}
	return pairs
}
