package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A chart is an SVG picture that belongs to a section.
type chart struct{ section, file, title, svg string }

// style is readable on a light and on a dark page.
const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #656d76 }
.title { font-weight: 600 }
.axis { stroke: #8c959f; stroke-width: 1 }
.bar { fill: #8c959f } .own { fill: #0969da }
.l0 { stroke: #0969da } .l1 { stroke: #bc4c00 } .l2 { stroke: #1a7f37 } .l3 { stroke: #8250df }
.line { fill: none; stroke-width: 2.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 }
.bar { fill: #6e7681 } .own { fill: #4493f8 }
.l0 { stroke: #4493f8 } .l1 { stroke: #f0883e } .l2 { stroke: #3fb950 } .l3 { stroke: #ab7df8 }
}
</style>
`

const (
	chartWidth = 720
	labelWidth = 190
	barHeight  = 20
	barPitch   = 27
	chartHead  = 52
)

// A bar is one line of a bar chart.
type bar struct {
	label, value string
	length       float64
	own          bool
}

// bars draws horizontal bars with lengths in proportion.
func bars(title, subtitle string, rows []bar) string {
	var b strings.Builder
	height := chartHead + barPitch*len(rows) + 8
	open(&b, title, subtitle, height)
	var longest float64
	for _, r := range rows {
		longest = max(longest, r.length)
	}
	room := float64(chartWidth - labelWidth - 100)
	for i, r := range rows {
		y := chartHead + i*barPitch
		class := "bar"
		if r.own {
			class = "bar own"
		}
		width := max(1, r.length/longest*room)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, y+15, html.EscapeString(r.label))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", class, labelWidth, y, width, barHeight)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`+"\n", float64(labelWidth)+width+6, y+15, html.EscapeString(r.value))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func open(b *strings.Builder, title, subtitle string, height int) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n%s",
		chartWidth, height, chartWidth, height, html.EscapeString(title), style)
	fmt.Fprintf(b, `<text class="title" x="8" y="20">%s</text>`+"\n", html.EscapeString(title))
	fmt.Fprintf(b, `<text class="small" x="8" y="38">%s</text>`+"\n", html.EscapeString(subtitle))
}

// A curve is one line of a line chart.
type curve struct {
	label string
	ys    []float64
}

// lines draws curves over points that are spread evenly, from zero up.
func lines(title, subtitle string, xs []string, curves []curve, format func(float64) string) string {
	const left, right, top, bottom = 80, 130, 60, 300
	var b strings.Builder
	open(&b, title, subtitle, bottom+40)
	highest := 0.0
	for _, c := range curves {
		for _, y := range c.ys {
			highest = max(highest, y)
		}
	}
	if highest == 0 {
		highest = 1
	}
	x := func(i int) float64 {
		return left + float64(i)*float64(chartWidth-left-right)/float64(max(len(xs)-1, 1))
	}
	y := func(v float64) float64 { return bottom - v/highest*(bottom-top) }
	fmt.Fprintf(&b, `<path class="axis" fill="none" d="M%d %d V%d H%d"/>`+"\n", left, top, bottom, chartWidth-right)
	for _, share := range []float64{0, 0.5, 1} {
		fmt.Fprintf(&b, `<text class="small" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left-6, y(share*highest)+4, html.EscapeString(format(share*highest)))
	}
	for i, label := range xs {
		fmt.Fprintf(&b, `<text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(i), bottom+18, html.EscapeString(label))
	}
	labels := spread(curves, y)
	for i, c := range curves {
		var points strings.Builder
		for j, v := range c.ys {
			fmt.Fprintf(&points, "%.1f,%.1f ", x(j), y(v))
		}
		fmt.Fprintf(&b, `<polyline class="line l%d" points="%s"/>`+"\n", i%4, strings.TrimSpace(points.String()))
		fmt.Fprintf(&b, `<path class="line l%d" d="M%d %.1f h14"/><text x="%d" y="%.1f">%s</text>`+"\n",
			i%4, chartWidth-right+8, labels[i], chartWidth-right+28, labels[i]+4, html.EscapeString(c.label))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// spread places the curves' labels near their ends, none on another.
func spread(curves []curve, y func(float64) float64) []float64 {
	const apart = 18
	out := make([]float64, len(curves))
	for i, c := range curves {
		at := y(0)
		if len(c.ys) > 0 {
			at = y(c.ys[len(c.ys)-1])
		}
		for j := 0; j < i; j++ {
			if math.Abs(out[j]-at) < apart {
				at, j = out[j]+apart, -1
			}
		}
		out[i] = at
	}
	return out
}

func show(b *strings.Builder, charts []chart, section string) {
	for _, c := range charts {
		if c.section == section {
			fmt.Fprintf(b, "\n![%s](charts/%s)\n", c.title, c.file)
		}
	}
}
