package cinder

import (
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// The names of the plug-ins in cinder.conf.
const (
	AvailabilityZoneFilter     = "AvailabilityZoneFilter"
	CapacityFilter             = "CapacityFilter"
	CapabilitiesFilter         = "CapabilitiesFilter"
	DriverFilter               = "DriverFilter"
	IgnoreAttemptedHostsFilter = "IgnoreAttemptedHostsFilter"
	InstanceLocalityFilter     = "InstanceLocalityFilter"
	JSONFilter                 = "JsonFilter"
	DifferentBackendFilter     = "DifferentBackendFilter"
	SameBackendFilter          = "SameBackendFilter"

	CapacityWeigher          = "CapacityWeigher"
	AllocatedCapacityWeigher = "AllocatedCapacityWeigher"
	GoodnessWeigher          = "GoodnessWeigher"
	VolumeNumberWeigher      = "VolumeNumberWeigher"
	ChanceWeigher            = "ChanceWeigher"
)

// DefaultRatio is Cinder's default for max_over_subscription_ratio.
const DefaultRatio = "20.0"

// Options are the scheduler's settings in cinder.conf. The zero value is
// Cinder's defaults.
type Options struct {
	Filters  []string // scheduler_default_filters
	Weighers []string // scheduler_default_weighers
	// Multipliers, by weigher, where they differ from the default:
	// capacity_weight_multiplier, allocated_capacity_weight_multiplier,
	// volume_number_multiplier.
	Multipliers map[string]float64
	// MaxOverSubscriptionRatio is [DEFAULT] max_over_subscription_ratio: a
	// number, or auto.
	MaxOverSubscriptionRatio string
	// Live are the capabilities whose conditions the policy placement.Prefer
	// may remove; nil means LiveKeys.
	Live   []string
	Policy placement.Policy
	// Handler is scheduler_weight_handler. Select, unless it is Best, replaces it.
	Handler string
	Select  placement.Select
	// LeaveOutUnknown leaves out filters, weighers and a handler that are neither
	// Cinder's own nor given as plug-ins, so that a decision is possible on a cloud
	// with plug-ins of its own. placement.Decision.LeftOut lists them. By default
	// they are an error.
	LeaveOutUnknown bool
}

// The handlers of Cinder, by the names that scheduler_weight_handler has.
const (
	OrderedHandler    = "cinder.scheduler.weights.OrderedHostWeightHandler"
	StochasticHandler = "cinder.scheduler.weights.stochastic.StochasticHostWeightHandler"
)

// NewEngine returns an engine that decides as the scheduler with these options
// does. The options may also name the filters and weighers given as plug-ins.
func NewEngine(o Options, plugins ...placement.Plugin) (*placement.Engine, error) {
	ratio, err := o.ratio()
	if err != nil {
		return nil, err
	}
	views := newReportViews(ratio)
	for name, f := range filters(o, views) {
		plugins = append(plugins, placement.WithFilter(name, failOnUnreadableReport(f, views)))
	}
	for name, w := range weighers(o, views) {
		plugins = append(plugins, placement.WithWeigher(name, w))
	}
	return placement.New(Profile(o), plugins...)
}

// Profile returns the lists and multipliers of the options.
func Profile(o Options) placement.Profile {
	p := placement.Profile{
		Filters: o.Filters, Policy: o.Policy, Snapshot: NewSnapshot, LeaveOutUnknown: o.LeaveOutUnknown,
		// Cinder compares the name of the class, not of the entry point
		// (cinder/scheduler/host_manager.py, _choose_backend_filters).
		Renamed: map[string]string{"RetryFilter": IgnoreAttemptedHostsFilter},
	}
	p.Select, p.LeftOut = o.selects()
	if p.Filters == nil {
		p.Filters = []string{AvailabilityZoneFilter, CapacityFilter, CapabilitiesFilter}
	}
	weighers := o.Weighers
	if weighers == nil {
		weighers = []string{CapacityWeigher}
	}
	for _, w := range weighers {
		p.Weighers = append(p.Weighers, placement.Weight{Weigher: w, Multiplier: o.multiplier(w)})
	}
	return p
}

// selects is how a backend is selected after weighing, and the handler if it is not
// known. Such a handler weighs and selects in a way of its own; without it the
// greatest weight is chosen.
func (o Options) selects() (placement.Select, []placement.LeftOut) {
	switch {
	case o.Select != placement.Best:
		return o.Select, nil
	case o.Handler == "" || isHandler(o.Handler, OrderedHandler):
		return placement.Best, nil
	case isHandler(o.Handler, StochasticHandler):
		return placement.Lottery, nil
	}
	known := []string{OrderedHandler, StochasticHandler}
	return placement.Best, []placement.LeftOut{placement.NewLeftOut("handler", o.Handler, known)}
}

// isHandler compares the name of a handler with and without its module.
func isHandler(name, handler string) bool {
	return name == handler || name == placement.ClassName(handler)
}

// Draws reports whether anything is left to chance. A decision for which nothing is
// drawn needs no seed.
func (o Options) Draws() bool {
	selects, _ := o.selects()
	return selects != placement.Best || slices.Contains(o.Weighers, ChanceWeigher)
}

// filters are Cinder's own by their names.
func filters(o Options, views *placement.View[*reportViews]) map[string]placement.PerRequestFilter {
	live := o.live()
	return map[string]placement.PerRequestFilter{
		AvailabilityZoneFilter:     newZoneFilter,
		CapacityFilter:             newCapacityFilter(views),
		CapabilitiesFilter:         newCapabilitiesFilter(live),
		DriverFilter:               newDriverFilter(newFunctions(capability.KeyFilterFunction, views, true), live),
		IgnoreAttemptedHostsFilter: newAttemptedFilter,
		InstanceLocalityFilter:     newLocalityFilter,
		JSONFilter:                 newJSONFilter(views),
		DifferentBackendFilter:     newDifferentBackendFilter,
		SameBackendFilter:          newSameBackendFilter,
	}
}

// weighers are Cinder's own by their names.
func weighers(o Options, views *placement.View[*reportViews]) map[string]placement.Weigher {
	return map[string]placement.Weigher{
		CapacityWeigher:          newCapacityWeigher(views, o.multiplier(CapacityWeigher)),
		AllocatedCapacityWeigher: placement.WeigherFunc(allocatedWeigher),
		GoodnessWeigher:          newGoodnessWeigher(newFunctions(capability.KeyGoodnessFunction, views, false)),
		VolumeNumberWeigher:      newVolumeNumberWeigher(o.multiplier(VolumeNumberWeigher)),
		ChanceWeigher:            chanceWeigher{},
	}
}

// failOnUnreadableReport adds to a filter what the scheduler does before it calls
// any: it reads all reports, and fails with the first that it cannot read.
func failOnUnreadableReport(f placement.PerRequestFilter, views *placement.View[*reportViews]) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		if err := views.Of(s).err; err != nil {
			return nil, err
		}
		return f(r, s)
	}
}

func (o Options) multiplier(weigher string) float64 {
	if m, ok := o.Multipliers[weigher]; ok {
		return m
	}
	if weigher == AllocatedCapacityWeigher || weigher == VolumeNumberWeigher {
		return -1
	}
	return 1
}

func (o Options) ratio() (capability.Value, error) {
	text := o.MaxOverSubscriptionRatio
	if text == "" {
		text = DefaultRatio
	}
	if text == "auto" {
		return capability.OfString(text), nil
	}
	f, ok := python.ParseFloat(text)
	if !ok {
		return capability.Value{}, fmt.Errorf("read max_over_subscription_ratio: %q is neither a number nor auto", text)
	}
	return capability.OfFloat(f), nil
}

// LiveKeys are the capabilities that measure the load of an array, as opposed to
// its properties. Conditions on them are what [placement.Prefer] may remove.
// Capacity is not among them: room is never a preference.
func LiveKeys() []string {
	keys := []string{capability.KeyMetricsAge}
	for _, k := range capability.Keys() {
		isLoad := k.Kind == capability.Int || k.Kind == capability.Float || k.History
		if isLoad && k.Origin == capability.FromArray && !isCapacity(k.Name) {
			keys = append(keys, k.Name)
		}
	}
	return keys
}

func isCapacity(key string) bool {
	switch key {
	case capability.KeyTotalCapacity, capability.KeyFreeCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription:
		return true
	}
	return false
}

func (o Options) live() func(key string) bool {
	keys := o.Live
	if keys == nil {
		keys = LiveKeys()
	}
	return func(key string) bool { return slices.Contains(keys, key) }
}
