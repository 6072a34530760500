package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// addDecisions adds one decision, or how many volumes each backend took and the last
// decision of several.
func addDecisions(p *text.Page, decisions []*placement.Decision) {
	if len(decisions) > 1 {
		p.Table(placedTable(decisions))
		p.Line("\nThe last of %d decisions:", len(decisions))
	}
	addDecision(p, decisions[len(decisions)-1])
}

// decisionsJSON are several decisions.
type decisionsJSON struct {
	Placed    map[string]int           `json:"placed"` // volumes by backend ID
	Decisions []placement.DecisionJSON `json:"decisions"`
	Notes     []string                 `json:"notes,omitempty"`
	Source    client.Source            `json:"source"`
}

func jsonDecisions(a *decision.Answer, now time.Time) decisionsJSON {
	return decisionsJSON{Placed: placed(a.Decisions), Decisions: a.JSONs(), Notes: a.Notes, Source: a.Backends.JSON(now)}
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

func placedTable(decisions []*placement.Decision) *text.Table {
	t := text.NewTable("BACKEND", "VOLUMES>")
	counts := placed(decisions)
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		t.Add(id, strconv.Itoa(counts[id]))
	}
	return t
}

// addDecision adds the summary and then the result for each backend.
func addDecision(p *text.Page, d *placement.Decision) {
	color := text.Red
	if d.Chosen != nil {
		color = text.Green
	}
	addWrapped(p, color, d.Summary())
	for _, c := range d.Relaxed {
		p.Line("%s", text.Printable(c.String()))
	}
	for _, l := range d.LeftOut {
		p.Line("%s", p.Paint(text.Yellow, text.Printable(l.String())))
	}
	p.Line("")
	nameWidth := 0
	for i := range d.Verdicts {
		nameWidth = max(nameWidth, utf8.RuneCountInString(text.Cell(d.Verdicts[i].Backend.Name())))
	}
	for i := range d.Verdicts {
		addVerdict(p, &d.Verdicts[i], nameWidth)
	}
}

// addVerdict adds rank, name and total, and beside them the lines of the verdict.
func addVerdict(p *text.Page, v *placement.Verdict, nameWidth int) {
	rank, total := "-", ""
	if v.Fits() {
		rank, total = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	}
	if v.Tied {
		total += " tie"
	}
	const rankWidth, totalWidth = 3, 10
	head := fmt.Sprintf("%*s %-*s  %-*s  ", rankWidth, rank, nameWidth, text.Cell(v.Backend.Name()), totalWidth, total)
	indent := rankWidth + 1 + nameWidth + 2 + totalWidth + 2
	var lines []string
	for _, line := range v.Lines() {
		lines = append(lines, text.Wrap(line, max(30, p.Width-indent))...)
	}
	if len(lines) == 0 {
		lines = []string{""}
	}
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "refused"); ok && !v.Fits() {
			line = p.Paint(text.Red, "refused") + rest
		}
		p.Line("%s", strings.TrimRight(head+line, " "))
		head = strings.Repeat(" ", indent)
	}
}
