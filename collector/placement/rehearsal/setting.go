package rehearsal

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Ratio says which over-subscription ratio arrays report.
type Ratio string

// The ratios.
const (
	// AsReported is the reported one. If that is the array's reduction, it
	// changes as volumes are placed.
	AsReported Ratio = "as reported"
	// Fixed is [Setting.FixedRatio].
	Fixed Ratio = "fixed"
	// Automatic is the array's reduction while that is below 100
	// (cinder/volume/drivers/pure.py, _get_thin_provisioning).
	Automatic Ratio = "automatic"
)

// Setting is a configuration of the schedulers and the arrays.
type Setting struct {
	Name string
	// With is what is different, as in "with a fixed ratio of 20".
	With    string
	Options cinder.Options
	Ratio   Ratio
	// FixedRatio is also the ratio that an automatic one falls back to at 100.
	FixedRatio float64
	// Goodness is the goodness_function of arrays that report none.
	Goodness string
	// Ledger keeps each scheduler's deductions, also of the number of volumes,
	// until a report whose poll began after the create. Cinder cannot do this.
	Ledger bool
	// OnlyPoolcast says that the setting is one of poolcast's own placement.
	OnlyPoolcast bool
}

// The names of the settings in a [Catalogue].
const (
	Current    = "current"
	FixedRatio = "fixed-ratio"
	AutoRatio  = "auto-ratio"
	Capacity   = "capacity"
	Allocated  = "allocated"
	Number     = "volume-number"
	Goodness   = "goodness"
	Balanced   = "balanced"
	Stochastic = "stochastic"
	PreferLive = "prefer"
	TwoChoices = "two-choices"
	Ledger     = "ledger"
)

// DefaultGoodness rates an array, half and half, by its load and by the share of
// ten times its capacity that Cinder has allocated. Load changes with reports
// only; what is allocated changes with each volume. Both are large enough to lose
// nothing when Cinder's evaluator truncates them.
const DefaultGoodness = "100 - capabilities.load_percent / 2 - 5 * stats.allocated_capacity_gb / max(stats.total_capacity_gb, 1)"

// Catalogue makes the settings of a cloud and, for comparison, others that differ
// from them in one point each: first those of cinder.conf, then those that only
// poolcast's own placement has.
type Catalogue struct {
	Cloud    cinder.Options
	Ratio    float64 // the fixed one
	Goodness string  // the function of arrays that have none
}

// Settings returns the settings in order, the cloud's own first.
func (c Catalogue) Settings() []Setting {
	ratio := fmt.Sprintf("a fixed over-subscription ratio of %g", c.Ratio)
	settings := []Setting{
		{Name: Current, With: "the current configuration", Options: c.Cloud},
		{Name: FixedRatio, With: ratio, Options: c.Cloud, Ratio: Fixed},
		{Name: AutoRatio, With: "the array's reduction as over-subscription ratio", Options: c.Cloud, Ratio: Automatic},
		c.weighedBy(Capacity, cinder.CapacityWeigher),
		c.weighedBy(Allocated, cinder.AllocatedCapacityWeigher),
		c.weighedBy(Number, cinder.VolumeNumberWeigher),
		c.weighedBy(Goodness, cinder.GoodnessWeigher),
		c.option(Balanced, "GoodnessWeigher and half of CapacityWeigher", balance),
		c.option(Stochastic, "StochasticHostWeightHandler", func(o *cinder.Options) { o.Select = placement.Lottery }),
		c.option(PreferLive, "poolcast's policy prefer", func(o *cinder.Options) { o.Policy = placement.Prefer }),
		c.option(TwoChoices, "the better of two drawn, by poolcast", func(o *cinder.Options) { o.Select = placement.BestOfTwo }),
		{Name: Ledger, With: "poolcast's in-flight ledger", Options: c.Cloud, Ledger: true},
	}
	for i := range settings {
		s := &settings[i]
		s.OnlyPoolcast = s.Ledger || s.Options.Policy == placement.Prefer || s.Options.Select == placement.BestOfTwo
		s.FixedRatio, s.Goodness = c.Ratio, c.Goodness
		if s.Ratio == "" {
			s.Ratio = AsReported
		}
	}
	return settings
}

// balance weighs by goodness and, with capacity_weight_multiplier = 0.5, by capacity.
func balance(o *cinder.Options) {
	o.Weighers = []string{cinder.CapacityWeigher, cinder.GoodnessWeigher}
	multipliers := maps.Clone(o.Multipliers)
	if multipliers == nil {
		multipliers = map[string]float64{}
	}
	multipliers[cinder.CapacityWeigher] = 0.5
	o.Multipliers = multipliers
}

func (c Catalogue) weighedBy(name, weigher string) Setting {
	return c.option(name, weigher+" alone", func(o *cinder.Options) { o.Weighers = []string{weigher} })
}

func (c Catalogue) option(name, with string, change func(*cinder.Options)) Setting {
	o := c.Cloud
	change(&o)
	return Setting{Name: name, With: with, Options: o}
}

// Pick returns the settings of those names, or all, in the order of the catalogue.
func (c Catalogue) Pick(names []string) ([]Setting, error) {
	all := c.Settings()
	if len(names) == 0 {
		return all, nil
	}
	known := make([]string, len(all))
	for i, s := range all {
		known[i] = s.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("unknown setting %q; known are %v", name, known)
		}
	}
	return slices.DeleteFunc(all, func(s Setting) bool { return !slices.Contains(names, s.Name) }), nil
}

// database is Cinder's, in which VolumeNumberWeigher counts: the volumes of each
// backend at once, whichever scheduler placed them.
type database map[string]float64

// databaseWeigher replaces VolumeNumberWeigher. That one uses total_volumes,
// which is as old as its report; Cinder's counts in the database.
const databaseWeigher = "VolumeNumberWeigher by the database"

func (s Setting) engine(d database) (*placement.Engine, error) {
	o := s.Options
	o.Weighers, o.Multipliers = []string{}, map[string]float64{}
	for _, w := range cinder.Profile(s.Options).Weighers {
		if w.Weigher == cinder.VolumeNumberWeigher {
			w.Weigher = databaseWeigher
		}
		o.Weighers, o.Multipliers[w.Weigher] = append(o.Weighers, w.Weigher), w.Multiplier
	}
	engine, err := cinder.NewEngine(o, placement.WithWeigher(databaseWeigher, placement.WeigherFunc(d.weigh)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return engine, nil
}

func (d database) weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	return d[b.ID()], nil
}

// count enters the volumes of the arrays. An array that does not report its
// number is taken to have the average of the others.
func (d database) count(s *placement.Snapshot) {
	var pool capability.LogicalPool
	for i := range s.Len() {
		pool.Reports = append(pool.Reports, *s.At(i).Report())
	}
	mean := 0.0
	if reported := pool.Mean(capability.KeyTotalVolumes); reported != nil {
		mean = math.Round(*reported)
	}
	for i := range s.Len() {
		n, ok := s.At(i).Float(capability.KeyTotalVolumes)
		if !ok {
			n = mean
		}
		d[s.At(i).ID()] = n
	}
}
