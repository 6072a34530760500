package fallback

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Class is the extra spec and capability that distinguishes types with different
// conditions, where no extra spec of theirs does.
const Class = "preference"

// Cloud is what to translate, and for which cloud.
type Cloud struct {
	Types   []cinder.VolumeType // all types of the cloud, or those that are known
	Names   []string            // of the types to translate; nil for all with conditions on live metrics
	Reports []capability.Report // of all backends, with their present functions
	// Unlisted are the identities of backends that the scheduler does not list now. They
	// get functions too.
	Unlisted []string
	Options  cinder.Options // the scheduler's present settings
	Size     int64          // of the volumes that checks place, in GiB
	// Separate lets only volumes of the translated types prefer, also where all of
	// these have the same conditions.
	Separate bool
	// Replace drops the present goodness_function of backends.
	Replace bool
}

// Plan is what to set.
type Plan struct {
	Types     []Type
	Backends  []Backend
	Scheduler Scheduler
	// Key is the extra spec that distinguishes the types; "" if every volume prefers
	// the same arrays.
	Key string
	// Limits are what the settings do not do, or do besides.
	Limits []string
	Checks []Check
	// Problems are why the settings do not hold; none if they do.
	Problems []string
}

// Holds reports whether the settings do what they are for on every check.
func (p *Plan) Holds() bool { return len(p.Problems) == 0 }

// Type is a type to change.
type Type struct {
	Name       string
	Conditions []Condition // on live metrics; those without a function remain
	Set        []cinder.ExtraSpec

	original, changed cinder.VolumeType
	preference        string // the function of all conditions
}

// Unset are the keys of the extra specs to remove.
func (t *Type) Unset() []string {
	var keys []string
	for _, c := range t.Conditions {
		if c.Function != "" {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// Backend is a backend whose section gets a function.
type Backend struct {
	Identity string
	Name     string // of its section
	Goodness string
	Previous string // the present function, which Goodness contains unless it is replaced
	// Classes are values of Class to add to extra_capabilities.
	Classes []string

	index int // in the reports
}

// The errors of questions that have no plan.
var (
	ErrNothing = errors.New("no condition on a live metric")
	ErrUnknown = errors.New("unknown type")
)

// Make translates the types, checks the result and returns it. Its errors are about the
// question; settings that do not hold are a plan with problems.
func Make(c Cloud) (*Plan, error) {
	m := &maker{cloud: c, plan: &Plan{}}
	if err := m.types(); err != nil {
		return nil, err
	}
	if err := m.candidates(); err != nil {
		return nil, err
	}
	m.chooseKey()
	m.functions()
	m.scheduler()
	m.limits()
	if err := m.check(); err != nil {
		return nil, err
	}
	return m.plan, nil
}

// maker builds a plan.
type maker struct {
	cloud Cloud
	plan  *Plan
	// fits are the positions in the reports of the backends that meet the other
	// extra specs of each translated type; others are those of the other types.
	fits   [][]int
	others []otherType
	share  float64 // the part of the score that the present functions keep, 0…1
}

// otherType is a type that is not translated and can be on the same backends.
type otherType struct {
	cinder.VolumeType
	fits []int
}

func (m *maker) types() error {
	var known []string
	for _, t := range m.cloud.Types {
		known = append(known, t.Name)
	}
	for _, name := range m.cloud.Names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%w %s: the list has %s", ErrUnknown, name, strings.Join(known, ", "))
		}
	}
	for _, t := range m.cloud.Types {
		if m.cloud.Names != nil && !slices.Contains(m.cloud.Names, t.Name) {
			m.others = append(m.others, otherType{VolumeType: t})
			continue
		}
		conditions := liveConditions(&t)
		if len(conditions) == 0 {
			m.others = append(m.others, otherType{VolumeType: t})
			continue
		}
		m.add(t, conditions)
	}
	if len(m.plan.Types) == 0 {
		return fmt.Errorf("%w in %s", ErrNothing, m.named())
	}
	return nil
}

// named are the types that were asked for.
func (m *maker) named() string {
	if m.cloud.Names == nil {
		return format.Count(len(m.cloud.Types), "volume type")
	}
	return "type " + strings.Join(m.cloud.Names, ", ")
}

func (m *maker) add(t cinder.VolumeType, conditions []Condition) {
	out := Type{Name: t.Name, Conditions: conditions, original: t}
	var terms []string
	translated := slices.DeleteFunc(slices.Clone(conditions), func(c Condition) bool { return c.Function == "" })
	for _, c := range translated {
		terms = append(terms, c.Function)
	}
	out.changed = without(t, translated)
	if len(terms) > 0 {
		out.preference = conjunction(terms)
	}
	m.plan.Types = append(m.plan.Types, out)
}

// untranslated names the conditions that remain.
func (m *maker) untranslated() {
	for _, t := range m.plan.Types {
		for _, c := range t.Conditions {
			if c.Function == "" {
				m.problem("type %s keeps %s = %q, which refuses backends: %s", t.Name, c.Key, c.Value, c.Reason)
			}
		}
	}
}

func (m *maker) problem(text string, args ...any) {
	m.plan.Problems = append(m.plan.Problems, fmt.Sprintf(text, args...))
}

func (m *maker) limit(text string, args ...any) {
	m.plan.Limits = append(m.plan.Limits, fmt.Sprintf(text, args...))
}

// candidates finds the backends of each type by its other extra specs alone: room and
// load change.
func (m *maker) candidates() error {
	engine, err := cinder.NewEngine(cinder.Options{Filters: []string{cinder.CapabilitiesFilter}, Weighers: []string{}})
	if err != nil {
		return err
	}
	s := cinder.NewSnapshot(m.cloud.Reports)
	m.cloud.Reports = nil // from here on one for each backend, as the scheduler has them
	for i := range s.Len() {
		m.cloud.Reports = append(m.cloud.Reports, *s.At(i).Report())
	}
	var types []Type
	for _, t := range m.plan.Types {
		fits, err := fitting(engine, s, without(t.original, t.Conditions))
		if err != nil {
			return fmt.Errorf("type %s: %w", t.Name, err)
		}
		if len(fits) == 0 && m.cloud.Names == nil {
			m.limit("type %s is not translated: none of these backends meets its other extra specs", t.Name)
			continue
		}
		if len(fits) == 0 {
			m.problem("no backend meets the other extra specs of type %s", t.Name)
		}
		types, m.fits = append(types, t), append(m.fits, fits)
	}
	if m.plan.Types = types; len(types) == 0 {
		return fmt.Errorf("%w in a type for these %s", ErrNothing, format.Count(len(m.cloud.Reports), "backend"))
	}
	m.untranslated()
	for i := range m.others {
		rest := without(m.others[i].VolumeType, liveConditions(&m.others[i].VolumeType))
		m.others[i].fits, _ = fitting(engine, s, rest) // a type that fails is not used
	}
	return nil
}
