package status

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The size of a sparkline in its own units; the style sheet decides how large
// it is on the page.
const (
	sparkWidth  = 120.0
	sparkHeight = 24.0
)

// sparkline draws one series of the history as an inline SVG. A reading without
// the value leaves a gap: a line drawn through it would be an invention.
func sparkline(history []Point, series, label string) template.HTML {
	values, top, last := seriesOf(history, series)
	if math.IsNaN(last) {
		return `<span class="none">no data yet</span>`
	}
	var paths strings.Builder
	pen := "M"
	for i, v := range values {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		x, y := sparkPoint(i, len(values), v, top)
		fmt.Fprintf(&paths, "%s%.1f %.1f", pen, x, y)
		pen = "L"
		if i == len(values)-1 || math.IsNaN(values[i+1]) {
			paths.WriteString("h0.1") // a reading between two gaps is a dot
		}
	}
	title := fmt.Sprintf("%s: now %s, highest %s", label, grouped(last), grouped(top))
	return template.HTML(fmt.Sprintf(
		`<svg class="spark" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s" preserveAspectRatio="none"><title>%s</title><path d="%s"/></svg>`,
		sparkWidth, sparkHeight, template.HTMLEscapeString(title), template.HTMLEscapeString(title), paths.String()))
}

func sparkPoint(i, n int, v, top float64) (x, y float64) {
	if n > 1 {
		x = float64(i) / float64(n-1) * (sparkWidth - 2)
	}
	y = sparkHeight - 2
	if top > 0 {
		y -= v / top * (sparkHeight - 4)
	}
	return x + 1, y
}

// seriesOf picks one series; last is its newest reading, NaN if there is none.
func seriesOf(history []Point, series string) (values []float64, top, last float64) {
	last = math.NaN()
	for _, p := range history {
		v := map[string]float64{
			"operations": p.Operations, "bandwidth": p.BytesPerSec, "read": p.ReadUsec, "write": p.WriteUsec,
		}[series]
		values = append(values, v)
		if !math.IsNaN(v) {
			top, last = max(top, v), v
		}
	}
	return values, top, last
}
