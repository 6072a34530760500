package status

import (
	"cmp"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Limits are the values from which a figure is marked. If Critical is below Warning,
// the figure falls towards them. The zero value marks nothing.
type Limits struct{ Warning, Critical float64 }

// Thresholds are the limits of the figures on the page.
type Thresholds struct {
	Load        Limits // load_percent
	Latency     Limits // of reads and of writes, in microseconds
	Used        Limits // percent of the capacity
	VirtualFree Limits // percent of the most that virtual free capacity can be
}

// severity is how far a figure is beyond its limits.
type severity int

const (
	unmarked severity = iota
	warning
	critical
)

// String returns the word on the page, which is also the class in the style sheet.
func (s severity) String() string { return [...]string{"", "warning", "critical"}[s] }

// Sign stands before a marked figure, so that it is not marked by colour alone.
func (s severity) Sign() string { return [...]string{"", "!", "!!"}[s] }

// of returns the severity of a figure. NaN, a figure that is not known, has none.
func (l Limits) of(v float64) severity {
	falls := l.Critical < l.Warning
	switch {
	case l == Limits{} || math.IsNaN(v):
		return unmarked
	case !falls && v >= l.Critical, falls && v <= l.Critical:
		return critical
	case !falls && v >= l.Warning, falls && v <= l.Warning:
		return warning
	}
	return unmarked
}

// text returns the limits in words, such as "from 70 and 90 %" or "at most 10 and 5 %".
func (l Limits) text(print func(float64) string, unit string) string {
	word := "from "
	if l.Critical < l.Warning {
		word = "at most "
	}
	return word + print(l.Warning) + " and " + print(l.Critical) + unit
}

// legend is a sentence for each figure that has limits.
func (t Thresholds) legend() string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	var parts []string
	for _, p := range []struct {
		name   string
		limits Limits
		print  func(float64) string
		unit   string
	}{
		{"load", t.Load, number, "\u202f%"},
		{"latency", t.Latency, func(f float64) string { return number(f / 1000) }, "\u202fms"},
		{"used", t.Used, number, "\u202f%"},
		{"virtual free", t.VirtualFree, number, "\u202f%"},
	} {
		if p.limits != (Limits{}) {
			parts = append(parts, p.name+" "+p.limits.text(p.print, p.unit))
		}
	}
	return strings.Join(parts, ", ")
}

// figure is one number of an array, as it is shown. NaN is one that is not known.
type figure struct {
	value    float64
	Text     string
	severity severity
}

// Known reports whether there is a number.
func (f figure) Known() bool { return !math.IsNaN(f.value) }

// Rounded is the number for a <meter>.
func (f figure) Rounded() int { return int(math.Round(f.value)) }

// newFigure compares what is shown: a load of 89.6 that is shown as 90 counts as 90.
func newFigure(v float64, limits Limits, print func(float64) string) figure {
	if math.IsNaN(v) {
		return figure{value: v, Text: none}
	}
	return figure{v, print(v), limits.of(math.Round(v))}
}

// HTML returns the text with the sign and the word of its severity.
func (f figure) HTML() template.HTML {
	text := template.HTMLEscapeString(f.Text)
	if f.severity == unmarked {
		return template.HTML(text)
	}
	return template.HTML(`<span class="` + f.severity.String() + `"><span aria-hidden="true">` + f.severity.Sign() + `&nbsp;</span>` + text +
		`<span class="unseen">, ` + f.severity.String() + `</span></span>`)
}

// condition is the state of an array and of its reports.
type condition struct {
	word     string // such as up, down or stale
	severity severity
}

func (b Backend) condition(now time.Time) condition {
	switch {
	case b.Report == nil && b.Poll.Polls == 0:
		return condition{word: "not polled yet"}
	case !b.Poll.Up:
		return condition{"down", critical}
	case b.Report != nil && b.Report.Status == capability.Stale:
		return condition{"stale", critical}
	case b.Overlay.State == "suspended":
		return condition{"suspended", warning}
	case b.Overlay.undelivered(now) != "":
		return condition{"not publishing", warning}
	case b.Report != nil && b.Report.Status == capability.Partial:
		return condition{"partial", warning}
	case len(b.Details.Problems()) > 0:
		return condition{"array problem", warning}
	}
	return condition{word: "up"}
}

// figures are the numbers that are compared with thresholds, and those beside them.
type figures struct {
	Load, Read, Write, Used, VirtualFree figure
	VirtualShare                         figure // virtual free capacity in percent of its maximum

	Severity severity // the highest of all
	State    string   // such as "up", "critical: down" or "warning: load, used"
	Absent   bool     // the array is down or stale: the numbers are old, and none is marked
}

func newFigures(b Backend, t Thresholds, now time.Time) figures {
	value := func(key string) float64 {
		if f, ok := number(b.Report, key); ok {
			return f
		}
		return math.NaN()
	}
	c := b.condition(now)
	if c.severity == critical {
		t = Thresholds{}
	}
	used, share, virtual := math.NaN(), math.NaN(), math.NaN()
	if b.Report != nil {
		if s, ok := b.Report.Capabilities.UsedShare(); ok {
			used = s * 100
		}
	}
	if b.Space != nil {
		virtual, share = b.Space.VirtualFree, b.Space.virtualShare()
	}
	f := figures{
		Load:         newFigure(value(capability.KeyLoadPercent), t.Load, percentText),
		Read:         newFigure(value(capability.KeyUsecPerRead), t.Latency, latencyText),
		Write:        newFigure(value(capability.KeyUsecPerWrite), t.Latency, latencyText),
		Used:         newFigure(used, t.Used, percentText),
		VirtualShare: newFigure(share, t.VirtualFree, percentText),
		VirtualFree:  newFigure(virtual, Limits{}, gibText),
	}
	f.VirtualFree.severity = f.VirtualShare.severity
	f.Severity, f.State = f.state(c)
	f.Absent = c.severity == critical
	return f
}

// state returns the highest severity with what has it.
func (f figures) state(c condition) (severity, string) {
	most, causes := c.severity, []string{c.word}
	if most == unmarked {
		causes = nil
	}
	for _, one := range []struct {
		name string
		severity
	}{
		{"load", f.Load.severity},
		{"latency", max(f.Read.severity, f.Write.severity)},
		{"used", f.Used.severity},
		{"virtual free", f.VirtualFree.severity},
	} {
		switch cmp.Compare(one.severity, most) {
		case 1:
			most, causes = one.severity, []string{one.name}
		case 0:
			if most != unmarked {
				causes = append(causes, one.name)
			}
		}
	}
	if most == unmarked {
		return most, c.word
	}
	return most, most.String() + ": " + strings.Join(causes, ", ")
}

// virtualShare is the virtual free capacity in percent of what it would be without
// any volume, which is what CapacityFilter compares a request with. Zero if there is
// no room at all.
func (s Space) virtualShare() float64 {
	most := s.virtualCapacity()
	if most <= 0 {
		return min(0, s.VirtualFree)
	}
	return s.VirtualFree / most * 100
}

// virtualCapacity is the virtual free capacity without any volume, in GiB.
func (s Space) virtualCapacity() float64 {
	if !s.Thin {
		return s.Total - s.Reserved
	}
	return (s.Total - s.Reserved) * s.Ratio
}

func percentText(f float64) string { return grouped(f) + "\u202f%" }
