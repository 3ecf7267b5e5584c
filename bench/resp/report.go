package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// report returns the tables: rates, and ratios that were taken within a round.
func report(o options, cells []*cell) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The program beside Redis

Measured with %s in `+"`bench/`"+`: %d rounds, %d connections, values of %d B, %d keys; Go %s on %s/%s, %d cores that servers and callers share.
**Read the ratios.** All systems of a row are asked in every round, in an order that changes; a ratio is taken within a round. Given are the
median and, in brackets, the least and the greatest; rates are medians.

`, "`go run ./resp`", o.rounds, o.parallel, size, keys, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	first := ""
	for _, c := range cells {
		if len(c.rounds) == 0 {
			continue
		}
		if head := heading(c); head != first {
			first = head
			b.WriteString(explain(c) + head)
		}
		beside := c.systems[0].name
		row := "| " + c.name
		for i, s := range c.systems {
			var rates, ratios []float64
			for _, r := range c.rounds {
				rates, ratios = append(rates, r[s.name]), append(ratios, r[s.name]/r[beside])
			}
			row += fmt.Sprintf(" | %.0f k/s", median(rates)/1000)
			if i > 0 {
				row += fmt.Sprintf(", **%.2f×** (%.2f–%.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
			}
			if c.aim > 0 && s.name == "cachemesh" {
				row += fmt.Sprintf(", aim ≥ %.2f×: %s", c.aim, map[bool]string{true: "reached", false: "missed"}[median(ratios) >= c.aim])
			}
		}
		b.WriteString(row + " |\n")
	}
	return b.String()
}

func heading(c *cell) string {
	head, line := "| ", "|---"
	for _, s := range c.systems {
		head += " | " + s.name
		line += "|--:"
	}
	return head + " |\n" + line + "|\n"
}

func explain(c *cell) string {
	if c.aim > 0 {
		return "## One server, by redis-benchmark\n\nThe member is alone, so it owns all keys. redcon serves from a map under a lock.\n\n"
	}
	return "\n## Three, keys that the one that is asked does not own\n\nAll connections of the mesh go to one member, which asks the owners of the keys; those of the Redis Cluster go to the" +
		" server that has\nthe key, as clients do that know all servers and their slots. Both are asked by a caller that only writes and reads bytes.\n" +
		"Hot copies, the default, keep what is read often at the member that is asked, and no read is stale for that.\n\n"
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
