package render

import (
	"io"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
)

// Answer prints what cinder-api and the scheduler do with a request, in one of the
// formats table, wide and json.
func Answer(w io.Writer, output string, a *decision.Answer) error {
	now := time.Now()
	switch {
	case output == "json" && len(a.Decisions) > 1:
		return JSON(w, jsonDecisions(a, now))
	case output == "json":
		return JSON(w, a.JSON(now))
	}
	p := newPage(w, output)
	switch {
	case a.Refusal != nil:
		addWrapped(p, text.Red, a.Summary())
	case a.Move != nil:
		addMove(p, a)
	default:
		addDecisions(p, a.Decisions)
	}
	addNotes(p, a.Notes)
	addSource(p, a.Backends)
	return p.Print()
}

// addNotes adds remarks on the request.
func addNotes(p *text.Page, notes []string) {
	for i, note := range notes {
		if i == 0 {
			p.Line("")
		}
		for _, line := range text.Wrap("note: "+note, p.Width) {
			p.Line("%s", text.Printable(line))
		}
	}
}

// addWrapped adds a text in one colour.
func addWrapped(p *text.Page, color text.Color, line string) {
	for _, l := range text.Wrap(line, p.Width) {
		p.Line("%s", p.Paint(color, l))
	}
}

// addMove adds the result for a volume that exists, and then that for each backend
// that the question is about.
func addMove(p *text.Page, a *decision.Answer) {
	color := text.Red
	if a.Fits() {
		color = text.Green
	}
	addWrapped(p, color, a.Summary())
	p.Line("")
	addVerdicts(p, a.Move.Verdicts)
}
