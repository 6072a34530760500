package main

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// answerJSON is a decision as place --output json and /v1/place give it.
type answerJSON struct {
	Request  *cinder.Request       `json:"request"`
	Policy   string                `json:"policy"`
	Chosen   *string               `json:"chosen"` // host@backend#pool, null if none fits
	Fit      int                   `json:"fit"`
	Reason   string                `json:"reason"`
	SetAside []placement.Condition `json:"set_aside"`
	Backends []verdictJSON         `json:"backends"` // best first, then those refused
}

type verdictJSON struct {
	ID      string       `json:"id"`
	Backend string       `json:"backend"`
	Zone    string       `json:"availability_zone"`
	Rank    *int         `json:"rank"` // null if refused
	Tied    bool         `json:"tied"`
	Weight  *float64     `json:"weight"`
	Scores  []scoreJSON  `json:"scores"`
	Refused *refusalJSON `json:"refused"`
}

type scoreJSON struct {
	Weigher    string  `json:"weigher"`
	Raw        float64 `json:"raw"`
	Normalised float64 `json:"normalised"`
	Multiplier float64 `json:"multiplier"`
	Weighted   float64 `json:"weighted"`
	Reason     string  `json:"reason,omitempty"`
}

type refusalJSON struct {
	Filter string `json:"filter"`
	Reason string `json:"reason"`
}

func (a answer) json(policy string) answerJSON {
	out := answerJSON{
		Request: a.request, Policy: policy, Fit: a.decision.Fit, Reason: a.summary(),
		SetAside: a.decision.SetAside, Backends: []verdictJSON{},
	}
	if out.SetAside == nil {
		out.SetAside = []placement.Condition{}
	}
	if c := a.decision.Chosen; c != nil {
		id := c.Backend.ID()
		out.Chosen = &id
	}
	for i := range a.decision.Verdicts {
		out.Backends = append(out.Backends, jsonVerdict(&a.decision.Verdicts[i]))
	}
	return out
}

func jsonVerdict(v *placement.Verdict) verdictJSON {
	r := v.Backend.Report()
	out := verdictJSON{ID: v.Backend.ID(), Backend: r.Name(), Zone: r.Zone, Tied: v.Tied, Scores: []scoreJSON{}}
	if !v.Fits() {
		out.Refused = &refusalJSON{Filter: v.RefusedBy, Reason: v.Reason()}
		return out
	}
	out.Rank, out.Weight = &v.Rank, format.Finite(v.Total)
	for k, s := range v.Scores {
		out.Scores = append(out.Scores, scoreJSON{
			Weigher: s.Weigher, Raw: s.Raw, Normalised: s.Normalised,
			Multiplier: s.Multiplier, Weighted: s.Weighted, Reason: v.ScoreReason(k),
		})
	}
	return out
}

// summary is the answer in a sentence, for people.
func (a answer) summary() string {
	d := a.decision
	if d.Chosen == nil {
		return a.none.Error()
	}
	text := fmt.Sprintf("%s would take it", d.Chosen.Backend.Report().Name())
	switch {
	case d.Fit == 1:
		text += ": no other backend fits"
	case d.Chosen.Tied:
		text += fmt.Sprintf(": it weighs %s, and so does another; the order in which the scheduler heard of them decides", weight(d.Chosen.Total))
	default:
		next := d.Verdicts[1]
		text += fmt.Sprintf(": it weighs %s, the next, %s, %s", weight(d.Chosen.Total), next.Backend.Report().Name(), weight(next.Total))
	}
	return text
}

// weight prints a weight in as few digits as tell it from another.
func weight(w float64) string { return format.Significant(w, 4) }
