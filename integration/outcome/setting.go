package outcome

import "github.com/poolcast/poolcast/collector/capability"

// The functions and conditions of the settings.
const (
	// goodnessFunction is the share of the time that an operation does not wait.
	goodnessFunction = "100 - capabilities.load_percent"
	// stockGoodness is the nearest that the keys of the driver allow: cinder-volume
	// does not report load_percent, but the time that a write takes and waits.
	stockGoodness = "100 - 100 * capabilities.queue_usec_per_write_op / max(capabilities.usec_per_write_op, 1)"
	// threshold is what volume types of the setting Threshold require. With the
	// service times of the comparison it is a utilisation of 75 %.
	thresholdKey, threshold = "usec_per_write_op", "<= 1000"
)

// options are those of cinder-scheduler. The filters are Cinder's default.
func (s Setting) options() map[string]any {
	weigher := s
	if s == Threshold {
		weigher = Capacity
	}
	return map[string]any{
		"scheduler_default_filters":  []string{"AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter"},
		"scheduler_default_weighers": []string{string(weigher)},
	}
}

// extraSpecs are those of the volume type.
func (s Setting) extraSpecs() map[string]string {
	specs := map[string]string{capability.KeyVolumeBackendName: poolName}
	if s == Threshold {
		specs[thresholdKey] = threshold
	}
	return specs
}

// goodness is the function of each backend, "" for none.
func (s Setting) goodness(arm Arm) string {
	switch {
	case s != Goodness:
		return ""
	case arm == Poolcast:
		return goodnessFunction
	}
	return stockGoodness
}
