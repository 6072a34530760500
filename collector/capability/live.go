package capability

import (
	"slices"
	"time"
)

// Live returns the part of the report that is laid over what cinder-volume
// said of the same backend: what was measured, what poolcast says about the
// reading itself, and, once an array is stale, what the stale policy decided.
// A key that the stanza's extra_capabilities pin is not in it, unless
// live_capabilities asked for the measurement. The set is the caller's.
//
// It says which keys are poolcast's to replace. Whether one may also be added
// to a base that lacks it is the publisher's rule.
func (r Report) Live() Set {
	live := make(Set, len(r.LiveKeys))
	for _, key := range r.LiveKeys {
		if v, ok := r.Capabilities[key]; ok {
			live[key] = v
		}
	}
	return live
}

// IsLive reports whether key belongs to [Report.Live].
func (r Report) IsLive(key string) bool {
	_, there := r.Capabilities[key]
	return there && slices.Contains(r.LiveKeys, key)
}

// Aged returns the report as it should be sent at the given time: the same, but
// with metrics_age_seconds counting on since the reading. Nothing else of a
// report changes by waiting.
func (r Report) Aged(now time.Time) Report {
	age, ok := r.Capabilities[KeyMetricsAge].Int()
	waited := int64(now.Sub(r.CollectedAt).Round(time.Second) / time.Second)
	if !ok || waited <= 0 || !slices.Contains(r.LiveKeys, KeyMetricsAge) {
		return r
	}
	r.Capabilities = r.Capabilities.Overlay(Set{KeyMetricsAge: OfInt(age + waited)})
	return r
}
