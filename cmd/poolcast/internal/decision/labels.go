package decision

import (
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/fallback"
)

// reads returns the function that lists what the scheduler reads of a report to decide
// on a request.
func (c *Cloud) reads(request *cinder.Request) func(*capability.Report) []string {
	o := Options(c.Scheduler)
	return func(r *capability.Report) []string {
		if len(r.Labels) == 0 {
			return nil
		}
		return cinder.Reads(o, request, r)
	}
}

// LabelNotes are notes on labels of cinder.conf that the scheduler reads to decide on a
// request, on these reports.
func (c *Cloud) LabelNotes(request *cinder.Request, reports []capability.Report) []string {
	return advice.LabelNotes(reports, c.reads(request))
}

// PreferenceLabels are notes on labels of cinder.conf that the functions of a plan read:
// the keys of the conditions, but for those that are translated to measured ones.
func PreferenceLabels(reports []capability.Report, types []cinder.VolumeType, plan *fallback.Plan) []string {
	all := cinder.VolumeType{}
	for _, t := range types {
		if slices.ContainsFunc(plan.Types, func(p fallback.Type) bool { return p.Name == t.Name }) {
			all.ExtraSpecs = append(all.ExtraSpecs, t.ExtraSpecs...)
		}
	}
	keys := slices.DeleteFunc((&cinder.Request{Type: &all}).ConditionKeys(), func(key string) bool {
		k, _ := capability.LookupKey(key)
		return k.OnRequest
	})
	return advice.LabelNotes(reports, func(*capability.Report) []string { return keys })
}

// addLabels adds the notes on the labels that a decision is made on.
func (a *Answer) addLabels(c *Cloud, request *cinder.Request) {
	a.reads = c.reads(request)
	verdicts := a.Last().Verdicts
	if a.Move != nil {
		verdicts = a.Move.Verdicts
	}
	a.Notes = append(a.Notes, c.LabelNotes(request, filtered(verdicts))...)
}

// filtered are the reports of the backends of which capabilities were read: those that
// the scheduler lists, in an acceptable zone.
func filtered(verdicts []placement.Verdict) []capability.Report {
	var reports []capability.Report
	for i := range verdicts {
		if v := &verdicts[i]; v.RefusedBy != ServiceState && v.RefusedBy != cinder.AvailabilityZoneFilter {
			reports = append(reports, *v.Backend.Report())
		}
	}
	slices.SortStableFunc(reports, func(a, b capability.Report) int { return strings.Compare(a.Name(), b.Name()) })
	return reports
}

// json is the form for programs of one decision, with the labels that were read.
func (a *Answer) json(d *placement.Decision) placement.DecisionJSON {
	out := d.JSON()
	for i := range out.Backends {
		if r := d.Verdicts[i].Backend.Report(); a.reads != nil {
			out.Backends[i].Labels = advice.LabelsRead(r, a.reads(r))
		}
	}
	return out
}

// JSONs are the forms for programs of all decisions.
func (a *Answer) JSONs() []placement.DecisionJSON {
	var all []placement.DecisionJSON
	for _, d := range a.Decisions {
		all = append(all, a.json(d))
	}
	return all
}

// withLabels adds to a condition that is not met which of its numbers are labels.
func (c *Cloud) withLabels(request *cinder.Request, r *capability.Report, reason string) string {
	read := c.reads(request)(r)
	labels := advice.LabelsRead(r, read)
	for _, key := range read {
		if l, ok := labels[key]; ok && strings.Contains(reason, key) {
			reason += " (" + advice.LabelText(key, l) + ")"
		}
	}
	return reason
}
