package placement

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
)

// ErrDuplicate is wrapped by the error for a name that is taken.
var ErrDuplicate = errors.New("name is taken")

// Args is what a profile says to one plug-in.
type Args struct {
	// Multiplier is the profile's for this weigher; 0 for a filter.
	Multiplier float64
	// Values are the plug-in's own settings. A plug-in should refuse those
	// it does not know.
	Values capability.Set
}

// FilterFactory makes a filter from its arguments, and says everything that is
// wrong with them in one error.
type FilterFactory func(Args) (Filter, error)

// WeigherFactory makes a weigher from its arguments, and says everything that
// is wrong with them in one error.
type WeigherFactory func(Args) (Weigher, error)

// Registry knows plug-ins by name. The zero value is empty and ready. Fill it
// before it is shared; reading it from many goroutines is fine.
type Registry struct {
	filters  map[string]FilterFactory
	weighers map[string]WeigherFactory
}

// AddFilter registers a filter. The error wraps [ErrDuplicate] if the name is
// taken by another filter.
func (r *Registry) AddFilter(name string, f FilterFactory) error {
	if r.filters == nil {
		r.filters = map[string]FilterFactory{}
	}
	return add(r.filters, "filter", name, f)
}

// AddWeigher registers a weigher. The error wraps [ErrDuplicate] if the name
// is taken by another weigher.
func (r *Registry) AddWeigher(name string, f WeigherFactory) error {
	if r.weighers == nil {
		r.weighers = map[string]WeigherFactory{}
	}
	return add(r.weighers, "weigher", name, f)
}

func add[F ~func(Args) (P, error), P any](to map[string]F, kind, name string, f F) error {
	if name == "" || f == nil {
		return fmt.Errorf("register %s %q: it needs a name and a factory", kind, name)
	}
	if _, taken := to[name]; taken {
		return fmt.Errorf("register %s %s: %w", kind, name, ErrDuplicate)
	}
	to[name] = f
	return nil
}

// Filter makes the filter of that name. The error for an unknown name suggests
// a known one.
func (r *Registry) Filter(name string, a Args) (Filter, error) {
	return build(r.filters, "filter", name, a)
}

// Weigher makes the weigher of that name, as Filter does.
func (r *Registry) Weigher(name string, a Args) (Weigher, error) {
	return build(r.weighers, "weigher", name, a)
}

// Filters returns the names of all filters, sorted.
func (r *Registry) Filters() []string { return slices.Sorted(maps.Keys(r.filters)) }

// Weighers returns the names of all weighers, sorted.
func (r *Registry) Weighers() []string { return slices.Sorted(maps.Keys(r.weighers)) }

func build[F ~func(Args) (P, error), P any](from map[string]F, kind, name string, args Args) (P, error) {
	factory, ok := from[name]
	if !ok {
		var none P
		return none, unknown(kind, name, slices.Sorted(maps.Keys(from)))
	}
	plugin, err := factory(args)
	if err != nil {
		return plugin, fmt.Errorf("%s %s: %w", kind, name, err)
	}
	return plugin, nil
}

// NoArgs makes a factory for a plug-in that has no settings and may be shared
// by all engines. It refuses settings.
func NoArgs[P any](plugin P) func(Args) (P, error) {
	return func(a Args) (P, error) {
		if len(a.Values) > 0 {
			var none P
			return none, fmt.Errorf("it takes no arguments, but got %v", a.Values.SortedKeys())
		}
		return plugin, nil
	}
}
