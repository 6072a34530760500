package cinder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/placement"
)

// zoneFilter is AvailabilityZoneFilter
// (cinder/scheduler/filters/availability_zone_filter.py).
type zoneFilter struct{ zones []string }

// newZoneFilter finds out which zones the request accepts.
func newZoneFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	switch {
	case err != nil:
		return nil, err
	case len(req.Zones) > 0:
		return zoneFilter{zones: req.Zones}, nil
	case req.Zone != "":
		return zoneFilter{zones: []string{req.Zone}}, nil
	}
	return nil, nil
}

// Filter lets backends of the accepted zones pass.
func (f zoneFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return slices.Contains(f.zones, b.Report().Zone), nil
}

// Explain compares the zones.
func (f zoneFilter) Explain(_ placement.Request, b *placement.Backend) string {
	zone := b.Report().Zone
	if zone == "" {
		zone = "no zone"
	}
	if len(f.zones) == 1 {
		return fmt.Sprintf("%s is not %s", zone, f.zones[0])
	}
	return fmt.Sprintf("%s is none of %s", zone, strings.Join(f.zones, ", "))
}
