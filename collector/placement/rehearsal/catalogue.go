package rehearsal

import (
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// The names of the settings in a [Catalogue].
const (
	Current    = "as-it-is"
	FixedRatio = "fixed-ratio"
	AutoRatio  = "auto-ratio"
	Capacity   = "capacity"
	Allocated  = "allocated"
	Number     = "volume-number"
	Goodness   = "goodness"
	Stochastic = "stochastic"
	PreferLive = "prefer"
	TwoChoices = "two-choices"
	Ledger     = "ledger"
)

// DefaultGoodness rates an array by how quiet it is and by how little of ten
// times its capacity Cinder has allocated, half and half. Load changes with
// reports only; what is allocated changes with each volume. Both are large
// enough to lose nothing when Cinder's evaluator cuts fractions off.
const DefaultGoodness = "100 - capabilities.load_percent / 2 - 5 * stats.allocated_capacity_gb / max(stats.total_capacity_gb, 1)"

// Catalogue are a cloud's own settings and, for comparison, others that differ
// from them in one thing each: first what cinder.conf can say, then what only
// poolcast can do.
type Catalogue struct {
	Cloud    cinder.Options
	Ratio    float64 // the fixed one
	Goodness string  // the function of arrays that have none
}

// Settings returns the settings in order, the cloud's own first.
func (c Catalogue) Settings() []Setting {
	ratio := fmt.Sprintf("a fixed over-subscription ratio of %g", c.Ratio)
	settings := []Setting{
		{Name: Current, With: "the scheduler's settings as they are", Options: c.Cloud},
		{Name: FixedRatio, With: ratio, Options: c.Cloud, Ratio: Fixed},
		{Name: AutoRatio, With: "the array's reduction as over-subscription ratio", Options: c.Cloud, Ratio: Automatic},
		c.weighedBy(Capacity, cinder.CapacityWeigher),
		c.weighedBy(Allocated, cinder.AllocatedCapacityWeigher),
		c.weighedBy(Number, cinder.VolumeNumberWeigher),
		c.weighedBy(Goodness, cinder.GoodnessWeigher),
		c.option(Stochastic, "StochasticHostWeightHandler", func(o *cinder.Options) { o.Select = placement.Lottery }),
		c.option(PreferLive, "poolcast's policy prefer", func(o *cinder.Options) { o.Policy = placement.Prefer }),
		c.option(TwoChoices, "the better of two drawn, by poolcast", func(o *cinder.Options) { o.Select = placement.BestOfTwo }),
		{Name: Ledger, With: "poolcast's in-flight ledger", Options: c.Cloud, Ledger: true},
	}
	for i := range settings {
		s := &settings[i]
		s.FixedRatio, s.Goodness = c.Ratio, c.Goodness
		if s.Ratio == "" {
			s.Ratio = AsReported
		}
	}
	return settings
}

func (c Catalogue) weighedBy(name, weigher string) Setting {
	return c.option(name, weigher+" alone", func(o *cinder.Options) { o.Weighers = []string{weigher} })
}

func (c Catalogue) option(name, with string, change func(*cinder.Options)) Setting {
	o := c.Cloud
	change(&o)
	return Setting{Name: name, With: with, Options: o}
}

// Pick returns the settings of those names, in the order of the catalogue.
func (c Catalogue) Pick(names []string) ([]Setting, error) {
	all := c.Settings()
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s Setting) bool { return s.Name == name }) {
			return nil, fmt.Errorf("there is no setting %q; there are %v", name, namesOf(all))
		}
	}
	return slices.DeleteFunc(all, func(s Setting) bool { return !slices.Contains(names, s.Name) }), nil
}

func namesOf(settings []Setting) []string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.Name
	}
	return names
}
