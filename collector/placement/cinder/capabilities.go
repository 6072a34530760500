package cinder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
)

// keyOnlineExtend is reported as false by backends that cannot extend a volume
// in use.
const keyOnlineExtend = "online_extend_support"

// keyTimestamp is the time of a report, which the scheduler sets itself.
const keyTimestamp = "timestamp"

// capabilitiesFilter is CapabilitiesFilter for one request
// (cinder/scheduler/filters/capabilities_filter.py).
type capabilitiesFilter struct {
	online     *placement.Column // nil unless a volume in use is extended
	conditions []condition
	live       func(key string) bool
}

// condition is one extra spec.
type condition struct {
	name        string   // the key without its scope, as it is reported
	path        []string // into objects
	date        bool     // it compares the time of the report
	column      *placement.Column
	requirement Requirement
	// outcomes are those of each distinct value of the column.
	outcomes []outcome
}

// outcome is the result of a requirement for one value.
type outcome uint8

const (
	unmet outcome = iota
	met
	undecided // an error, or different for each backend
)

// newCapabilitiesFilter compiles the extra specs of the request's type.
func newCapabilitiesFilter(live func(string) bool) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		f := &capabilitiesFilter{live: live}
		if req.extendsInUse() {
			f.online = s.Column(keyOnlineExtend)
		}
		for _, spec := range req.specs() {
			if c, ok := compileCondition(spec, s); ok {
				f.conditions = append(f.conditions, c)
			}
		}
		if len(f.conditions) == 0 && f.online == nil {
			return nil, nil
		}
		return f, nil
	}
}

// scopeCapabilities is the scope of the extra specs that the scheduler reads.
const scopeCapabilities = "capabilities"

// CapabilityPath is the path of keys that CapabilitiesFilter follows for an extra spec,
// and whether it applies the spec at all: it ignores other scopes
// (cinder/scheduler/filters/capabilities_filter.py).
func CapabilityPath(key string) (path []string, filtered bool) {
	path = strings.Split(key, ":")
	if len(path) == 1 {
		return path, true
	}
	return path[1:], path[0] == scopeCapabilities
}

// compileCondition reads an extra spec; it is not ok if the scope of the spec is not
// the scheduler's but, for example, the driver's.
func compileCondition(spec ExtraSpec, s *placement.Snapshot) (condition, bool) {
	path, filtered := CapabilityPath(spec.Key)
	switch {
	case !filtered:
		return condition{}, false
	case spec.Key == scopeCapabilities:
		path = nil // all of them
	}
	c := condition{name: strings.Join(path, ":"), path: path, requirement: NullRequirement()}
	if spec.Value != nil {
		c.requirement = CompileRequirement(*spec.Value)
	}
	switch {
	case len(path) > 0 && path[0] == keyTimestamp:
		c.date = true
	case len(path) > 0:
		c.column = s.Column(path[0])
		c.decideAll()
	}
	return c, true
}

// decideAll evaluates every distinct value once.
func (c *condition) decideAll() {
	values := c.column.Distinct()
	c.outcomes = make([]outcome, len(values))
	for code := 1; code < len(values); code++ {
		c.outcomes[code] = c.decide(&values[code])
	}
}

func (c *condition) decide(v *capability.Value) outcome {
	if x, ok := v.Float(); ok && len(c.path) == 1 && c.requirement.comparesNumbers() {
		if c.requirement.holds(x) {
			return met
		}
		return unmet
	}
	found, ok := c.within(*v)
	if !ok {
		return unmet
	}
	switch ok, err := c.requirement.MatchCapability(found); {
	case err != nil:
		return undecided
	case ok:
		return met
	}
	return unmet
}

// Filter passes backends that meet every extra spec.
func (f *capabilitiesFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	if f.refusesOnline(b) {
		return false, nil
	}
	for i := range f.conditions {
		c := &f.conditions[i]
		if ok, err := c.meets(b); err != nil {
			return false, fmt.Errorf("%s: %w%s", c.name, err, c.instead(b))
		} else if !ok {
			return false, nil
		}
	}
	return true, nil
}

// instead is the advice on a condition with which the scheduler fails, or "".
func (c *condition) instead(b *placement.Backend) string {
	if v, ok := c.value(b); ok && !c.date {
		return c.requirement.instead(v)
	}
	return ""
}

func (f *capabilitiesFilter) refusesOnline(b *placement.Backend) bool {
	if f.online == nil {
		return false
	}
	v, _ := f.online.Of(b)
	extends, isBool := v.Bool()
	return isBool && !extends
}

// meets reports whether the backend meets the condition.
func (c *condition) meets(b *placement.Backend) (bool, error) {
	if c.date {
		return c.meetsDate()
	}
	if c.column != nil {
		if code := c.column.Code(b); code >= 0 && c.outcomes[code] != undecided {
			return c.outcomes[code] == met, nil
		}
	}
	v, ok := c.value(b)
	if !ok {
		return false, nil
	}
	return c.requirement.MatchCapability(v)
}

// meetsDate evaluates the requirement for a Python date, whose members are not
// found. For all operators but one a date is like an object: no text, no number and
// not true.
func (c *condition) meetsDate() (bool, error) {
	if len(c.path) > 1 {
		return false, nil
	}
	if c.requirement.op == opIn && !c.requirement.empty {
		return false, fmt.Errorf("compare with %q: a date has no members", c.requirement.text)
	}
	ok, err := c.requirement.match(capability.OfSet(nil))
	if err != nil {
		err = fmt.Errorf("compare with %q: %s is a date", c.requirement.text, keyTimestamp)
	}
	return ok, err
}

// value returns what the spec compares.
func (c *condition) value(b *placement.Backend) (capability.Value, bool) {
	if c.column == nil { // the key is "capabilities" and nothing else
		return capability.OfSet(b.Report().Capabilities), true
	}
	v, ok := c.column.Of(b)
	if !ok {
		return v, false
	}
	return c.within(v)
}

// within follows the path into an object.
func (c *condition) within(v capability.Value) (capability.Value, bool) {
	for _, key := range c.path[1:] {
		members, _ := v.Set()
		member, ok := members[key]
		if !ok {
			return member, false
		}
		v = member
	}
	return v, true
}

// Explain names the first extra spec that is not met.
func (f *capabilitiesFilter) Explain(r placement.Request, b *placement.Backend) string {
	if all := f.ExplainAll(r, b); len(all) > 0 {
		return all[0]
	}
	return ""
}

// ExplainAll names every extra spec that is not met.
func (f *capabilitiesFilter) ExplainAll(_ placement.Request, b *placement.Backend) []string {
	var all []string
	if f.refusesOnline(b) {
		all = append(all, keyOnlineExtend+" is False and the volume is not detached")
	}
	for i := range f.conditions {
		c := &f.conditions[i]
		if ok, err := c.meets(b); !ok || err != nil {
			all = append(all, c.explain(b))
		}
	}
	return all
}

// explain states why the condition is not met.
func (c *condition) explain(b *placement.Backend) string {
	if c.date {
		return c.name + " is a date: no requirement but \"s!=\" and \"<is> False\" is met"
	}
	v, ok := c.value(b)
	if !ok {
		return c.missing(b)
	}
	return c.requirement.Explain(c.name, v)
}

func (c *condition) missing(b *placement.Backend) string {
	text := c.name + " is not reported"
	if near := format.Nearest(c.path[0], b.Report().Capabilities.SortedKeys()); near != "" {
		text += "; did you mean " + near + "?"
	}
	return text
}

// Relax removes conditions on live metrics.
func (f *capabilitiesFilter) Relax() (placement.Filter, []string) {
	var removed []string
	rest := *f
	rest.conditions = slices.DeleteFunc(slices.Clone(f.conditions), func(c condition) bool {
		if len(c.path) == 0 || !f.live(c.path[0]) {
			return false
		}
		removed = append(removed, c.name+" "+c.requirement.String())
		return true
	})
	if len(rest.conditions) == 0 && rest.online == nil {
		return nil, removed
	}
	return &rest, removed
}
