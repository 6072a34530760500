package cinder

import (
	"errors"

	"github.com/poolcast/poolcast/collector/placement"
)

func addFilters(reg *placement.Registry, view *placement.View[*pools], live func(string) bool) error {
	driver := newDriverFilter(newFunctions(filterFunction, view, true), live)
	// A report on which the scheduler stumbles ends every decision, whatever
	// filters it would have run.
	add := func(name string, f placement.PerRequestFilter) error {
		return addFilter(reg, name, func(r placement.Request, s *placement.Snapshot) (placement.Filter, error) {
			if err := view.Of(s).err; err != nil {
				return nil, err
			}
			return f(r, s)
		})
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
