package collector

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// agentMark is the value of metrics_agent.
const agentMark = "poolcast"

// Merge makes the report of one reading: the keys of the Cinder driver with
// its formulas and units, the additions that [capability.Keys] describes, and
// the stanza's extra_capabilities laid over all of it as cinder-volume does
// (cinder/volume/manager.py, _report_driver_status).
//
// A number that the array did not tell is absent. A key that the stanza lists
// as live keeps its measurement, if there is one; without one the stanza's
// word stands, as it would in Cinder. Merge is a pure function of its
// arguments and does not touch the target's Source.
func Merge(s capability.Sample, t Target) capability.Report {
	status := grade(s, t.Interval)
	measured := measure(s, t.Stanza)
	judge(measured, s, status)

	caps := declare(t)
	for key, v := range measured {
		caps[key] = v
	}
	live := overrule(caps, measured, t.Stanza)
	appendCacheable(caps)
	return capability.Report{
		Host: t.Host, Cluster: t.Cluster, Backend: t.Backend, Pool: t.Pool, Zone: t.Zone,
		CollectedAt: s.CollectedAt, Status: status, Capabilities: caps, LiveKeys: live,
	}
}

// grade says how far the reading may be trusted.
func grade(s capability.Sample, interval time.Duration) capability.Status {
	if p := s.Performance; p != nil && p.Age > 2*p.Resolution+interval {
		return capability.Stale
	}
	if len(s.Faults) > 0 || s.Performance == nil || s.Space == nil || s.Space.Used() == nil {
		return capability.Partial
	}
	return capability.OK
}

// judge adds what poolcast says about the reading itself.
func judge(set capability.Set, s capability.Sample, status capability.Status) {
	set[capability.KeyBackendState] = capability.OfString("up")
	set[capability.KeyMetricsStatus] = capability.OfString(string(status))
	set[capability.KeyMetricsAgent] = capability.OfString(agentMark)
	if s.Performance != nil {
		set[capability.KeyMetricsAge] = capability.OfInt(seconds(s.Performance.Age))
	}
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// overrule lays the stanza's extra_capabilities over caps, except where the
// stanza itself prefers a measurement, and returns the keys whose value is
// measured in the end.
func overrule(caps, measured capability.Set, st Stanza) []string {
	for key, v := range st.Extra {
		if _, ok := measured[key]; ok && slices.Contains(st.Live, key) {
			continue
		}
		caps[key] = v
		delete(measured, key)
	}
	return measured.SortedKeys()
}

// declare gives what is known without asking the array, in the driver's words
// (cinder/volume/drivers/pure.py, _update_volume_stats).
func declare(t Target) capability.Set {
	st := t.Stanza
	caps := make(capability.Set, 64)
	caps[capability.KeyVolumeBackendName] = capability.OfString(t.Pool)
	caps[capability.KeyVendorName] = capability.OfString("Pure Storage")
	caps[capability.KeyDriverVersion] = capability.OfString(driverVersion(st))
	caps[capability.KeyStorageProtocol] = capability.OfString(st.Protocol)
	for _, feature := range []string{
		capability.KeyConsistencyGroupSupport, capability.KeyThinProvisioning, capability.KeyMultiattach,
		capability.KeyGroupReplication, capability.KeyGroupSnapshot, capability.KeyQoSSupport,
	} {
		caps[feature] = capability.OfBool(true)
	}
	caps[capability.KeyReservedPercentage] = capability.OfInt(st.ReservedPercentage)
	if !st.AutomaticOverSubscription {
		putRatio(caps, st)
	}
	caps[capability.KeyFilterFunction] = textOrNull(st.FilterFunction)
	caps[capability.KeyGoodnessFunction] = textOrNull(st.GoodnessFunction)
	declareReplication(caps, st)
	return caps
}

// textOrNull follows Cinder, which publishes a function that is not set as
// null (cinder/volume/driver.py, get_filter_function).
func textOrNull(s string) capability.Value {
	if s == "" {
		return capability.Value{}
	}
	return capability.OfString(s)
}

// putRatio sets max_over_subscription_ratio to the option, as the driver does
// (cinder/volume/volume_utils.py, get_max_over_subscription_ratio). An option
// that Cinder would refuse is left out.
func putRatio(set capability.Set, st Stanza) {
	if st.MaxOverSubscription == "auto" {
		set[capability.KeyMaxOverSubscription] = capability.OfString("auto")
		return
	}
	ratio, err := strconv.ParseFloat(st.MaxOverSubscription, 64)
	if err == nil && ratio >= 1 && !math.IsInf(ratio, 0) {
		set[capability.KeyMaxOverSubscription] = capability.OfFloat(ratio)
	}
}

// appendCacheable follows cinder-volume, which adds the flag for every block
// protocol unless somebody has set it (cinder/volume/manager.py,
// _report_driver_status).
func appendCacheable(caps capability.Set) {
	protocol, _ := caps[capability.KeyStorageProtocol].Str()
	if caps[capability.KeyCacheable].IsNull() && blockProtocol(protocol) {
		caps[capability.KeyCacheable] = capability.OfBool(true)
	}
}
