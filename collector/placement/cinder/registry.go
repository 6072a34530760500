package cinder

import (
	"errors"
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// The names by which cinder.conf knows the plug-ins.
const (
	AvailabilityZoneFilter     = "AvailabilityZoneFilter"
	CapacityFilter             = "CapacityFilter"
	CapabilitiesFilter         = "CapabilitiesFilter"
	DriverFilter               = "DriverFilter"
	IgnoreAttemptedHostsFilter = "IgnoreAttemptedHostsFilter"
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
	// Live are the capabilities on which conditions may be set aside by the
	// policy placement.Prefer; nil means LiveKeys.
	Live   []string
	Policy placement.Policy
	Select placement.Select
}

// NewEngine returns an engine that decides as the scheduler with these options
// would.
func NewEngine(o Options) (*placement.Engine, error) {
	reg, err := Registry(o)
	if err != nil {
		return nil, err
	}
	return placement.New(reg, Profile(o))
}

// Profile returns the lists and multipliers of the options.
func Profile(o Options) placement.Profile {
	p := placement.Profile{Filters: o.Filters, Policy: o.Policy, Select: o.Select}
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

func (o Options) multiplier(weigher string) float64 {
	if m, ok := o.Multipliers[weigher]; ok {
		return m
	}
	if weigher == AllocatedCapacityWeigher || weigher == VolumeNumberWeigher {
		return -1
	}
	return 1
}

// Registry returns a registry of all built-ins; add your own to it.
func Registry(o Options) (*placement.Registry, error) {
	ratio, err := o.ratio()
	if err != nil {
		return nil, err
	}
	reg, view := new(placement.Registry), newPools(ratio)
	return reg, errors.Join(addFilters(reg, view, o.live()), addWeighers(reg, view))
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
