package placement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// DecisionJSON is a decision as other programs read it: poolcast place --output
// json prints it, and /v1/place sends it.
type DecisionJSON struct {
	// Request is the request that the engine was given. To read it back as one
	// of package cinder, set it to a *cinder.Request before json.Unmarshal.
	Request  any           `json:"request"`
	Policy   Policy        `json:"policy"`
	Chosen   *string       `json:"chosen"` // ID of the backend, null if none fits
	Fit      int           `json:"fit"`
	Drawn    bool          `json:"drawn"`  // chosen is a matter of chance
	Reason   string        `json:"reason"` // Decision.Summary
	Relaxed  []Condition   `json:"relaxed"`
	LeftOut  []LeftOut     `json:"left_out"` // the decision is incomplete without them
	Backends []VerdictJSON `json:"backends"` // best first, then those refused
	// Notes are remarks on the request, such as where its zone comes from.
	Notes []string `json:"notes,omitempty"`
	// RefusedByAPI is set if cinder-api refuses the request, so that the scheduler
	// is not asked and there are no backends.
	RefusedByAPI *APIRefusalJSON `json:"refused_by_api,omitempty"`
}

// APIRefusalJSON says with which exception cinder-api refuses a request, and why.
type APIRefusalJSON struct {
	Exception string `json:"exception"`
	Reason    string `json:"reason"`
}

// VerdictJSON is the result for one backend in a [DecisionJSON].
type VerdictJSON struct {
	ID      string       `json:"id"`
	Backend string       `json:"backend"`
	Zone    string       `json:"availability_zone"`
	Rank    *int         `json:"rank"` // null if refused
	Tied    bool         `json:"tied"`
	Weight  *float64     `json:"weight"` // null if refused
	Chance  *float64     `json:"chance"` // null if it is not drawn, or not known
	Scores  []ScoreJSON  `json:"scores"`
	Refused *RefusalJSON `json:"refused"`
	// Labels are the numbers that were read, and that cinder.conf sets in place of a
	// measurement, by capability.
	Labels map[string]capability.Label `json:"labels,omitempty"`
}

// ScoreJSON is a [Score] with its reason in a [VerdictJSON].
type ScoreJSON struct {
	Score

	Reason string `json:"reason,omitempty"`
}

// RefusalJSON says which filter refused a backend, and why.
type RefusalJSON struct {
	Filter string `json:"filter"`
	Reason string `json:"reason"`
	// All are every condition that is not met, also of later filters.
	All []Refusal `json:"all"`
}

// JSON returns the whole decision with every reason.
func (d *Decision) JSON() DecisionJSON {
	out := DecisionJSON{
		Request: d.plan.request, Policy: d.policy, Fit: d.Fit, Drawn: d.Drawn, Reason: d.Summary(),
		Relaxed: append([]Condition{}, d.Relaxed...), LeftOut: append([]LeftOut{}, d.LeftOut...),
		Backends: make([]VerdictJSON, len(d.Verdicts)),
	}
	if d.Chosen != nil {
		id := d.Chosen.Backend.ID()
		out.Chosen = &id
	}
	for i := range d.Verdicts {
		out.Backends[i] = d.Verdicts[i].json()
	}
	return out
}

// MarshalJSON writes [Decision.JSON].
func (d *Decision) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // reasons are full of < and >
	err := enc.Encode(d.JSON())
	return bytes.TrimSpace(buf.Bytes()), err
}

func (v *Verdict) json() VerdictJSON {
	b := v.Backend
	out := VerdictJSON{ID: b.ID(), Backend: b.Name(), Zone: b.Report().Zone, Tied: v.Tied, Scores: []ScoreJSON{}}
	if !v.Fits() {
		out.Refused = &RefusalJSON{Filter: v.RefusedBy, Reason: v.Reason(), All: v.Refusals()}
		return out
	}
	rank := v.Rank
	out.Rank, out.Weight, out.Chance = &rank, format.Finite(v.Total), v.Chance
	for k, s := range v.Scores {
		out.Scores = append(out.Scores, ScoreJSON{Score: s, Reason: v.ScoreReason(k)})
	}
	return out
}

// Summary is the decision in one sentence.
func (d *Decision) Summary() string {
	if d.Chosen == nil {
		return (&NoPoolError{Decision: d}).Error()
	}
	text := d.Chosen.Backend.Name() + " would take it"
	switch {
	case d.Drawn && d.Chosen.Chance != nil:
		return fmt.Sprintf("drawn: %s with a chance of %s; %d backends fit", d.Chosen.Backend.Name(), chanceText(*d.Chosen.Chance), d.Fit)
	case d.Drawn:
		return fmt.Sprintf("drawn: %s, whose weight is partly random; %d backends fit", d.Chosen.Backend.Name(), d.Fit)
	case d.Fit == 1:
		return text + ": no other backend fits"
	case d.Chosen.Tied:
		return text + fmt.Sprintf(": it weighs %s, and so does another; the order in which the scheduler received their reports decides",
			FormatWeight(d.Chosen.Total))
	}
	next := &d.Verdicts[1]
	return text + fmt.Sprintf(": it weighs %s, the next, %s, %s", FormatWeight(d.Chosen.Total), next.Backend.Name(), FormatWeight(next.Total))
}

// Lines states the chance of a backend that fits, if it was drawn, and in one line per
// weigher how it came to its total,
// or in one line per condition what refused it: first the filter that did, then
// those that would have.
func (v *Verdict) Lines() []string {
	if !v.Fits() {
		var lines []string
		for _, r := range v.Refusals() {
			lines = append(lines, r.String())
		}
		return lines
	}
	var lines []string
	if v.Chance != nil {
		lines = append(lines, "chance "+chanceText(*v.Chance))
	}
	for k, s := range v.Scores {
		line := fmt.Sprintf("%s %s → %s × %s = %s", s.Weigher,
			FormatWeight(s.Raw), FormatWeight(s.Normalised), FormatWeight(s.Multiplier), FormatWeight(s.Weighted))
		if reason := v.ScoreReason(k); reason != "" {
			line += " (" + reason + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// String is the decision as text: the summary, then the rank, name and total of
// each backend with its lines.
func (d *Decision) String() string {
	var b strings.Builder
	fmt.Fprintln(&b, d.Summary())
	for _, c := range d.Relaxed {
		fmt.Fprintln(&b, c)
	}
	for _, l := range d.LeftOut {
		fmt.Fprintln(&b, l)
	}
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		rank, total := "-", ""
		if v.Fits() {
			rank, total = strconv.Itoa(v.Rank), "  "+FormatWeight(v.Total)
		}
		if v.Tied {
			total += " (tied)"
		}
		fmt.Fprintf(&b, "%3s %s%s\n", rank, v.Backend.ID(), total)
		for _, line := range v.Lines() {
			fmt.Fprintln(&b, "      "+line)
		}
	}
	return b.String()
}

// String says that the condition was removed.
func (c Condition) String() string {
	return "relaxed, no backend meets it: " + c.Filter + ": " + c.Text
}

// FormatWeight prints a weight to 4 digits, or to whole numbers from 1000.
func FormatWeight(w float64) string { return format.Significant(w, 4) }
