package cinder

import (
	"errors"

	"github.com/poolcast/poolcast/collector/placement"
)

func addFilters(reg *placement.Registry, view *placement.View[*pools], live func(string) bool) error {
	driver := newDriverFilter(newFunctions(filterFunction, view, true), live)
	return errors.Join(
		addFilter(reg, AvailabilityZoneFilter, newZoneFilter),
		addFilter(reg, CapacityFilter, newCapacityFilter(view)),
		addFilter(reg, CapabilitiesFilter, newCapabilitiesFilter(live)),
		addFilter(reg, DriverFilter, driver),
		addFilter(reg, IgnoreAttemptedHostsFilter, newAttemptedFilter),
		addFilter(reg, JSONFilter, newJSONFilter(view)),
		addFilter(reg, DifferentBackendFilter, newDifferentBackendFilter),
		addFilter(reg, SameBackendFilter, newSameBackendFilter),
	)
}

func addWeighers(reg *placement.Registry, view *placement.View[*pools]) error {
	goodness := newGoodnessWeigher(newFunctions(goodnessFunction, view, false))
	return errors.Join(
		reg.AddWeigher(CapacityWeigher, newCapacityWeigher(view)),
		reg.AddWeigher(AllocatedCapacityWeigher, placement.WeigherFunc(allocatedWeigher).Factory()),
		reg.AddWeigher(GoodnessWeigher, goodness.Factory()),
		reg.AddWeigher(VolumeNumberWeigher, newVolumeNumberWeigher),
		reg.AddWeigher(ChanceWeigher, placement.WeigherFunc(chanceWeigher).Factory()),
	)
}

func addFilter(reg *placement.Registry, name string, f placement.PerRequestFilter) error {
	return reg.AddFilter(name, f.Factory())
}
