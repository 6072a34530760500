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
	online *placement.Column // nil unless a volume in use is extended
	wants  []want
	live   func(key string) bool
}

// want is one extra spec.
type want struct {
	name        string   // the key without its scope, as it is reported
	path        []string // into objects
	date        bool     // it is about the time of the report
	column      *placement.Column
	requirement Requirement
	// answers say of each distinct value of the column whether it will do.
	answers []answer
}

// answer is what a requirement says to one value.
type answer uint8

const (
	unmet answer = iota
	met
	unclear // ask again: it is an error, or the backend's own
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
			if w, ok := compileWant(spec, s); ok {
				f.wants = append(f.wants, w)
			}
		}
		if len(f.wants) == 0 && f.online == nil {
			return nil, nil
		}
		return f, nil
	}
}

// compileWant reads an extra spec; it is not ok if the spec is scoped for
// somebody else, such as a driver.
func compileWant(spec ExtraSpec, s *placement.Snapshot) (want, bool) {
	path := strings.Split(spec.Key, ":")
	if len(path) > 1 && path[0] != "capabilities" {
		return want{}, false
	}
	if path[0] == "capabilities" {
		path = path[1:]
	}
	w := want{name: strings.Join(path, ":"), path: path, requirement: NullRequirement()}
	if spec.Value != nil {
		w.requirement = CompileRequirement(*spec.Value)
	}
	switch {
	case len(path) > 0 && path[0] == keyTimestamp:
		w.date = true
	case len(path) > 0:
		w.column = s.Column(path[0])
		w.answer()
	}
	return w, true
}

// answer asks every distinct value once.
func (w *want) answer() {
	values := w.column.Distinct()
	w.answers = make([]answer, len(values))
	for code := 1; code < len(values); code++ {
		w.answers[code] = w.ask(&values[code])
	}
}

func (w *want) ask(v *capability.Value) answer {
	if x, ok := v.Float(); ok && len(w.path) == 1 && w.requirement.comparesNumbers() {
		if w.requirement.holds(x) {
			return met
		}
		return unmet
	}
	found, ok := w.within(*v)
	if !ok {
		return unmet
	}
	switch ok, err := w.requirement.MatchCapability(found); {
	case err != nil:
		return unclear
	case ok:
		return met
	}
	return unmet
}

// Filter lets backends pass that meet every extra spec.
func (f *capabilitiesFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	if f.refusesOnline(b) {
		return false, nil
	}
	for i := range f.wants {
		if ok, err := f.wants[i].meets(b); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (f *capabilitiesFilter) refusesOnline(b *placement.Backend) bool {
	if f.online == nil {
		return false
	}
	v, _ := f.online.Of(b)
	extends, isBool := v.Bool()
	return isBool && !extends
}

// meets reports whether the backend has what is wanted.
func (w *want) meets(b *placement.Backend) (bool, error) {
	if w.date {
		return w.meetsDate()
	}
	if w.column != nil {
		if code := w.column.Code(b); code >= 0 && w.answers[code] != unclear {
			return w.answers[code] == met, nil
		}
	}
	v, ok := w.value(b)
	if !ok {
		return false, nil
	}
	return w.requirement.MatchCapability(v)
}

// meetsDate asks the requirement about a Python date, whose members are not
// found. To all operators but one it is what an object is: no text, no number
// and not true.
func (w *want) meetsDate() (bool, error) {
	if len(w.path) > 1 {
		return false, nil
	}
	if w.requirement.op == opIn && !w.requirement.empty {
		return false, fmt.Errorf("compare with %q: a date has no members", w.requirement.text)
	}
	ok, err := w.requirement.Match(capability.OfSet(nil))
	if err != nil {
		err = fmt.Errorf("compare with %q: %s is a date", w.requirement.text, keyTimestamp)
	}
	return ok, err
}

// value finds what the spec is about.
func (w *want) value(b *placement.Backend) (capability.Value, bool) {
	if w.column == nil { // the key is "capabilities" and nothing else
		return capability.OfSet(b.Report().Capabilities), true
	}
	v, ok := w.column.Of(b)
	if !ok {
		return v, false
	}
	return w.within(v)
}

// within follows the path into an object.
func (w *want) within(v capability.Value) (capability.Value, bool) {
	for _, key := range w.path[1:] {
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
func (f *capabilitiesFilter) Explain(_ placement.Request, b *placement.Backend) string {
	if f.refusesOnline(b) {
		return keyOnlineExtend + " is False and the volume is not detached"
	}
	for i := range f.wants {
		w := &f.wants[i]
		if w.date {
			if ok, err := w.meetsDate(); !ok || err != nil {
				return w.name + " is a date: no requirement but \"s!=\" and \"<is> False\" is met"
			}
			continue
		}
		v, ok := w.value(b)
		if !ok {
			return w.missing(b)
		}
		if ok, err := w.requirement.MatchCapability(v); !ok || err != nil {
			return w.requirement.Explain(w.name, v)
		}
	}
	return ""
}

func (w *want) missing(b *placement.Backend) string {
	text := w.name + " is not reported"
	if near := format.Nearest(w.path[0], b.Report().Capabilities.SortedKeys()); near != "" {
		text += "; did you mean " + near + "?"
	}
	return text
}

// Relax sets conditions on live metrics aside.
func (f *capabilitiesFilter) Relax() (placement.Filter, []string) {
	var conditions []string
	rest := *f
	rest.wants = slices.DeleteFunc(slices.Clone(f.wants), func(w want) bool {
		if len(w.path) == 0 || !f.live(w.path[0]) {
			return false
		}
		conditions = append(conditions, w.name+" "+w.requirement.String())
		return true
	})
	if len(rest.wants) == 0 && rest.online == nil {
		return nil, conditions
	}
	return &rest, conditions
}
