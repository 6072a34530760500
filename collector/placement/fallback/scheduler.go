package fallback

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Scheduler is the scheduler's part of a plan.
type Scheduler struct {
	Options cinder.Options // with the changes
	// Changed are the options of cinder.conf to write, in their order.
	Changed []Option
	// Gap is by how much a preferred backend is ahead by its score, and Sum the sum of
	// the other weighers' absolute multipliers, which must be less.
	Gap, Sum float64
	// Before is Sum with the present multipliers.
	Before float64
}

// Option is an option of [DEFAULT] in the scheduler's cinder.conf.
type Option struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// multiplierOptions are the options that set the multipliers of weighers; the others
// have none, and a multiplier of 1.
func multiplierOptions() map[string]string {
	return map[string]string{
		cinder.CapacityWeigher:          "capacity_weight_multiplier",
		cinder.AllocatedCapacityWeigher: "allocated_capacity_weight_multiplier",
		cinder.VolumeNumberWeigher:      "volume_number_multiplier",
	}
}

// scheduler adds GoodnessWeigher to the weighers, and makes the other multipliers so
// small that a preferred backend is always ahead.
func (m *maker) scheduler() {
	s := &m.plan.Scheduler
	s.Options, s.Gap = m.cloud.Options, 1-2*m.share
	s.Options.Multipliers = maps.Clone(s.Options.Multipliers)
	if s.Options.Multipliers == nil {
		s.Options.Multipliers = map[string]float64{}
	}
	present := cinder.Profile(m.cloud.Options).Weighers
	weighers := m.weighers(present)
	if !slices.Equal(weighers, names(present)) {
		s.Changed = append(s.Changed, Option{Name: "scheduler_default_weighers", Value: strings.Join(weighers, ",")})
	}
	s.Options.Weighers = weighers
	m.multipliers()
	if m.cloud.Options.Select == placement.Lottery {
		s.Options.Select = placement.Best
		s.Changed = append(s.Changed, Option{
			Name: "scheduler_weight_handler", Value: "cinder.scheduler.weights.OrderedHostWeightHandler",
		})
		m.limit("the present scheduler_weight_handler draws a backend, so that none is ever preferred for certain; the plan replaces it")
	}
}

// weighers are the present ones without those that cannot be made small enough, and with
// those that the plan needs.
func (m *maker) weighers(present []placement.Weight) []string {
	var out []string
	for _, w := range names(present) {
		switch _, adjustable := multiplierOptions()[placement.ClassName(w)]; {
		case placement.ClassName(w) == cinder.ChanceWeigher:
			m.limit("ChanceWeigher is removed: it adds up to 1 at random, and has no multiplier, so it can outweigh the preference")
			continue
		case !adjustable && placement.ClassName(w) != cinder.GoodnessWeigher:
			m.problem("%s is not a weigher of Cinder: whether it outweighs the preference is not known", w)
		}
		out = append(out, w)
	}
	isGoodness := func(w string) bool { return placement.ClassName(w) == cinder.GoodnessWeigher }
	if !slices.ContainsFunc(out, func(w string) bool { return !isGoodness(w) }) && m.scoresAlike() {
		out = append([]string{cinder.CapacityWeigher}, out...)
	}
	if !slices.ContainsFunc(out, isGoodness) {
		out = append(out, cinder.GoodnessWeigher)
	}
	return out
}

// scoresAlike reports whether equally preferred backends have the same score, so that
// another weigher must decide between them.
func (m *maker) scoresAlike() bool {
	return m.share == 0 || slices.ContainsFunc(m.plan.Backends, func(b Backend) bool { return b.Previous == "" })
}

// multipliers scales the multipliers of all weighers but GoodnessWeigher by one factor,
// which keeps their order among equally preferred backends.
func (m *maker) multipliers() {
	s := &m.plan.Scheduler
	weights := cinder.Profile(s.Options).Weighers
	for _, w := range weights {
		if placement.ClassName(w.Weigher) != cinder.GoodnessWeigher {
			s.Before += math.Abs(w.Multiplier)
		}
	}
	s.Sum = s.Before
	if s.Before < s.Gap {
		return
	}
	factor := s.Gap / 2 / s.Before
	s.Sum = 0
	for _, w := range weights {
		option, adjustable := multiplierOptions()[placement.ClassName(w.Weigher)]
		if !adjustable {
			continue
		}
		scaled := math.Trunc(w.Multiplier*factor*1e6) / 1e6
		s.Options.Multipliers[w.Weigher] = scaled
		s.Sum += math.Abs(scaled)
		s.Changed = append(s.Changed, Option{Name: option, Value: literal(scaled)})
	}
}

// Reason says in a sentence why the multipliers are as they are.
func (s *Scheduler) Reason() string {
	text := fmt.Sprintf("GoodnessWeigher puts a preferred array ahead by %s or more; the other weighers together can put another array ahead by %s at most, which must be less",
		format.Significant(s.Gap, 3), format.Significant(s.Sum, 3))
	if s.Before >= s.Gap {
		text += fmt.Sprintf(" (it was %s: the fullest preferred array could tie with the emptiest or come after it)", format.Significant(s.Before, 3))
	}
	return text
}

func names(weights []placement.Weight) []string {
	out := make([]string, len(weights))
	for i, w := range weights {
		out[i] = w.Weigher
	}
	return out
}

// limits says what the settings do not do, or do besides.
func (m *maker) limits() {
	m.limit("a scheduler with pyparsing 3.3.3 reads no name in a function, and each array scores 0: stay with 3.3.2")
	m.limit("an array whose report lacks one of the metrics scores 0: it is not preferred, and not refused")
	for _, b := range m.plan.Backends {
		if missing := m.missing(b.index); len(missing) > 0 {
			m.limit("%s reports no %s now, so it is not preferred until it does", b.Name, strings.Join(missing, " and no "))
		}
	}
	if m.share > 0 {
		m.limit("the present goodness functions are kept as a tenth of the score: they rank arrays that are equally preferred. --replace drops them")
	}
	for _, t := range m.plan.Types {
		for _, c := range t.Conditions {
			if c.Note != "" {
				m.limit("%s = %q of type %s: %s", c.Key, c.Value, t.Name, c.Note)
			}
		}
	}
	m.limitZones()
	m.limitOthers()
	m.limitFilterFunctions()
}

// limitZones is about backends of several zones, which one request does not have.
func (m *maker) limitZones() {
	var zones []string
	for _, b := range m.plan.Backends {
		if zone := m.cloud.Reports[b.index].Zone; zone != "" && !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	if len(zones) > 1 {
		slices.Sort(zones)
		m.limit("the decisions are about the zones %s together; a volume gets the preferred array of the one zone that its request has", strings.Join(zones, ", "))
	}
}

// missing are the metrics of the conditions that a backend does not report.
func (m *maker) missing(backend int) []string {
	var keys []string
	for i, t := range m.plan.Types {
		for _, c := range t.Conditions {
			for _, key := range c.metrics {
				v, ok := m.cloud.Reports[backend].Capabilities[key]
				if slices.Contains(m.fits[i], backend) && (!ok || v.IsNull()) && !slices.Contains(keys, key) {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}

// limitOthers is about types that are not translated.
func (m *maker) limitOthers() {
	var alike, unranked []string
	for i := range m.others {
		o := &m.others[i]
		if !slices.ContainsFunc(m.fits, func(fits []int) bool { return shared(fits, o.fits) }) {
			continue
		}
		alike = append(alike, o.Name)
		if _, ok := specOf(&o.VolumeType, m.plan.Key); !ok {
			unranked = append(unranked, o.Name)
		}
	}
	if m.plan.Key == "" {
		who := "volumes without a type"
		if len(alike) > 0 {
			who = "volumes of " + format.List(alike) + " and " + who
		}
		m.limit("a goodness_function counts for every type: %s prefer the same arrays too. --separate restricts that to the translated types", who)
		return
	}
	m.limit("only volumes of %s prefer: for others the function fails, and each array scores 0", m.translated())
	if m.share > 0 && len(unranked) > 0 {
		m.problem("volumes of %s have no extra spec %s, so that the present goodness functions would not rank arrays for them; use --replace, or the same conditions in each type",
			format.List(unranked), m.plan.Key)
	}
}

func (m *maker) translated() string {
	var names []string
	for _, t := range m.plan.Types {
		names = append(names, t.Name)
	}
	return format.List(names)
}

// limitFilterFunctions is about filter functions, which refuse.
func (m *maker) limitFilterFunctions() {
	if !slices.ContainsFunc(m.cloud.Options.Filters, func(f string) bool { return placement.ClassName(f) == cinder.DriverFilter }) {
		return
	}
	for _, b := range m.plan.Backends {
		text, _ := m.cloud.Reports[b.index].Capabilities[capability.KeyFilterFunction].Str()
		for _, key := range cinder.LiveKeys() {
			if strings.Contains(text, "capabilities."+key) {
				m.problem("filter_function of %s reads %s and refuses the array for its load; move that part into a condition of the type, or remove it", b.Name, key)
				break
			}
		}
	}
}
