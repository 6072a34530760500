package cinder

import (
	"errors"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

func addFilters(reg *placement.Registry, view *placement.View[*pools], live func(string) bool) error {
	driver := newDriverFilter(newFunctions(capability.KeyFilterFunction, view, true), live)
	add := func(name string, f placement.PerRequestFilter) error {
		return reg.AddFilter(name, stumbling(f, view).Factory())
	}
	return errors.Join(
		add(AvailabilityZoneFilter, newZoneFilter),
		add(CapacityFilter, newCapacityFilter(view)),
		add(CapabilitiesFilter, newCapabilitiesFilter(live)),
		add(DriverFilter, driver),
		add(IgnoreAttemptedHostsFilter, newAttemptedFilter),
		add(JSONFilter, newJSONFilter(view)),
		add(DifferentBackendFilter, newDifferentBackendFilter),
		add(SameBackendFilter, newSameBackendFilter),
	)
}

func addWeighers(reg *placement.Registry, view *placement.View[*pools]) error {
	goodness := newGoodnessWeigher(newFunctions(capability.KeyGoodnessFunction, view, false))
	return errors.Join(
		reg.AddWeigher(CapacityWeigher, newCapacityWeigher(view)),
		reg.AddWeigher(AllocatedCapacityWeigher, placement.WeigherFunc(allocatedWeigher).Factory()),
		reg.AddWeigher(GoodnessWeigher, goodness.Factory()),
		reg.AddWeigher(VolumeNumberWeigher, newVolumeNumberWeigher),
		reg.AddWeigher(ChanceWeigher, placement.WeigherFunc(chanceWeigher).Factory()),
	)
}

// stumbling returns the filter with what the scheduler does before it asks any:
// it reads all reports, and ends with the first that it cannot read.
func stumbling(f placement.PerRequestFilter, view *placement.View[*pools]) placement.PerRequestFilter {
	return func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
		if err := view.Of(s).err; err != nil {
			return nil, err
		}
		return f(r, s)
	}
}
