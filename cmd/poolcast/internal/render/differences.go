package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/check"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

// diffJSON is what diff --output json prints.
type diffJSON struct {
	Backends []check.BackendDiff `json:"backends"`
	Effects  []advice.Effect     `json:"effects"` // null if the base has too few keys
	LeftOut  []placement.LeftOut `json:"left_out"`
	Notes    []string            `json:"notes,omitempty"`
}

// Difference prints a difference in one of the formats table, wide and json.
func Difference(w io.Writer, output string, d *check.Difference) error {
	if output == "json" {
		return JSON(w, diffJSON{Backends: d.Backends, Effects: d.Effects, LeftOut: append([]placement.LeftOut{}, d.LeftOut...), Notes: d.Notes})
	}
	p := newPage(w, output)
	addWrapped(p, diffColor(d), diffHeadline(d))
	for _, l := range d.LeftOut {
		p.Wrapped("", l.String())
	}
	addEffects(p, d.Effects)
	addNotes(p, d.Notes)
	if !d.Partial {
		p.Line("")
		p.Tables(virtualTable(d.Backends))
	}
	addStates(p, d.Backends)
	if keys := changedKeys(d.Backends); len(keys) > 0 {
		p.Line("")
		p.Tables(keyTable(keys, d.Backends))
	}
	return p.Print()
}

// diffColor is yellow if the reports of a backend are not published, or decisions change.
func diffColor(d *check.Difference) text.Color {
	switch {
	case d.Partial:
		return text.Plain
	case changedEffects(d) > 0 || slices.ContainsFunc(d.Backends, func(b check.BackendDiff) bool { return b.Suspended != nil }):
		return text.Yellow
	}
	return text.Green
}

func changedEffects(d *check.Difference) int {
	changed := 0
	for _, e := range d.Effects {
		if !e.Same() {
			changed++
		}
	}
	return changed
}

// diffHeadline is whether volumes would go elsewhere.
func diffHeadline(d *check.Difference) string {
	keys, overlaid := map[string]bool{}, 0
	var suspended []string
	for _, b := range d.Backends {
		switch {
		case b.Suspended != nil:
			suspended = append(suspended, fmt.Sprintf("%s is suspended (%s)", b.Backend, b.Suspended.Cause))
		case b.HasBase:
			overlaid++
		}
		for _, c := range b.Changes {
			if c.Sent {
				keys[c.Key] = true
			}
		}
	}
	summary := fmt.Sprintf("%s would be overlaid on the reports of %s", format.Count(len(keys), "key"), format.Count(overlaid, "backend"))
	if len(suspended) > 0 {
		summary = suspendedText(suspended, overlaid, summary)
	}
	switch changed := changedEffects(d); {
	case d.Partial:
		return summary + "; the base has too few keys to decide on"
	case changed > 0:
		return fmt.Sprintf("%s; %d of %d decisions would change", summary, changed, len(d.Effects))
	case len(suspended) > 0:
		return summary
	}
	return summary + "; the scheduler would decide as before"
}

// suspendedText adds the backends whose reports would not be published.
func suspendedText(suspended []string, overlaid int, summary string) string {
	pronoun := "it"
	if len(suspended) > 1 {
		pronoun = "them"
	}
	reason := format.List(suspended) + ", so nothing would be published of " + pronoun
	if overlaid == 0 {
		return reason
	}
	return summary + "; " + reason
}

func addEffects(p *text.Page, effects []advice.Effect) {
	var tables []*text.Table
	for _, e := range effects {
		mark := "as before"
		if !e.Same() {
			mark = p.Paint(text.Yellow, "changes")
		}
		t := text.NewTable("  BACKEND", "BEFORE>", "AFTER>", "~").Title("", p.Paint(text.Bold, e.Question)+": "+mark)
		for _, a := range e.After {
			was, ok := resultOf(e.Before, a.Backend)
			t.Add("  "+a.Backend, rankText(was, ok), rankText(a, true), refusals(was, a))
		}
		tables = append(tables, t)
	}
	p.Tables(tables...)
}

func resultOf(all []advice.Result, backend string) (advice.Result, bool) {
	i := slices.IndexFunc(all, func(a advice.Result) bool { return a.Backend == backend })
	if i < 0 {
		return advice.Result{}, false
	}
	return all[i], true
}

func rankText(a advice.Result, known bool) string {
	switch {
	case !known:
		return "unknown"
	case a.Rank == 0:
		return "refused"
	}
	return strconv.Itoa(a.Rank)
}

func refusals(was, will advice.Result) string {
	switch {
	case will.Refused == "" && was.Refused == "":
		return ""
	case will.Refused == "":
		return "was refused by " + was.Refused
	}
	return will.Refused
}

func virtualTable(backends []check.BackendDiff) *text.Table {
	t := text.NewTable("VIRTUAL FREE GiB", "BEFORE>", "AFTER>")
	for _, b := range backends {
		t.Add(b.Backend, wholeOrMissing(b.Before), wholeOrMissing(b.After))
	}
	return t
}

// addStates adds a line for each backend of which no key is compared, or nothing
// would be published.
func addStates(p *text.Page, backends []check.BackendDiff) {
	first := true
	for _, b := range backends {
		state := backendState(&b)
		if state == "" {
			continue
		}
		if first {
			p.Line("")
			first = false
		}
		p.Wrapped("", b.Host+": "+state)
	}
}

func backendState(b *check.BackendDiff) string {
	switch {
	case b.Suspended != nil:
		return fmt.Sprintf("suspended, %s: %s; nothing would be published, the schedulers use the report of cinder-volume", b.Suspended.Cause, b.Suspended.Detail)
	case b.Complete:
		return "no base report: overlay is off, and a complete report would be published"
	case !b.HasBase:
		return "no base report, and nothing is published without one"
	case len(b.Changes) == 0:
		return "no difference"
	}
	return ""
}

// maxValue is the length to which functions and lists are cut.
const maxValue = 44

// changedKeys are the keys that differ in any backend, sorted.
func changedKeys(backends []check.BackendDiff) []string {
	keys := map[string]bool{}
	for _, b := range backends {
		for _, c := range b.Changes {
			keys[c.Key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// keyTable has a row for each key of each backend. What is the same for all backends
// is in the first row of a key.
func keyTable(keys []string, backends []check.BackendDiff) *text.Table {
	t := text.NewTable("KEY", "BACKEND", "", "BASE~", "OURS~", "UNIT", "SENT", "SOURCE~").
		MayHide("SOURCE", "UNIT", "SENT")
	for _, key := range keys {
		name := key
		for _, b := range backends {
			i := slices.IndexFunc(b.Changes, func(c advice.KeyChange) bool { return c.Key == key })
			if i < 0 {
				continue
			}
			c, source := b.Changes[i], ""
			if name != "" {
				source = c.Source
			}
			t.Add(name, b.Backend, sign(c.Change), valueCell(c.Old), valueCell(c.New), c.Unit, sentText(c), short(source))
			name = ""
		}
	}
	return t
}

func sign(c advice.Change) string {
	return map[advice.Change]string{advice.Added: "+", advice.Changed: "~", advice.Missing: "-"}[c]
}

// valueCell prints a value with at most eight significant digits.
func valueCell(v *capability.Value) string {
	if v == nil {
		return ""
	}
	if f, ok := v.Float(); ok && v.Kind() == capability.Float {
		return format.Significant(f, 8)
	}
	return short(v.String())
}

func short(s string) string {
	return format.Shorten(strings.Join(strings.Fields(format.Printable(s)), " "), maxValue)
}

func sentText(c advice.KeyChange) string {
	switch {
	case c.Change == advice.Missing:
		return "unchanged"
	case c.Sent:
		return "yes"
	case c.Change == advice.Added:
		return "not added"
	}
	return "no"
}
