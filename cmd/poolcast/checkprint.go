package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

// checkJSON is what check --output json prints.
type checkJSON struct {
	Errors   int                 `json:"errors"`
	Warnings int                 `json:"warnings"`
	Notes    int                 `json:"notes"`
	Backends int                 `json:"backends"` // of which a report was judged
	Bus      *busJSON            `json:"bus"`      // null if it was not asked
	Findings []advice.Finding    `json:"findings"`
	Types    []advice.Candidates `json:"types"`
}

type busJSON struct {
	State    string   `json:"state"`
	Listened float64  `json:"listened_seconds"`
	Heard    []string `json:"heard"` // names of backends
}

func (c *checkup) print(w io.Writer, output string) error {
	if output == "json" {
		return printJSON(w, c.json())
	}
	return c.printTable(w)
}

func (c *checkup) json() checkJSON {
	out := checkJSON{
		Errors: advice.Count(c.findings, advice.Error), Warnings: advice.Count(c.findings, advice.Warning),
		Notes: advice.Count(c.findings, advice.Note), Backends: len(c.reports),
		Findings: c.findings, Types: c.types,
	}
	if out.Findings == nil {
		out.Findings = []advice.Finding{}
	}
	if out.Types == nil {
		out.Types = []advice.Candidates{}
	}
	if c.bus != nil {
		out.Bus = &busJSON{State: string(c.bus.session.State), Listened: c.bus.took.Seconds(), Heard: sortedKeys(c.bus.bases)}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := slices.Sorted(maps.Keys(m))
	if keys == nil {
		keys = []string{}
	}
	return keys
}

// printTable says the verdict first, then the findings by topic, then what fits
// each type.
func (c *checkup) printTable(w io.Writer) error {
	p := newPainter(w)
	if _, err := fmt.Fprintln(w, c.headline(p)); err != nil {
		return err
	}
	width := lineWidth(w)
	topic := advice.Topic("")
	for _, f := range c.findings {
		if f.Topic != topic {
			topic = f.Topic
			if _, err := fmt.Fprintf(w, "\n%s\n", p.paint("1", string(topic))); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, p.finding(f, width)); err != nil {
			return err
		}
	}
	return c.printTypes(w)
}

// headline is the verdict, and what it is based on.
func (c *checkup) headline(p painter) string {
	var counts []string
	for _, s := range []advice.Severity{advice.Error, advice.Warning, advice.Note} {
		if n := advice.Count(c.findings, s); n > 0 {
			counts = append(counts, p.severity(s, format.Count(n, string(s))))
		}
	}
	text := strings.Join(counts, ", ")
	if text == "" {
		text = p.paint("32", "nothing found")
	}
	if c.refused {
		return text + " (nothing else was looked at)"
	}
	basis := []string{"reports of " + format.Count(len(c.reports), "backend")}
	if len(c.types) > 0 {
		basis = append(basis, format.Count(len(c.types), "volume type"))
	}
	if c.bus != nil {
		basis = append(basis, fmt.Sprintf("%s heard on the bus in %s", format.Count(len(c.bus.bases), "backend"), c.bus.took.Round(100*time.Millisecond)))
	} else {
		basis = append(basis, "the bus was not asked")
	}
	return text + " (" + strings.Join(basis, ", ") + ")"
}

func (p painter) severity(s advice.Severity, text string) string {
	return p.paint(map[advice.Severity]string{advice.Error: "31", advice.Warning: "33", advice.Note: "36"}[s], text)
}

const findingIndent = 10

// finding prints one finding. The fix stays on one line, so that it can be
// copied.
func (p painter) finding(f advice.Finding, width int) string {
	var b strings.Builder
	indent := strings.Repeat(" ", findingIndent)
	head := "  " + p.severity(f.Severity, string(f.Severity)) + strings.Repeat(" ", findingIndent-2-len(f.Severity))
	b.WriteString(head + p.paint("1", f.Where) + "\n")
	for _, text := range []string{f.Problem, "reason: " + f.Reason} {
		for _, line := range wrap(text, max(30, width-findingIndent)) {
			b.WriteString(indent + line + "\n")
		}
	}
	if f.Fix != "" {
		b.WriteString(indent + "fix:    " + printable(f.Fix) + "\n")
	}
	return b.String()
}

func (c *checkup) printTypes(w io.Writer) error {
	if len(c.types) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	t := newTable("TYPE", "FIT NOW>", "OF>", "FIRST CHOICE")
	for _, candidate := range c.types {
		first := "-"
		if len(candidate.Fit) > 0 {
			first = candidate.Fit[0]
		}
		t.add(candidate.Type, strconv.Itoa(len(candidate.Fit)), strconv.Itoa(len(candidate.Fit)+len(candidate.Refused)), first)
	}
	return t.print(w)
}
