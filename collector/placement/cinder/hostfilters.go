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

// newZoneFilter reads which zones the request accepts.
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

// Filter passes backends of the accepted zones.
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
	return fmt.Sprintf("%s is not one of %s", zone, strings.Join(f.zones, ", "))
}

// attemptedFilter is IgnoreAttemptedHostsFilter
// (cinder/scheduler/filters/ignore_attempted_hosts_filter.py).
type attemptedFilter struct{ tried []string }

// newAttemptedFilter returns no filter for a first attempt.
func newAttemptedFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || len(req.Tried) == 0 {
		return nil, err
	}
	return attemptedFilter{tried: req.Tried}, nil
}

// Filter refuses backends that were tried.
func (f attemptedFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return !slices.Contains(f.tried, b.ID()), nil
}

// Explain names the backend.
func (attemptedFilter) Explain(_ placement.Request, b *placement.Backend) string {
	return b.ID() + " was tried before"
}

// affinityFilter is DifferentBackendFilter or SameBackendFilter for one
// request (cinder/scheduler/filters/affinity_filter.py). The request has the
// backends of the hinted volumes, which Cinder looks up in its database.
type affinityFilter struct {
	backends []string
	same     bool
}

func newDifferentBackendFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || len(req.DifferentFrom) == 0 {
		return nil, err
	}
	return affinityFilter{backends: req.DifferentFrom}, nil
}

func newSameBackendFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || len(req.SameAs) == 0 {
		return nil, err
	}
	return affinityFilter{backends: req.SameAs, same: true}, nil
}

// Filter compares the backend's name.
func (f affinityFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	return slices.Contains(f.backends, b.ID()) == f.same, nil
}

// Explain names the backends of the hint.
func (f affinityFilter) Explain(_ placement.Request, b *placement.Backend) string {
	if f.same {
		return b.ID() + " has none of the volumes of same_host, which are on " + strings.Join(f.backends, ", ")
	}
	return b.ID() + " has a volume of different_host"
}

// localityFilter is InstanceLocalityFilter for one request
// (cinder/scheduler/filters/instance_locality_filter.py). The request has the host of
// the instance, which Cinder requests from Nova.
type localityFilter struct{ instance, host string }

// newLocalityFilter returns no filter for a request without the hint.
func newLocalityFilter(r placement.Request, _ *placement.Snapshot) (placement.Filter, error) {
	req, err := requestOf(r)
	if err != nil || req.LocalToInstance == "" && req.InstanceHost == "" {
		return nil, err
	}
	return localityFilter{instance: req.LocalToInstance, host: req.InstanceHost}, nil
}

// Filter passes backends on the host of the instance. Its errors are those with which
// Cinder ends the request.
func (f localityFilter) Filter(_ placement.Request, b *placement.Backend) (bool, error) {
	switch {
	case f.instance != "" && !isUUID(f.instance):
		return false, fmt.Errorf("read the hint local_to_instance: %q is not the UUID of an instance", f.instance)
	case f.host == "":
		return false, fmt.Errorf("read the host of instance %s: it is not given; openstack server show has it as OS-EXT-SRV-ATTR:host", f.instance)
	}
	return hostOf(b) == f.host, nil
}

// Explain compares the hosts.
func (f localityFilter) Explain(_ placement.Request, b *placement.Backend) string {
	return strings.TrimSpace(fmt.Sprintf("host %s is not %s, the host of the instance %s", hostOf(b), f.host, f.instance))
}

// hostOf is the backend's name up to the stanza: the name of a host or a cluster
// (cinder/volume/volume_utils.py, extract_host).
func hostOf(b *placement.Backend) string {
	name, _, _ := strings.Cut(b.ID(), "#")
	host, _, _ := strings.Cut(name, "@")
	return host
}

// isUUID is is_uuid_like of oslo_utils/uuidutils.py.
func isUUID(text string) bool {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "urn:", ""), "uuid:", "")
	text = strings.ReplaceAll(strings.Trim(text, "{}"), "-", "")
	const digits = 32
	return len(text) == digits && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}
