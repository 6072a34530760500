package render

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/check"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// checkJSON is what check --output json prints.
type checkJSON struct {
	Errors   int                 `json:"errors"`
	Warnings int                 `json:"warnings"`
	Notes    int                 `json:"notes"`
	Backends int                 `json:"backends"` // whose reports were checked
	Bus      *busJSON            `json:"bus"`      // null if nothing listened
	Findings []advice.Finding    `json:"findings"`
	Types    []advice.Candidates `json:"types"`
	Source   *client.Source      `json:"source"` // null if nothing but the files was checked
}

type busJSON struct {
	State    string   `json:"state"`
	Listened float64  `json:"listened_seconds"`
	Received []string `json:"received"` // names of the backends that reported
}

// Findings prints the result of a check in one of the formats table, wide and json. The
// table has the verdict first, then the findings by topic, then what fits each type.
func Findings(w io.Writer, output string, r *check.Result) error {
	if output == "json" {
		return JSON(w, jsonFindings(r))
	}
	p := newPage(w, output)
	addFindingHeadline(p, r)
	topic := advice.Topic("")
	for _, f := range r.Findings {
		if f.Topic != topic {
			topic = f.Topic
			p.Line("\n%s", p.Paint(text.Bold, string(topic)))
		}
		addFinding(p, f)
	}
	if len(r.Types) > 0 {
		p.Line("")
		p.Tables(typeTable(r))
	}
	if r.Set != nil {
		addSource(p, r.Set)
	}
	return p.Print()
}

func jsonFindings(c *check.Result) checkJSON {
	out := checkJSON{
		Errors: advice.Count(c.Findings, advice.Error), Warnings: advice.Count(c.Findings, advice.Warning),
		Notes:    advice.Count(c.Findings, advice.Note),
		Findings: c.Findings, Types: c.Types,
	}
	if c.Set != nil {
		source := c.Set.JSON(time.Now())
		out.Backends, out.Source = len(c.Set.Reports), &source
	}
	if out.Findings == nil {
		out.Findings = []advice.Finding{}
	}
	if out.Types == nil {
		out.Types = []advice.Candidates{}
	}
	if c.Bus != nil {
		out.Bus = &busJSON{State: string(c.Bus.Session.State), Listened: c.Bus.Took.Seconds(), Received: slices.AppendSeq([]string{}, maps.Keys(c.Bus.Bases))}
		slices.Sort(out.Bus.Received)
	}
	return out
}

// addFindingHeadline adds the verdict, and what it is based on: beside it, or below it
// if the line would be too long.
func addFindingHeadline(p *text.Page, c *check.Result) {
	var counts, painted []string
	for _, s := range []advice.Severity{advice.Error, advice.Warning, advice.Note} {
		if n := advice.Count(c.Findings, s); n > 0 {
			counts = append(counts, format.Count(n, string(s)))
			painted = append(painted, severity(p, s, format.Count(n, string(s))))
		}
	}
	if counts == nil {
		counts, painted = []string{"nothing found"}, []string{p.Paint(text.Green, "nothing found")}
	}
	verdict, basis := strings.Join(painted, ", "), findingBasis(c)
	if len(strings.Join(counts, ", "))+1+len(basis) <= p.Width {
		p.Line("%s %s", verdict, basis)
		return
	}
	p.Line("%s", verdict)
	p.Wrapped("", basis)
}

// findingBasis is what was checked.
func findingBasis(c *check.Result) string {
	if c.Refused {
		return "(nothing else was checked)"
	}
	basis := []string{"reports of " + format.Count(len(c.Set.Reports), "backend")}
	if len(c.Types) > 0 {
		basis = append(basis, format.Count(len(c.Types), "volume type"))
	}
	if c.Bus != nil {
		basis = append(basis, fmt.Sprintf("reports of %s received on the bus in %s", format.Count(len(c.Bus.Bases), "backend"), c.Bus.Took.Round(100*time.Millisecond)))
	} else {
		basis = append(basis, "the bus was not listened to")
	}
	return "(" + strings.Join(basis, ", ") + ")"
}

func severity(p *text.Page, s advice.Severity, words string) string {
	return p.Paint(map[advice.Severity]text.Color{advice.Error: text.Red, advice.Warning: text.Yellow, advice.Note: text.Cyan}[s], words)
}

const findingIndent = 10

// addFinding adds one finding. What to type stays on one line, so that it can be
// copied.
func addFinding(p *text.Page, f advice.Finding) {
	indent := strings.Repeat(" ", findingIndent)
	p.Line("  %s%s%s", severity(p, f.Severity, string(f.Severity)), indent[2+len(f.Severity):], p.Paint(text.Bold, f.Where))
	p.Wrapped(indent, f.Problem)
	p.Wrapped(indent, "reason: "+f.Reason)
	if f.Fix != "" {
		p.Line("%sfix:    %s", indent, text.Printable(f.Fix))
	}
}

func typeTable(c *check.Result) *text.Table {
	t := text.NewTable("TYPE", "FIT NOW>", "OF>", "FIRST CHOICE")
	for _, candidate := range c.Types {
		first := "-"
		if candidate.First != nil {
			first = *candidate.First
		}
		t.Add(candidate.Type, strconv.Itoa(len(candidate.Fit)), strconv.Itoa(len(candidate.Fit)+len(candidate.Refused)), first)
	}
	return t
}
