package placement

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// Refusal is one condition that a backend does not meet.
type Refusal struct {
	Filter string `json:"filter"`
	Reason string `json:"reason"` // "" if the filter does not explain
	// Later says that the filter comes after the one that refused the backend. The
	// scheduler does not run it on this backend; it would refuse the backend too.
	Later bool `json:"later"`
}

// String is the refusal in one line.
func (r Refusal) String() string {
	text := "refused by " + r.Filter
	if r.Later {
		text = "also: " + r.Filter
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

// laterRefusal is a filter that comes after the one that refused.
type laterRefusal struct {
	filter int   // position in the profile
	err    error // it could not decide
}

// Refusals are all conditions that the backend does not meet: those of the filter that
// refused it, then those of later filters, in the order of the profile. A backend that
// fits has none.
func (v *Verdict) Refusals() []Refusal {
	if v.Fits() {
		return nil
	}
	var all []Refusal
	for _, reason := range v.reasons(int(v.filter)) {
		all = append(all, Refusal{Filter: v.RefusedBy, Reason: reason})
	}
	for _, l := range v.later {
		reasons := []string{fmt.Sprintf("it cannot decide: %v", l.err)}
		if l.err == nil {
			reasons = v.reasons(l.filter)
		}
		for _, reason := range reasons {
			all = append(all, Refusal{Filter: v.decision.names[l.filter].name, Reason: reason, Later: true})
		}
	}
	return all
}

// reasons are what a filter has compared; one empty text if it does not explain.
func (v *Verdict) reasons(filter int) []string {
	plugin := v.decision.plan.filters[filter]
	e, ok := plugin.(AllExplainer)
	if !ok {
		return []string{v.explain(plugin)}
	}
	all := e.ExplainAll(v.decision.plan.request, v.Backend)
	for i := range all {
		all[i] = format.Shorten(all[i], maxReason)
	}
	return all
}

// laterRefusals runs the filters after the one that refused. An error is kept, since the
// scheduler does not run them.
func (p *plan) laterRefusals(b *Backend, refusing int) []laterRefusal {
	var later []laterRefusal
	for k := refusing + 1; k < len(p.filters); k++ {
		if p.filters[k] == nil {
			continue
		}
		if pass, err := p.filters[k].Filter(p.request, b); !pass || err != nil {
			later = append(later, laterRefusal{filter: k, err: err})
		}
	}
	return later
}
