package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

// diffJSON is what diff --output json prints.
type diffJSON struct {
	Backends []backendDiff   `json:"backends"`
	Effects  []advice.Effect `json:"effects"` // null if the base has too few keys
}

func (d *difference) print(w io.Writer, output string) error {
	if output == "json" {
		return printJSON(w, diffJSON{Backends: d.backends, Effects: d.effects})
	}
	p := newPainter(w)
	if _, err := fmt.Fprintln(w, d.headline(p)); err != nil {
		return err
	}
	if err := d.printEffects(w, p); err != nil {
		return err
	}
	if err := d.printVirtual(w); err != nil {
		return err
	}
	for _, b := range d.backends {
		if err := b.print(w, p); err != nil {
			return err
		}
	}
	return nil
}

// headline is what an operator wants to know first: whether volumes would go
// elsewhere.
func (d *difference) headline(p painter) string {
	keys, overlaid := map[string]bool{}, 0
	var suspended []string
	for _, b := range d.backends {
		switch {
		case b.Suspended != nil:
			suspended = append(suspended, fmt.Sprintf("%s is suspended (%s)", b.Backend, b.Suspended.Cause))
		case b.Heard:
			overlaid++
		}
		for _, c := range b.Changes {
			if c.Sent {
				keys[c.Key] = true
			}
		}
	}
	text := fmt.Sprintf("%s would be laid over the reports of %s", format.Count(len(keys), "key"), format.Count(overlaid, "backend"))
	if len(suspended) > 0 {
		text = suspendedText(suspended, overlaid, text)
	}
	changed := 0
	for _, e := range d.effects {
		if !e.Same() {
			changed++
		}
	}
	switch {
	case d.partial:
		return text + "; the base has too few keys to decide on"
	case changed == 0 && len(suspended) > 0:
		return p.paint("33", text)
	case changed == 0:
		return p.paint("32", text+"; the scheduler would decide as before")
	}
	return p.paint("33", fmt.Sprintf("%s; %d of %d decisions would change", text, changed, len(d.effects)))
}

// suspendedText adds the backends of which nothing would be sent, or says so
// where there are no others.
func suspendedText(suspended []string, overlaid int, text string) string {
	whose := "it"
	if len(suspended) > 1 {
		whose = "them"
	}
	said := listed(suspended) + ", so nothing would be sent of " + whose
	if overlaid == 0 {
		return said
	}
	return text + "; " + said
}

func (d *difference) printEffects(w io.Writer, p painter) error {
	for _, e := range d.effects {
		mark := "as before"
		if !e.Same() {
			mark = p.paint("33", "changes")
		}
		if _, err := fmt.Fprintf(w, "\n%s: %s\n", p.paint("1", e.Question), mark); err != nil {
			return err
		}
		t := newTable("  BACKEND", "BEFORE>", "AFTER>", "")
		for _, a := range e.After {
			was, ok := answerOf(e.Before, a.Backend)
			t.add("  "+a.Backend, rankText(was, ok), rankText(a, true), refusals(was, a))
		}
		if err := t.print(w); err != nil {
			return err
		}
	}
	return nil
}

func answerOf(all []advice.Result, backend string) (advice.Result, bool) {
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

func (d *difference) printVirtual(w io.Writer) error {
	if d.partial {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	t := newTable("VIRTUAL FREE GiB", "BEFORE>", "AFTER>")
	for _, b := range d.backends {
		t.add(b.Backend, gibText(b.Before), gibText(b.After))
	}
	return t.print(w)
}

func gibText(f *float64) string {
	if f == nil {
		return "-"
	}
	return format.Whole(*f)
}

// maxValue keeps a function or a list from pushing the table off the screen.
const maxValue = 44

func (b *backendDiff) print(w io.Writer, p painter) error {
	if _, err := fmt.Fprintf(w, "\n%s\n", p.paint("1", b.Host)); err != nil {
		return err
	}
	if b.Suspended != nil {
		if _, err := fmt.Fprintf(w, "  suspended, %s: %s\n  nothing would be sent: the report of cinder-volume stands\n", b.Suspended.Cause, b.Suspended.Detail); err != nil {
			return err
		}
	}
	switch {
	case b.Complete:
		_, err := fmt.Fprintln(w, "  nothing to compare with: overlay is off, and the complete report would be sent")
		return err
	case !b.Heard && b.Suspended == nil:
		_, err := fmt.Fprintln(w, "  nothing to compare with, and nothing is sent without a report of cinder-volume")
		return err
	case !b.Heard:
		return nil
	}
	if len(b.Changes) == 0 {
		_, err := fmt.Fprintln(w, "  no difference")
		return err
	}
	t := newTable("  KEY", "", "BASE", "OURS", "UNIT", "SENT", "SOURCE")
	for _, c := range b.Changes {
		t.add("  "+c.Key, sign(c.Change), valueCell(c.Old), valueCell(c.New), c.Unit, sentText(c), short(c.Source))
	}
	return t.print(w)
}

func sign(c advice.Change) string {
	return map[advice.Change]string{advice.Added: "+", advice.Changed: "~", advice.Missing: "-"}[c]
}

// valueCell prints a value in the digits that a person compares.
func valueCell(v *capability.Value) string {
	if v == nil {
		return ""
	}
	if f, ok := v.Float(); ok && v.Kind() == capability.Float {
		return format.Significant(f, 8)
	}
	return short(v.String())
}

func short(text string) string {
	return format.Shorten(strings.Join(strings.Fields(format.Printable(text)), " "), maxValue)
}

func sentText(c advice.KeyChange) string {
	switch {
	case c.Change == advice.Missing:
		return "as it was"
	case c.Sent:
		return "yes"
	case c.Change == advice.Added:
		return "not added"
	}
	return "no"
}
