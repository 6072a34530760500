package placement

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/poolcast/poolcast/collector/capability"
)

// Profile says which plug-ins decide, in which order and how.
type Profile struct {
	// Filters are asked in this order; the first that refuses a backend is the
	// one the decision names, so put the cheap ones first.
	Filters []string
	// Weighers add up. Without one every survivor weighs the same.
	Weighers []Weight
	// Args are the plug-ins' settings, by name.
	Args   map[string]capability.Set
	Policy Policy
	Select Select
}

// Weight names a weigher and what its normalised weight is multiplied by.
// Negative multipliers turn the order round.
type Weight struct {
	Weigher    string
	Multiplier float64
}

// Policy says what becomes of preferences when nothing meets them.
type Policy uint8

// The policies.
const (
	// Strict treats every condition as a condition.
	Strict Policy = iota
	// Prefer sets the conditions that filters call preferences aside if they
	// would refuse every backend that passes the rest; the weighers then
	// decide and the decision says so. See [Relaxer].
	Prefer
)

// Select says which of the weighed survivors is chosen.
type Select uint8

// The ways to select.
const (
	// Best chooses the greatest weight; among equals the first in the
	// snapshot.
	Best Select = iota
	// BestOfTwo draws two survivors and chooses the better one. Schedulers
	// that do not see each other's choices then stop herding on one backend.
	BestOfTwo
	// Lottery draws one survivor with a chance proportional to its weights,
	// which are not normalised (cinder/scheduler/weights/stochastic.py).
	Lottery
)

// Engine decides by one profile. It is immutable and may be used from any
// goroutine.
type Engine struct {
	filters  []named[Filter]
	weighers []named[Weigher]
	policy   Policy
	selects  Select
	scratch  *sync.Pool
}

type named[P any] struct {
	name       string
	multiplier float64
	plugin     P
}

// New makes an engine of the registry's plug-ins. The error lists everything
// that is wrong with the profile.
func New(reg *Registry, p Profile) (*Engine, error) {
	e := &Engine{policy: p.Policy, selects: p.Select, scratch: newScratchPool()}
	faults := p.check()
	for _, name := range p.Filters {
		f, err := reg.Filter(name, Args{Values: p.Args[name]})
		if err != nil {
			faults = append(faults, err)
			continue
		}
		e.filters = append(e.filters, named[Filter]{name: name, plugin: f})
	}
	for _, w := range p.Weighers {
		args := Args{Multiplier: w.Multiplier, Values: p.Args[w.Weigher]}
		plugin, err := reg.Weigher(w.Weigher, args)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		e.weighers = append(e.weighers, named[Weigher]{w.Weigher, w.Multiplier, plugin})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("read placement profile: %w", err)
	}
	return e, nil
}

func (p Profile) check() []error {
	var faults []error
	for _, w := range p.Weighers {
		if math.IsNaN(w.Multiplier) || math.IsInf(w.Multiplier, 0) {
			faults = append(faults, fmt.Errorf("weigher %s: multiplier %v is not a number to multiply by", w.Weigher, w.Multiplier))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		if !p.uses(name) {
			faults = append(faults, fmt.Errorf("arguments are given for %s, which the profile does not use", name))
		}
	}
	if p.Policy > Prefer {
		faults = append(faults, fmt.Errorf("policy %d does not exist", p.Policy))
	}
	if p.Select > Lottery {
		faults = append(faults, fmt.Errorf("select %d does not exist", p.Select))
	}
	return faults
}

func (p Profile) uses(name string) bool {
	return slices.Contains(p.Filters, name) ||
		slices.ContainsFunc(p.Weighers, func(w Weight) bool { return w.Weigher == name })
}
