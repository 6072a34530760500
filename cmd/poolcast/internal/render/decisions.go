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
		p.Tables(placedTable(decisions))
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
		p.Wrapped("", c.String())
	}
	for _, l := range d.LeftOut {
		addWrapped(p, text.Yellow, l.String())
	}
	p.Line("")
	addVerdicts(p, d.Verdicts)
}

// besideName is the least width for the lines beside the name of a backend.
const besideName = 38

// addVerdicts adds the result for each backend.
func addVerdicts(p *text.Page, verdicts []placement.Verdict) {
	names := make([]string, len(verdicts))
	for i := range verdicts {
		names[i] = verdicts[i].Backend.Name()
	}
	names = p.Names(names, p.Width-besideName-rankWidth-totalWidth-5)
	width := 0
	for _, name := range names {
		width = max(width, utf8.RuneCountInString(name))
	}
	for i := range verdicts {
		addVerdict(p, &verdicts[i], names[i], width)
	}
}

// The widths of the rank and of the total of a backend.
const rankWidth, totalWidth = 3, 10

// addVerdict adds rank, name and total, and beside them the lines of the verdict.
func addVerdict(p *text.Page, v *placement.Verdict, name string, nameWidth int) {
	rank, total := "-", ""
	if v.Fits() {
		rank, total = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	}
	if v.Tied {
		total += " tie"
	}
	head := fmt.Sprintf("%*s %-*s  %-*s  ", rankWidth, rank, nameWidth, name, totalWidth, total)
	indent := rankWidth + 1 + nameWidth + 2 + totalWidth + 2
	var lines []string
	for _, line := range v.Lines() {
		lines = append(lines, text.Wrap(line, max(besideName, p.Width-indent))...)
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
