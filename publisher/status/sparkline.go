package status

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
)

// The size of a sparkline in its own units; the style sheet decides how large
// it is on the page.
const (
	sparkWidth    = 120
	rowSparkWidth = 40 // in the table, where 200 lines must be small
	sparkHeight   = 24
	// headroom is how far the scale reaches above the highest sample, so that a
	// steady load is not a line along the top edge.
	headroom = 1.25
)

// series is one line of a card.
type series int

const (
	load series = iota
	operations
	bandwidth
	readLatency
	writeLatency
	seriesCount
)

func (s series) of(p Point) float64 {
	return [seriesCount]float64{p.LoadPercent, p.Operations, p.BytesPerSec, p.ReadUsec, p.WriteUsec}[s]
}

func (s series) label() string {
	return [seriesCount]string{"load", "operations", "bandwidth", "read latency", "write latency"}[s]
}

func (s series) text(v float64) string {
	switch s {
	case load:
		return percentText(v)
	case bandwidth:
		return bytesText(v)
	case readLatency, writeLatency:
		return latencyText(v)
	}
	return grouped(v) + "/s"
}

// least is the lowest top of a scale, so that the noise of an idle array is not drawn
// as peaks.
func (s series) least() float64 {
	return [seriesCount]float64{100, 10, 10e6, 100, 100}[s]
}

// chart is the frame of a pool's sparklines: the time they cover, and for each
// series a scale from zero that is the same for every array.
type chart struct {
	width    int
	from, to time.Time
	top      [seriesCount]float64 // 0 without a sample
}

func newChart(width int, histories [][]Point) chart {
	c := chart{width: width}
	for _, history := range histories {
		for _, p := range history {
			if c.from.IsZero() || p.At.Before(c.from) {
				c.from = p.At
			}
			if p.At.After(c.to) {
				c.to = p.At
			}
			for s := range seriesCount {
				if v := s.of(p); !math.IsNaN(v) {
					c.top[s] = max(c.top[s], v*headroom, s.least())
				}
			}
		}
	}
	for s := range seriesCount {
		c.top[s] = roundUp(c.top[s])
	}
	if c.top[load] > 0 {
		c.top[load] = 100
	}
	return c
}

// roundUp returns the next number that is easy to read on a scale.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if v <= step*unit {
			return step * unit
		}
	}
	return 10 * unit
}

// line is one drawn series with the top of its scale.
type line struct {
	Drawing template.HTML
	Top     string // "" without a sample
}

// begin returns how long ago the lines begin, "" if they show an instant.
func (c chart) begin() string {
	if c.to.Sub(c.from) < time.Second {
		return ""
	}
	return ago(c.to, c.from)
}

// span returns in words which time the lines show.
func (c chart) span() string {
	d := c.to.Sub(c.from)
	switch {
	case d < time.Second:
		return ""
	case d < 2*time.Minute:
		return fmt.Sprintf("the last %.0f seconds", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("the last %.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("the last %.0f hours", d.Hours())
}

// line draws one series of an array's history. A sample without the value leaves a gap.
func (c chart) line(history []Point, s series) line {
	columns, low, high, last := c.columns(history, s)
	if math.IsNaN(last) {
		return line{Drawing: noData}
	}
	title := lineTitle(s, low, high, last) + template.HTMLEscapeString("; scale from 0 to "+s.text(c.top[s]))
	stroke, area := c.paths(columns, s)
	return line{Top: s.text(c.top[s]), Drawing: template.HTML(fmt.Sprintf(
		`<svg class="spark" viewBox="0 0 %d %d" role="img" aria-label="%s" preserveAspectRatio="none"><title>%s</title><path class="area" d="%s"/><path class="base" d="M0 .5H%d M0 %d.5H%d"/><path class="line" d="%s"/></svg>`,
		c.width, sparkHeight, title, title, area, c.width, sparkHeight-1, c.width, stroke))}
}

// small draws only the line, for a row of the table.
func (c chart) small(history []Point, s series) template.HTML {
	columns, low, high, last := c.columns(history, s)
	if math.IsNaN(last) {
		return `<span class="spark"></span>`
	}
	stroke, _ := c.paths(columns, s)
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 %d %d" role="img" aria-label="%s" preserveAspectRatio="none"><path class="line" d="%s"/></svg>`,
		c.width, sparkHeight, lineTitle(s, low, high, last), stroke))
}

const noData template.HTML = `<span class="none">no data yet</span>`

func lineTitle(s series, low, high, last float64) string {
	return template.HTMLEscapeString(fmt.Sprintf("%s: now %s, lowest %s, highest %s", s.label(), s.text(last), s.text(low), s.text(high)))
}

// peak is what a sparkline shows at one x: the highest of the samples there, so
// that no peak is lost.
type peak struct {
	x   float64
	v   float64
	gap bool // the value was not measured; nothing is drawn
}

func (c chart) columns(history []Point, s series) (columns []peak, low, high, last float64) {
	low, high, last = math.Inf(1), math.Inf(-1), math.NaN()
	for _, p := range history {
		v, x := s.of(p), c.x(p.At)
		if math.IsNaN(v) {
			columns = append(columns, peak{x: x, gap: true})
			continue
		}
		low, high, last = min(low, v), max(high, v), v
		if n := len(columns); n > 0 && !columns[n-1].gap && x-columns[n-1].x < 1 {
			columns[n-1].v = max(columns[n-1].v, v)
			continue
		}
		columns = append(columns, peak{x: x, v: v})
	}
	return columns, low, high, last
}

func (c chart) x(at time.Time) float64 {
	span := c.to.Sub(c.from)
	if span <= 0 {
		return float64(c.width - 1)
	}
	return 1 + float64(at.Sub(c.from))/float64(span)*float64(c.width-2)
}

func (c chart) y(v float64, s series) float64 {
	if c.top[s] <= 0 {
		return sparkHeight - 1
	}
	return sparkHeight - 1 - v/c.top[s]*(sparkHeight-2)
}

// paths draws each run between gaps as a line, and as an area down to zero. A
// single sample between two gaps is a dot.
func (c chart) paths(columns []peak, s series) (line, area string) {
	var lines, areas strings.Builder
	for len(columns) > 0 {
		n := 0
		for n < len(columns) && !columns[n].gap {
			n++
		}
		for i, at := range columns[:n] {
			pen := "L"
			if i == 0 {
				pen = "M"
				fmt.Fprintf(&areas, "M%.1f %d", at.x, sparkHeight-1)
			}
			y := c.y(at.v, s)
			fmt.Fprintf(&lines, "%s%.1f %.1f", pen, at.x, y)
			fmt.Fprintf(&areas, "L%.1f %.1f", at.x, y)
		}
		if n > 0 {
			lines.WriteString("h0.1")
			fmt.Fprintf(&areas, "V%dZ", sparkHeight-1)
		}
		columns = columns[min(n+1, len(columns)):]
	}
	return lines.String(), areas.String()
}
