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
	// Filters are applied in this order; the first that refuses a backend is
	// the one that the decision names, so the cheap ones should be first.
	Filters []string
	// Weighers add up. Without one, all backends that pass weigh the same.
	Weighers []Weight
	Policy   Policy
	Select   Select
	// LeaveOutUnknown leaves out filters and weighers that no plug-in has, instead
	// of an error. [Engine.LeftOut] lists them.
	LeaveOutUnknown bool
	// LeftOut is what could not become a part of the profile; it is treated as an
	// unknown filter is.
	LeftOut []LeftOut
	// Renamed has the present names of plug-ins by their former ones, for advice.
	Renamed map[string]string
	// Snapshot reads the reports of [Engine.Decide]; nil reads them with
	// [NewSnapshot] and its defaults.
	Snapshot func([]capability.Report) *Snapshot
}

// Weight names a weigher and the multiplier of its normalised weight. A negative
// multiplier reverses the order.
type Weight struct {
	Weigher    string
	Multiplier float64
}

// Policy says how preferences are treated that no backend meets.
type Policy uint8

// The policies.
const (
	// Strict treats every condition as a requirement.
	Strict Policy = iota
	// Prefer removes the conditions that filters call preferences if they
	// would refuse every backend that passes the rest. The weighers then
	// decide, and the decision lists what was removed. See [Relaxer].
	Prefer
)

// MarshalText returns strict or prefer.
func (p Policy) MarshalText() ([]byte, error) {
	switch p {
	case Strict:
		return []byte("strict"), nil
	case Prefer:
		return []byte("prefer"), nil
	}
	return nil, fmt.Errorf("policy %d does not exist", p)
}

// UnmarshalText reads strict or prefer.
func (p *Policy) UnmarshalText(text []byte) error {
	switch string(text) {
	case "strict":
		*p = Strict
	case "prefer":
		*p = Prefer
	default:
		return fmt.Errorf("policy %q: want strict or prefer", text)
	}
	return nil
}

// Select says which of the weighed backends is chosen.
type Select uint8

// The ways to select.
const (
	// Best chooses the greatest weight; among equals the first in the
	// snapshot.
	Best Select = iota
	// BestOfTwo draws two backends and chooses the better one, so that
	// schedulers that do not see each other's choices do not all choose the
	// same backend.
	BestOfTwo
	// Lottery draws one backend with a probability proportional to its
	// weights, which are not normalised (cinder/scheduler/weights/stochastic.py).
	Lottery
)

// Engine decides by one profile. It is immutable and may be used from any
// goroutine.
type Engine struct {
	filters  []named[Filter]
	weighers []named[Weigher]
	policy   Policy
	selects  Select
	leftOut  []LeftOut
	snapshot func([]capability.Report) *Snapshot
	scratch  *sync.Pool
}

type named[P any] struct {
	name       string
	multiplier float64
	plugin     P
}

// New makes an engine that uses the plug-ins as the profile says. Plug-ins that
// the profile does not name are not used. The error lists everything that is wrong.
func New(p Profile, plugins ...Plugin) (*Engine, error) {
	e := &Engine{policy: p.Policy, selects: p.Select, snapshot: p.Snapshot, scratch: newScratchPool()}
	if e.snapshot == nil {
		e.snapshot = func(r []capability.Report) *Snapshot { return NewSnapshot(r, SnapshotOptions{}) }
	}
	for _, l := range p.LeftOut {
		e.leaveOut(l)
	}
	filters, weighers, faults := byName(plugins)
	faults = append(faults, p.check()...)
	for _, name := range p.Filters {
		if f, ok := filters[name]; ok {
			e.filters = append(e.filters, named[Filter]{name: name, plugin: f})
		} else {
			e.leaveOut(p.unknown("filter", name, slices.Sorted(maps.Keys(filters))))
		}
	}
	for _, w := range p.Weighers {
		if plugin, ok := weighers[w.Weigher]; ok {
			e.weighers = append(e.weighers, named[Weigher]{w.Weigher, w.Multiplier, plugin})
		} else {
			e.leaveOut(p.unknown("weigher", w.Weigher, slices.Sorted(maps.Keys(weighers))))
		}
	}
	if !p.LeaveOutUnknown {
		for _, unknown := range e.leftOut {
			faults = append(faults, unknown.fault())
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("read placement profile: %w", err)
	}
	return e, nil
}

func (p Profile) unknown(kind, name string, known []string) LeftOut {
	l := NewLeftOut(kind, name, known)
	if now, ok := p.Renamed[name]; ok {
		l.Advice = "the name is now " + now
	}
	return l
}

func byName(plugins []Plugin) (filters map[string]Filter, weighers map[string]Weigher, faults []error) {
	filters, weighers = map[string]Filter{}, map[string]Weigher{}
	for _, p := range plugins {
		_, isFilter := filters[p.name]
		_, isWeigher := weighers[p.name]
		switch {
		case p.name == "" || p.filter == nil && p.weigher == nil:
			faults = append(faults, fmt.Errorf("add plug-in %q: it needs a name and a filter or weigher", p.name))
		case p.filter != nil && isFilter, p.weigher != nil && isWeigher:
			faults = append(faults, fmt.Errorf("add plug-in %s: the name is taken", p.name))
		case p.filter != nil:
			filters[p.name] = p.filter
		default:
			weighers[p.name] = p.weigher
		}
	}
	return filters, weighers, faults
}

func (p Profile) check() []error {
	var faults []error
	for _, w := range p.Weighers {
		if math.IsNaN(w.Multiplier) || math.IsInf(w.Multiplier, 0) {
			faults = append(faults, fmt.Errorf("weigher %s: multiplier %v is not a finite number", w.Weigher, w.Multiplier))
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
