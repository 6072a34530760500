package review

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Candidates are the backends that would take a volume of 1 GiB of a type now.
type Candidates struct {
	Type    string    `json:"type"`
	Fit     []string  `json:"fit"` // best first
	Refused []Refusal `json:"refused"`
}

// Refusal is why one backend would not.
type Refusal struct {
	Backend string `json:"backend"`
	Filter  string `json:"filter"`
	Reason  string `json:"reason"`
}

// judge asks about types on one set of reports.
type judge struct {
	engine   *placement.Engine
	snapshot *placement.Snapshot
	live     []string
}

// Types judges volume types on reports, with the engine of the cloud's own
// filters and weighers: what fits now, which extra specs can never be met, and
// which thresholds on live metrics exclude everything, or soon will. A type
// whose decision fails, as it would in Cinder, has findings and no candidates.
func Types(engine *placement.Engine, reports []capability.Report, types []cinder.VolumeType) ([]Candidates, []Finding) {
	j := &judge{engine: engine, snapshot: cinder.NewSnapshot(reports), live: cinder.LiveKeys()}
	if _, err := j.decide(nil); err != nil {
		return nil, []Finding{schedulerFails("every type", err)}
	}
	var all []Candidates
	var found []Finding
	for i := range types {
		d, err := j.decide(&types[i])
		of := j.review(&types[i])
		switch {
		case Count(of, Error) > 0 || slices.ContainsFunc(of, isForeign):
		case err != nil:
			of = append(of, schedulerFails("type "+types[i].Name, err))
		case d.Fit == 0:
			of = append(of, noCandidate(types[i].Name, d))
		}
		if err == nil {
			all = append(all, candidates(types[i].Name, d))
		}
		found = append(found, of...)
	}
	return all, found
}

// schedulerFails is about a report or a type on which the scheduler stumbles.
func schedulerFails(where string, err error) Finding {
	return Finding{
		Severity: Error, Topic: TypeTopic, Code: "scheduler-fails", Where: where,
		What: "no decision can be made: " + err.Error(),
		Why:  "the filter or weigher stops with an exception in Cinder too, and no volume can be created while that is so",
		Do:   "poolcast --dry-run shows the values; poolcast place shows the failure again",
	}
}

func (j *judge) decide(t *cinder.VolumeType) (*placement.Decision, error) {
	d, err := j.engine.DecideOn(j.snapshot, &cinder.Request{Size: 1, Type: t})
	if errors.Is(err, placement.ErrNoPool) {
		err = nil
	}
	return d, err
}

func candidates(name string, d *placement.Decision) Candidates {
	c := Candidates{Type: name, Fit: []string{}, Refused: []Refusal{}}
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		backend := backendName(v.Backend.Report())
		if v.Fits() {
			c.Fit = append(c.Fit, backend)
			continue
		}
		c.Refused = append(c.Refused, Refusal{Backend: backend, Filter: v.RefusedBy, Reason: v.Reason()})
	}
	return c
}

func noCandidate(name string, d *placement.Decision) Finding {
	return Finding{
		Severity: Error, Topic: TypeTopic, Code: "type-no-candidate", Where: "type " + name,
		What: "no backend takes a volume of 1 GiB now: " + (&placement.NoPoolError{Decision: d}).Error(),
		Why:  "every create with this type ends in \"No valid backend was found\"",
		Do:   "poolcast place --size 1 --types FILE --type " + name + " explains each refusal",
	}
}

// review judges each extra spec of a type.
func (j *judge) review(t *cinder.VolumeType) []Finding {
	found := Condensed(*t)
	broken := func(key string) bool {
		return slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.What, fmt.Sprintf("%q", key)) })
	}
	eligible, err := j.decide(j.withoutLive(t))
	if err != nil {
		eligible = nil // some condition breaks the decision, and says so below
	}
	for _, spec := range t.ExtraSpecs {
		path, asked := capabilityPath(spec.Key)
		if !asked || broken(spec.Key) {
			continue
		}
		c := j.condition(t.Name, spec, path)
		found = append(found, c.review(eligible)...)
	}
	return found
}

// withoutLive is the type without its conditions on live metrics.
func (j *judge) withoutLive(t *cinder.VolumeType) *cinder.VolumeType {
	rest := &cinder.VolumeType{Name: t.Name}
	for _, spec := range t.ExtraSpecs {
		path, asked := capabilityPath(spec.Key)
		if !asked || !slices.Contains(j.live, path[0]) {
			rest.ExtraSpecs = append(rest.ExtraSpecs, spec)
		}
	}
	return rest
}

// capabilityPath is the path of keys that CapabilitiesFilter follows for an
// extra spec; it is not asked about one with another scope
// (cinder/scheduler/filters/capabilities_filter.py).
func capabilityPath(key string) (path []string, asked bool) {
	path = strings.Split(key, ":")
	if len(path) == 1 {
		return path, true
	}
	return path[1:], path[0] == "capabilities"
}

// Condensed finds extra specs that were stored from a condensed condition, such
// as capabilities:total_volumes<=800: the openstack client cuts it at the first
// equals sign, and what is stored is met by no backend.
func Condensed(t cinder.VolumeType) []Finding {
	var found []Finding
	for _, s := range t.ExtraSpecs {
		key := strings.TrimRight(s.Key, "<>!= ")
		if key == s.Key || s.Value == nil {
			continue
		}
		operator := strings.TrimSpace(s.Key[len(key):]) + "="
		found = append(found, Finding{
			Severity: Error, Topic: TypeTopic, Code: "type-condensed", Where: "type " + t.Name,
			What: fmt.Sprintf("the extra spec %q with the value %q was meant as a condition, and no backend meets it", s.Key, *s.Value),
			Why:  "the openstack client cuts a property at its first equals sign, so the operator became a part of the key",
			Do: fmt.Sprintf("openstack volume type unset --property %s %s; openstack volume type set --property %s %s",
				quoted(s.Key), t.Name, quoted(key+"="+operator+" "+*s.Value), t.Name),
		})
	}
	return found
}

func isForeign(f Finding) bool { return f.Code == "type-of-others" }
