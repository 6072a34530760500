package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/poolcast/poolcast/collector/placement"
)

// printDecisions writes one decision, or how many volumes each backend took and
// the last decision of several.
func printDecisions(w io.Writer, output string, decisions []*placement.Decision) error {
	last := decisions[len(decisions)-1]
	if output == "json" {
		if len(decisions) == 1 {
			return printJSON(w, last.JSON())
		}
		return printJSON(w, countedJSON(decisions))
	}
	if len(decisions) > 1 {
		if err := printPlaced(w, decisions); err != nil {
			return err
		}
	}
	return printDecision(w, last)
}

// decisionsJSON is the output of --count.
type decisionsJSON struct {
	Placed    map[string]int           `json:"placed"` // volumes by backend ID
	Decisions []placement.DecisionJSON `json:"decisions"`
}

func countedJSON(decisions []*placement.Decision) decisionsJSON {
	out := decisionsJSON{Placed: placed(decisions)}
	for _, d := range decisions {
		out.Decisions = append(out.Decisions, d.JSON())
	}
	return out
}

// placed counts volumes by backend, with those that got none.
func placed(decisions []*placement.Decision) map[string]int {
	counts := map[string]int{}
	for _, d := range decisions {
		for i := range d.Verdicts {
			counts[d.Verdicts[i].Backend.ID()] += 0
		}
		if d.Chosen != nil {
			counts[d.Chosen.Backend.ID()]++
		}
	}
	return counts
}

func printPlaced(w io.Writer, decisions []*placement.Decision) error {
	t := newTable("BACKEND", "VOLUMES>")
	counts := placed(decisions)
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		t.add(id, strconv.Itoa(counts[id]))
	}
	if err := t.print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe last of %d decisions:\n", len(decisions))
	return err
}

// printDecision writes the summary and then the result for each backend.
func printDecision(w io.Writer, d *placement.Decision) error {
	p := newPainter(w)
	lines := []string{p.verdict(d.Chosen != nil, d.Summary())}
	for _, c := range d.Relaxed {
		lines = append(lines, printable(c.String()))
	}
	lines = append(lines, "")
	if _, err := io.WriteString(w, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	width := lineWidth(w)
	nameWidth := 0
	for i := range d.Verdicts {
		nameWidth = max(nameWidth, utf8.RuneCountInString(cell(d.Verdicts[i].Backend.Name())))
	}
	for i := range d.Verdicts {
		if err := p.backend(w, &d.Verdicts[i], nameWidth, width); err != nil {
			return err
		}
	}
	return nil
}

// backend prints rank, name and total, and beside them the lines of the verdict.
func (p painter) backend(w io.Writer, v *placement.Verdict, nameWidth, width int) error {
	rank, total := "-", ""
	if v.Fits() {
		rank, total = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	}
	if v.Tied {
		total += " tie"
	}
	const rankWidth, totalWidth = 3, 10
	head := fmt.Sprintf("%*s %-*s  %-*s  ", rankWidth, rank, nameWidth, cell(v.Backend.Name()), totalWidth, total)
	indent := rankWidth + 1 + nameWidth + 2 + totalWidth + 2
	var lines []string
	for _, text := range v.Lines() {
		lines = append(lines, wrap(text, max(30, width-indent))...)
	}
	if len(lines) == 0 {
		lines = []string{""}
	}
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "refused"); ok && !v.Fits() {
			line = p.paint("31", "refused") + rest
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(head+line, " ")); err != nil {
			return err
		}
		head = strings.Repeat(" ", indent)
	}
	return nil
}

// wrap makes text printable and breaks it at blanks into lines no longer than
// width, where it can.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(printable(text)) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = "  "
		}
		if strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// lineWidth is the terminal's, or 120.
func lineWidth(w io.Writer) int {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 120
}
