package dashboard

import (
	"fmt"
	"strings"
)

// A chart is layers over time, drawn as SVG. What it shows in numbers is in a table, too.
type chart struct {
	ID, Title string
	About     string // what it shows, for those who do not see it
	Layers    []layer
	Most      string // what its upper edge stands for
	Span      string // how long ago its left edge is
}

// A layer is an area, above those before it.
type layer struct {
	Class, Name string
	Points      string // of an SVG polygon
}

// The size of a chart in its own units, and how many looks are one step of it.
const (
	chartWidth, chartHeight = 600.0, 120.0
	perStep                 = 5
)

// A part is what one layer shows of counts.
type part struct {
	class, name string
	of          func(counts) uint32
}

var answered = []part{
	{"own", "own memory", func(c counts) uint32 { return c.own }},
	{"copy", "copies", func(c counts) uint32 { return c.copied }},
	{"peer", "owner's memory", func(c counts) uint32 { return c.peer }},
	{"miss", "misses", func(c counts) uint32 { return c.miss }},
}

var loaded = []part{
	{"miss", "failed", func(c counts) uint32 { return c.errors }},
	{"own", "loaded", func(c counts) uint32 { return c.loads - min(c.errors, c.loads) }},
}

// draw returns a chart of parts, stacked, a second.
func draw(id, title string, all []counts, parts []part) chart {
	steps := make([]counts, history/perStep)
	for i, c := range all {
		at := len(steps) - 1 - (len(all)-1-i)/perStep
		steps[at] = steps[at].plus(c)
	}
	most := uint32(perStep)
	for _, s := range steps {
		sum := uint32(0)
		for _, p := range parts {
			sum += p.of(s)
		}
		most = max(most, sum)
	}
	c := chart{ID: id, Title: title, Most: rate(float64(most) / perStep), Span: "10 minutes ago"}
	below := make([]float64, len(steps))
	var words []string
	for _, p := range parts {
		var up, down strings.Builder
		total := uint64(0)
		for i, s := range steps {
			x := chartWidth * float64(i) / float64(len(steps)-1)
			y := below[i] + chartHeight*float64(p.of(s))/float64(most)
			fmt.Fprintf(&up, "%.1f,%.1f ", x, chartHeight-y)
			j := len(steps) - 1 - i
			fmt.Fprintf(&down, "%.1f,%.1f ", chartWidth*float64(j)/float64(len(steps)-1), chartHeight-below[j])
			total += uint64(p.of(s))
		}
		for i, s := range steps {
			below[i] += chartHeight * float64(p.of(s)) / float64(most)
		}
		c.Layers = append(c.Layers, layer{p.class, p.name, up.String() + strings.TrimSpace(down.String())})
		words = append(words, fmt.Sprintf("%s %d", p.name, total))
	}
	c.About = title + ", in the last ten minutes: " + strings.Join(words, ", ")
	return c
}

// rate returns a number a second for people.
func rate(perSecond float64) string {
	if perSecond < 10 {
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return fmt.Sprintf("%.0f/s", perSecond)
}
