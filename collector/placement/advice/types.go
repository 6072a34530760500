package advice

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Candidates are the backends on which a volume of a type can be placed now, in any of
// the type's zones.
type Candidates struct {
	Type string   `json:"type"`
	Fit  []string `json:"fit"` // best first
	// First is the backend of a volume whose request names no zone; null if there is
	// none.
	First   *string   `json:"first_choice"`
	Refused []Refusal `json:"refused"`
}

// Refusal is why a backend is refused.
type Refusal struct {
	Backend string `json:"backend"`
	Filter  string `json:"filter"`
	Reason  string `json:"reason"`
}

// Requests make the request of the scheduler for a small volume of a type, as
// cinder-api does; the type is nil for a volume without one. An error is a refusal of
// cinder-api.
type Requests struct {
	Default func(*cinder.VolumeType) (*cinder.Request, error) // by a user who names no zone
	AnyZone func(*cinder.VolumeType) (*cinder.Request, error) // in any of the type's zones

	Types string // the flag with which poolcast reads the types, for what to type; --types FILE by default
}

// typeChecker checks volume types on one set of reports.
type typeChecker struct {
	engine   *placement.Engine
	snapshot *placement.Snapshot
	requests Requests
	live     []string // the measured keys
}

// Types checks volume types on reports, with the engine of the cloud's own
// filters and weighers: what fits now, which extra specs can never be met, and
// which thresholds on measured keys exclude all backends, or soon will. A type
// whose decision fails, as it would in Cinder, has findings and no candidates.
func Types(engine *placement.Engine, reports []capability.Report, types []cinder.VolumeType, requests Requests) ([]Candidates, []Finding) {
	c := &typeChecker{engine: engine, snapshot: cinder.NewSnapshot(reports), requests: requests, live: cinder.LiveKeys()}
	if _, err := c.decideOn(&cinder.Request{Size: 1}); err != nil {
		return nil, []Finding{schedulerFails("every type", err)}
	}
	var all []Candidates
	var found []Finding
	for i := range types {
		of, candidates := c.examine(&types[i])
		if candidates != nil {
			all = append(all, *candidates)
		}
		found = append(found, of...)
	}
	return all, found
}

// examine returns the findings on one type, and its candidates unless the decision
// fails.
func (c *typeChecker) examine(t *cinder.VolumeType) ([]Finding, *Candidates) {
	request, refused := c.requests.AnyZone(t)
	of := c.check(t)
	if refused != nil {
		return append(of, typeFinding(Error, "type-refused", t.Name, refused.Error(), "no volume of this type can be created",
			"poolcast place --size 1 --types FILE --type "+t.Name+" shows the refusal again")), c.allRefused(t, refused)
	}
	d, err := c.decideOn(request)
	switch {
	case Count(of, Error) > 0 || slices.ContainsFunc(of, isOfOtherBackend):
	case err != nil:
		of = append(of, schedulerFails("type "+t.Name, err))
	case d.Fit == 0:
		of = append(of, typeFinding(Error, "type-no-candidate", t.Name,
			fmt.Sprintf("no backend fits a volume of %d GiB now: %v", request.Size, &placement.NoPoolError{Decision: d}), noBackend,
			"poolcast place --size 1 --types FILE --type "+t.Name+" explains each refusal"))
	}
	if err != nil {
		return of, nil
	}
	candidates := candidates(t.Name, d)
	first, why := c.first(t)
	if candidates.First = first; first == nil && d.Fit > 0 {
		of = append(of, typeFinding(Note, "type-without-default", t.Name, "a request that names no zone finds no backend: "+why,
			"cinder-api then takes default_availability_zone, else storage_availability_zone; the cinder.conf of the API host counts",
			"Set default_availability_zone on the API host and here, or let users name a zone"))
	}
	return of, &candidates
}

// first is the backend for a request that names no zone, or why there is none.
func (c *typeChecker) first(t *cinder.VolumeType) (backend *string, why string) {
	request, err := c.requests.Default(t)
	if err != nil {
		return nil, err.Error()
	}
	d, err := c.decideOn(request)
	if err != nil {
		return nil, err.Error()
	}
	if d.Chosen == nil {
		return nil, d.Summary()
	}
	name := d.Chosen.Backend.Name()
	return &name, ""
}

func (c *typeChecker) allRefused(t *cinder.VolumeType, refused error) *Candidates {
	all := &Candidates{Type: t.Name, Fit: []string{}, Refused: []Refusal{}}
	for i := range c.snapshot.Len() {
		all.Refused = append(all.Refused, Refusal{Backend: c.snapshot.At(i).Name(), Filter: "cinder-api", Reason: refused.Error()})
	}
	return all
}

func typeFinding(s Severity, code, name, problem, reason, fix string) Finding {
	return Finding{Severity: s, Topic: TypeTopic, Code: code, Where: "type " + name, Problem: problem, Reason: reason, Fix: fix}
}

// schedulerFails is about a report or a type with which no decision is possible.
func schedulerFails(where string, err error) Finding {
	return Finding{
		Severity: Error, Topic: TypeTopic, Code: "scheduler-fails", Where: where,
		Problem: "no decision can be made: " + err.Error(),
		Reason:  "the filter or weigher stops with an exception in Cinder too, and no volume can be created until this is fixed",
		Fix:     "poolcast --dry-run shows the values; poolcast place shows the failure again",
	}
}

func (c *typeChecker) decideOn(request *cinder.Request) (*placement.Decision, error) {
	d, err := c.engine.DecideOn(c.snapshot, request)
	if errors.Is(err, placement.ErrNoPool) {
		err = nil
	}
	return d, err
}

// eligible is the decision without the conditions on measured keys; nil if none is
// possible.
func (c *typeChecker) eligible(t *cinder.VolumeType) *placement.Decision {
	request, err := c.requests.AnyZone(c.withoutLive(t))
	if err != nil {
		return nil
	}
	d, err := c.decideOn(request)
	if err != nil {
		return nil // a condition makes the decision fail and is found by itself
	}
	return d
}

func candidates(name string, d *placement.Decision) Candidates {
	c := Candidates{Type: name, Fit: []string{}, Refused: []Refusal{}}
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		backend := v.Backend.Report().Name()
		if v.Fits() {
			c.Fit = append(c.Fit, backend)
			continue
		}
		c.Refused = append(c.Refused, Refusal{Backend: backend, Filter: v.RefusedBy, Reason: v.Reason()})
	}
	return c
}

// check checks each extra spec of a type.
func (c *typeChecker) check(t *cinder.VolumeType) []Finding {
	found := OperatorsInKeys(*t)
	invalid := func(key string) bool {
		return slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.Problem, fmt.Sprintf("%q", key)) })
	}
	eligible := c.eligible(t)
	for _, spec := range t.ExtraSpecs {
		path, filtered := cinder.CapabilityPath(spec.Key)
		if !filtered || invalid(spec.Key) {
			continue
		}
		found = append(found, c.condition(t.Name, spec, path).check(eligible)...)
	}
	return found
}

// withoutLive is the type without its conditions on measured keys.
func (c *typeChecker) withoutLive(t *cinder.VolumeType) *cinder.VolumeType {
	rest := &cinder.VolumeType{Name: t.Name}
	for _, spec := range t.ExtraSpecs {
		path, filtered := cinder.CapabilityPath(spec.Key)
		if !filtered || !slices.Contains(c.live, path[0]) {
			rest.ExtraSpecs = append(rest.ExtraSpecs, spec)
		}
	}
	return rest
}

// OperatorsInKeys finds extra specs whose key ends in a part of an operator, as
// the openstack client stores a condition without spaces such as
// capabilities:total_volumes<=800: it splits at the first equals sign, and no
// backend meets what is stored.
func OperatorsInKeys(t cinder.VolumeType) []Finding {
	var found []Finding
	for _, s := range t.ExtraSpecs {
		key := strings.TrimRight(s.Key, "<>!= ")
		if key == s.Key || s.Value == nil {
			continue
		}
		operator := strings.TrimSpace(s.Key[len(key):]) + "="
		found = append(found, typeFinding(Error, "type-operator-in-key", t.Name,
			fmt.Sprintf("the extra spec %q with the value %q was meant as a condition, and no backend meets it", s.Key, *s.Value),
			"the openstack client splits a property at its first equals sign, so the operator became a part of the key",
			fmt.Sprintf("openstack volume type unset --property %s %s; openstack volume type set --property %s %s",
				format.ShellQuoted(s.Key), format.ShellQuoted(t.Name), format.ShellQuoted(key+"="+operator+" "+*s.Value), format.ShellQuoted(t.Name))))
	}
	return found
}

func isOfOtherBackend(f Finding) bool { return f.Code == "type-of-other-backend" }
