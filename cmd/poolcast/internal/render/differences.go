package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/check"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/review"
)

// diffJSON is what diff --output json prints.
type diffJSON struct {
	Backends []check.BackendDiff `json:"backends"`
	Effects  []review.Effect     `json:"effects"` // null if the base has too few keys
}

// Difference prints a difference in one of the formats table and json.
func Difference(w io.Writer, output string, d *check.Difference) error {
	if output == "json" {
		return JSON(w, diffJSON{Backends: d.Backends, Effects: d.Effects})
	}
	p := text.NewPainter(w)
	if _, err := fmt.Fprintln(w, diffHeadline(d, p)); err != nil {
		return err
	}
	if err := effectTables(w, d, p); err != nil {
		return err
	}
	if err := virtualTable(w, d); err != nil {
		return err
	}
	for _, b := range d.Backends {
		if err := backendDiff(w, &b, p); err != nil {
			return err
		}
	}
	return nil
}

// diffHeadline is whether volumes would go elsewhere.
func diffHeadline(d *check.Difference, p text.Painter) string {
	keys, overlaid := map[string]bool{}, 0
	var suspended []string
	for _, b := range d.Backends {
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
	summary := fmt.Sprintf("%s would be laid over the reports of %s", text.Plural(len(keys), "key"), text.Plural(overlaid, "backend"))
	if len(suspended) > 0 {
		summary = suspendedText(suspended, overlaid, summary)
	}
	changed := 0
	for _, e := range d.Effects {
		if !e.Same() {
			changed++
		}
	}
	switch {
	case d.Partial:
		return summary + "; the base has too few keys to decide on"
	case changed == 0 && len(suspended) > 0:
		return p.Paint(text.Yellow, summary)
	case changed == 0:
		return p.Paint(text.Green, summary+"; the scheduler would decide as before")
	}
	return p.Paint(text.Yellow, fmt.Sprintf("%s; %d of %d decisions would change", summary, changed, len(d.Effects)))
}

// suspendedText adds the backends whose reports would not be sent.
func suspendedText(suspended []string, overlaid int, summary string) string {
	whose := "it"
	if len(suspended) > 1 {
		whose = "them"
	}
	said := text.Listed(suspended) + ", so nothing would be sent of " + whose
	if overlaid == 0 {
		return said
	}
	return summary + "; " + said
}

func effectTables(w io.Writer, d *check.Difference, p text.Painter) error {
	for _, e := range d.Effects {
		mark := "as before"
		if !e.Same() {
			mark = p.Paint(text.Yellow, "changes")
		}
		if _, err := fmt.Fprintf(w, "\n%s: %s\n", p.Paint(text.Bold, e.Question), mark); err != nil {
			return err
		}
		t := text.NewTable("  BACKEND", "BEFORE>", "AFTER>", "")
		for _, a := range e.After {
			was, ok := answerOf(e.Before, a.Backend)
			t.Add("  "+a.Backend, rankText(was, ok), rankText(a, true), refusals(was, a))
		}
		if err := t.Print(w); err != nil {
			return err
		}
	}
	return nil
}

func answerOf(all []review.Answer, backend string) (review.Answer, bool) {
	i := slices.IndexFunc(all, func(a review.Answer) bool { return a.Backend == backend })
	if i < 0 {
		return review.Answer{}, false
	}
	return all[i], true
}

func rankText(a review.Answer, known bool) string {
	switch {
	case !known:
		return "unknown"
	case a.Rank == 0:
		return "refused"
	}
	return strconv.Itoa(a.Rank)
}

func refusals(was, will review.Answer) string {
	switch {
	case will.Refused == "" && was.Refused == "":
		return ""
	case will.Refused == "":
		return "was refused by " + was.Refused
	}
	return will.Refused
}

func virtualTable(w io.Writer, d *check.Difference) error {
	if d.Partial {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	t := text.NewTable("VIRTUAL FREE GiB", "BEFORE>", "AFTER>")
	for _, b := range d.Backends {
		t.Add(b.Backend, gibText(b.Before), gibText(b.After))
	}
	return t.Print(w)
}

func gibText(f *float64) string {
	if f == nil {
		return "-"
	}
	return strconv.FormatFloat(*f, 'f', 0, 64)
}

// maxValue keeps a function or a list from pushing the table off the screen.
const maxValue = 44

func backendDiff(w io.Writer, b *check.BackendDiff, p text.Painter) error {
	if _, err := fmt.Fprintf(w, "\n%s\n", p.Paint(text.Bold, b.Host)); err != nil {
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
	t := text.NewTable("  KEY", "", "BASE", "OURS", "UNIT", "SENT", "SOURCE")
	for _, c := range b.Changes {
		t.Add("  "+c.Key, sign(c.Change), valueCell(c.Old), valueCell(c.New), c.Unit, sentText(c), short(c.Source))
	}
	return t.Print(w)
}

func sign(c review.Change) string {
	return map[review.Change]string{review.Added: "+", review.Changed: "~", review.Missing: "-"}[c]
}

// valueCell prints a value in the digits that a person compares.
func valueCell(v *capability.Value) string {
	if v == nil {
		return ""
	}
	if f, ok := v.Float(); ok && v.Kind() == capability.Float {
		return strconv.FormatFloat(f, 'g', 8, 64)
	}
	return short(v.String())
}

func short(s string) string {
	return capability.Shorten(strings.Join(strings.Fields(capability.Printable(s)), " "), maxValue)
}

func sentText(c review.KeyChange) string {
	switch {
	case c.Change == review.Missing:
		return "as it was"
	case c.Sent:
		return "yes"
	case c.Change == review.Added:
		return "not added"
	}
	return "no"
}
