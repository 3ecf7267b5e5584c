package report

import (
	"fmt"
	"strings"
)

// perSecond formats a rate.
func perSecond(r float64) string { return short(r) + "/s" }

// short formats a number with three digits that count.
func short(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x >= 1e6:
		return digits(x/1e6) + " M"
	case x >= 1e4:
		return digits(x/1e3) + " k"
	}
	return digits(x)
}

// nanos formats a duration in nanoseconds.
func nanos(ns float64) string {
	switch {
	case ns == 0:
		return "–"
	case ns >= 1e9:
		return digits(ns/1e9) + " s"
	case ns >= 1e6:
		return digits(ns/1e6) + " ms"
	case ns >= 1e3:
		return digits(ns/1e3) + " µs"
	}
	return digits(ns) + " ns"
}

// digits formats a number with three digits that count.
func digits(x float64) string {
	switch {
	case x >= 99.95:
		return fmt.Sprintf("%.0f", x)
	case x >= 9.995:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// share formats a part of a whole; below zero it is not known.
func share(x float64) string {
	if x < 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}

// mebibytes formats a size.
func mebibytes(b float64) string { return digits(b/(1<<20)) + " MiB" }

// times formats a ratio.
func times(r Ratio) string {
	if r.Rounds == 0 {
		return "–"
	}
	return fmt.Sprintf("**%s×** (%s–%s)", digits(r.Median), digits(r.Min), digits(r.Max))
}

// A table writes rows of Markdown.
type table struct {
	b    *strings.Builder
	cols int
}

func newTable(b *strings.Builder, head ...string) table {
	t := table{b, len(head)}
	t.row(head...)
	b.WriteString("|---" + strings.Repeat("|--:", t.cols-1) + "|\n")
	return t
}

func (t table) row(cells ...string) {
	t.b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
