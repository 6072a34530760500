package outcome

import (
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Further settings, in virtual time only. The driver's over-subscription ratio is by
// default the reduction of the array, which grows with each empty volume; with a fixed
// one, CapacityWeigher compares what is provisioned.
const (
	FixedCapacity  Setting = "CapacityWeigher, ratio 20"
	DriverGoodness Setting = "GoodnessWeigher, driver's keys" // poolcast with the function of the stock arms
	MixedGoodness  Setting = "GoodnessWeigher, load and space"
	FixedThreshold Setting = "live thresholds, ratio 20"
)

// AllSettings are the settings of the comparison in virtual time, in the order of the
// table.
func AllSettings() []Setting {
	return []Setting{Capacity, FixedCapacity, Allocated, Goodness, DriverGoodness, MixedGoodness, Threshold, FixedThreshold}
}

// The functions and conditions of the settings.
const (
	fallbackRatio = 20 // max_over_subscription_ratio
	// goodnessFunction is the share of the time that an operation does not wait.
	goodnessFunction = "100 - capabilities.load_percent"
	// stockGoodness is the nearest that the keys of the driver allow: cinder-volume
	// does not report load_percent, but the time that a write takes and waits.
	stockGoodness = "100 - 100 * capabilities.queue_usec_per_write_op / max(capabilities.usec_per_write_op, 1)"
	// The mixed functions are, half and half, the load, which reports change, and the
	// share of the capacity that is allocated, which each placement changes at once.
	mixedGoodness      = "100 - capabilities.load_percent / 2" + mixedSpace
	mixedStockGoodness = "100 - 50 * capabilities.queue_usec_per_write_op / max(capabilities.usec_per_write_op, 1)" + mixedSpace
	mixedSpace         = " - 50 * stats.allocated_capacity_gb / max(stats.total_capacity_gb, 1)"
	// threshold is what volume types of the setting Threshold require. With the
	// service times of the comparison it is a utilisation of 75 %.
	thresholdKey, threshold = "usec_per_write_op", "<= 1000"
)

// weigher is the only one of the scheduler.
func (s Setting) weigher() Setting {
	switch s {
	case FixedCapacity, Threshold, FixedThreshold:
		return Capacity
	case DriverGoodness, MixedGoodness:
		return Goodness
	}
	return s
}

// options are those of cinder-scheduler. The filters are Cinder's default.
func (s Setting) options() map[string]any {
	return map[string]any{
		"scheduler_default_filters":  []string{"AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter"},
		"scheduler_default_weighers": []string{string(s.weigher())},
	}
}

// extraSpecs are those of the volume type.
func (s Setting) extraSpecs() map[string]string {
	specs := map[string]string{capability.KeyVolumeBackendName: poolName}
	if s == Threshold || s == FixedThreshold {
		specs[thresholdKey] = threshold
	}
	return specs
}

// volumeType is the volume type with those.
func (s Setting) volumeType() *cinder.VolumeType {
	t, specs := &cinder.VolumeType{Name: poolName}, s.extraSpecs()
	for _, key := range sortedKeys(specs) {
		value := specs[key]
		t.ExtraSpecs = append(t.ExtraSpecs, cinder.ExtraSpec{Key: key, Value: &value})
	}
	return t
}

// goodness is the function of each backend, "" for none.
func (s Setting) goodness(arm Arm) string {
	switch {
	case s == Goodness && arm == Poolcast:
		return goodnessFunction
	case s == MixedGoodness && arm == Poolcast:
		return mixedGoodness
	case s == MixedGoodness:
		return mixedStockGoodness
	case s == Goodness || s == DriverGoodness:
		return stockGoodness
	}
	return ""
}

// automatic is pure_automatic_max_oversubscription_ratio.
func (s Setting) automatic() bool { return s != FixedCapacity && s != FixedThreshold }

// twin is the case with the same run as this one, which is run instead; c itself if
// there is none. The stock arms have one function in both settings with functions, and
// differ only where something reads the performance sample.
func (c Case) twin() Case {
	if c.Setting == DriverGoodness && c.Arm != Poolcast {
		c.Setting = Goodness
	}
	switch c.Setting {
	case Capacity, FixedCapacity, Allocated:
		if c.Arm == StockNewest {
			c.Arm = StockOldest
		}
	}
	return c
}
