package report

import (
	"fmt"
	"strings"
)

// charts draws what the samples suffice for.
func (d *Document) charts() []chart {
	var out []chart
	add := func(section, cell, title, subtitle string, m Metric, format func(float64) string, descending bool) {
		var rows []bar
		for _, name := range d.Samples.Systems(cell, m, descending) {
			v := d.Samples.Median(cell, name, m)
			rows = append(rows, bar{d.title(name), format(v), v, strings.HasPrefix(name, baseline)})
		}
		if len(rows) > 1 {
			out = append(out, chart{section, cell + ".svg", title, bars(title, subtitle, rows)})
		}
	}
	add("local", "local", "Hit in the caller's own memory", "time of a Get, 128 B; shorter is better", PerOp, nanos, false)
	add("remote", "remote-128-64", "Hit in another process's memory", "Gets a second, 128 B, 64 callers; longer is better", Rate, perSecond, true)
	add("remote", "remote-128-1", "Hit in another process's memory, one caller", "median time of a Get, 128 B; shorter is better", P50, nanos, false)
	add("getmany", "getmany-16", "100 keys with one call", "keys a second, 128 B, 16 callers; longer is better", Rate, perSecond, true)
	add("write", "set-cold", "Set of a cold key", "Sets a second, 128 B, 64 callers; longer is better", Rate, perSecond, true)
	add("storm", "storm", "192 callers miss the same key", "loads of one key; shorter is better", PerKey, digits, false)
	add("mixed", "mixed", "A service over a database", "operations a second, 1 % writes; longer is better", Rate, perSecond, true)
	add("far", "mixed-far", "The same service, half a millisecond away", "operations a second, 1 % writes; longer is better", Rate, perSecond, true)
	for _, rate := range []string{"500", "3000", "20000"} {
		add("paced-"+rate, "paced-"+rate, rate+" operations a second in each process", "time in which nine tenths of the Gets are answered; shorter is better", P90, nanos, false)
	}
	add("memory", "memory", "Memory of an entry of 128 B", "resident bytes per entry; shorter is better", Resident,
		func(b float64) string { return digits(b) + " B" }, false)
	return append(append(out, d.growthCharts()...), d.hitRatioCharts()...)
}

func (d *Document) growthCharts() []chart {
	if len(d.Growth) == 0 {
		return nil
	}
	var xs []string
	gets, sets, gossip := curve{label: "Get"}, curve{label: "Set"}, curve{label: "gossip"}
	for _, g := range d.Growth {
		var get, set Sample
		get.Fill(merged(g.GetAnywhere), 1)
		set.Fill(merged(g.SetAnywhere), 1)
		xs = append(xs, fmt.Sprint(g.Members))
		gets.ys = append(gets.ys, get.Rate)
		sets.ys = append(sets.ys, set.Rate)
		gossip.ys = append(gossip.ys, g.ByteRate)
	}
	return []chart{
		{"growth", "growth.svg", "Calls a second by members", lines("Calls a second by members", "keys owned by any member, 64 callers in one member", xs, []curve{gets, sets}, perSecond)},
		{"growth", "gossip.svg", "Gossip by members", lines("Gossip by members", "bytes a second that one idle member sends", xs, []curve{gossip}, short)},
	}
}

func (d *Document) hitRatioCharts() []chart {
	var out []chart
	for i, t := range d.Traces {
		var xs []string
		var curves []curve
		for _, p := range d.HitRatio {
			if p.Trace != t.Name {
				continue
			}
			at := indexOf(curves, p.Policy)
			if at < 0 {
				at = len(curves)
				curves = append(curves, curve{label: p.Policy})
			}
			curves[at].ys = append(curves[at].ys, p.Ratio)
			if at == 0 {
				xs = append(xs, fmt.Sprint(p.Capacity))
			}
		}
		title := "Hit ratio, " + t.Name
		percent := func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }
		out = append(out, chart{"hitratio", fmt.Sprintf("hitratio-%d.svg", i+1), title, lines(title, "by capacity in entries", xs, curves, percent)})
	}
	return out
}

func indexOf(curves []curve, label string) int {
	for i := range curves {
		if curves[i].label == label {
			return i
		}
	}
	return -1
}
