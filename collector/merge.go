package collector

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// agentMark is the value of metrics_agent.
const agentMark = "poolcast"

// Merge makes the report of one sample: the keys of the Cinder driver with its
// formulas and units, the additional keys that [capability.Keys] describes, and
// over them the stanza's extra_capabilities, as cinder-volume does
// (cinder/volume/manager.py, _report_driver_status).
//
// A number that the array did not report is absent. A key that the stanza lists
// as live keeps its measurement, if there is one; without one the stanza's value
// is used, as it would be in Cinder. Merge is a pure function of its arguments
// and does not use the target's Source. It has no history, and so no key of the last
// hour.
func Merge(s capability.Sample, t Target) capability.Report { return merge(s, t, &hourly{}) }

// merge is [Merge] with the keys of the last hour. They are left out while the newest
// performance sample is old or missing.
func merge(s capability.Sample, t Target, hour *hourly) capability.Report {
	status := statusOf(s, t.Interval)
	measured := measure(s, t.Stanza)
	if status != capability.Stale && s.Performance != nil {
		hour.put(measured)
	}
	putSampleStatus(measured, s, status)

	labels := labelsOf(s, measured, t.Stanza)

	caps := declare(t)
	maps.Copy(caps, measured)
	live := putExtra(caps, measured, t.Stanza)
	if !s.LinksAt.IsZero() && s.CollectedAt.Sub(s.LinksAt) > freshLinks {
		live = slices.DeleteFunc(live, func(key string) bool { return key == capability.KeyReplicationCapability })
	}
	appendCacheable(caps)
	r := reportOf(t, caps)
	r.CollectedAt, r.Status, r.LiveKeys, r.Labels = s.CollectedAt, status, live, labels
	return r
}

// freshLinks is how old the connections may be for replication_capability to replace the
// value of cinder-volume, which reads them every minute by default.
const freshLinks = time.Minute

func reportOf(t Target, caps capability.Set) capability.Report {
	return capability.Report{
		Host: t.Host, Cluster: t.Cluster, Backend: t.Backend, Pool: t.Pool, Zone: t.Zone, Capabilities: caps,
		Simulated: t.Simulated,
	}
}

// statusOf returns the metrics_status of a sample.
func statusOf(s capability.Sample, interval time.Duration) capability.Status {
	if p := s.Performance; p != nil && p.Age > 2*p.Resolution+interval {
		return capability.Stale
	}
	if len(s.Faults) > 0 || s.Performance == nil || s.Space == nil || s.Space.Used() == nil {
		return capability.Partial
	}
	return capability.OK
}

// putSampleStatus adds the keys about the sample itself.
func putSampleStatus(set capability.Set, s capability.Sample, status capability.Status) {
	set[capability.KeyBackendState] = capability.OfString("up")
	set[capability.KeyMetricsStatus] = capability.OfString(string(status))
	set[capability.KeyMetricsAgent] = capability.OfString(agentMark)
	if s.Performance != nil {
		set[capability.KeyMetricsAge] = capability.OfInt(seconds(s.Performance.Age))
	}
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// putExtra sets the stanza's extra_capabilities in caps, except where the stanza
// itself prefers a measurement, and returns the keys whose final value is
// measured.
func putExtra(caps, measured capability.Set, st Stanza) []string {
	for key, v := range st.Extra {
		if _, ok := measured[key]; ok && slices.Contains(st.Live, key) {
			continue
		}
		caps[key] = v
		delete(measured, key)
	}
	return measured.SortedKeys()
}

// labelsOf returns the numbers of extra_capabilities that stand in place of a
// measurement; nil if there are none.
func labelsOf(s capability.Sample, measured capability.Set, st Stanza) map[string]capability.Label {
	if len(st.Extra) == 0 {
		return nil
	}
	var labels map[string]capability.Label
	onRequest := capability.Set{}
	putRequested(onRequest, s, slices.Collect(maps.Keys(st.Extra)))
	for key, v := range st.Extra {
		if slices.Contains(st.Live, key) {
			continue
		}
		m, ok := measured[key]
		if !ok {
			m, ok = onRequest[key]
		}
		if _, isNumber := m.Float(); !ok || !isNumber {
			continue
		}
		if labels == nil {
			labels = map[string]capability.Label{}
		}
		labels[key] = capability.Label{Value: v, Measured: m}
	}
	return labels
}

// declare returns the keys that need no sample, with the driver's values
// (cinder/volume/drivers/pure.py, _update_volume_stats).
func declare(t Target) capability.Set {
	st := t.Stanza
	caps := make(capability.Set, 64)
	caps[capability.KeyVolumeBackendName] = capability.OfString(t.Pool)
	caps[capability.KeyVendorName] = capability.OfString("Pure Storage")
	caps[capability.KeyDriverVersion] = capability.OfString(driverVersion(st.Protocol))
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
// that Cinder would reject is left out.
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
// protocol unless it is set already (cinder/volume/manager.py,
// _report_driver_status).
func appendCacheable(caps capability.Set) {
	protocol, _ := caps[capability.KeyStorageProtocol].Str()
	if caps[capability.KeyCacheable].IsNull() && blockProtocol(protocol) {
		caps[capability.KeyCacheable] = capability.OfBool(true)
	}
}

// driverRelease is the version of the Pure driver whose report this package
// reproduces (cinder/volume/drivers/pure.py, VERSION).
const driverRelease = "23.0"

// driverVersion is the VERSION of the driver class of the protocol.
func driverVersion(protocol string) string {
	switch protocol {
	case "iSCSI":
		return driverRelease + ".iscsi"
	case "FC":
		return driverRelease + ".fc"
	}
	return driverRelease + ".nvme"
}

// blockProtocol reports whether cinder-volume calls the protocol cacheable
// (cinder/common/constants.py, CACHEABLE_PROTOCOLS).
func blockProtocol(name string) bool {
	return slices.Contains([]string{
		"FC", "fibre_channel", "fc", "iSCSI", "iscsi",
		"NVMe-oF", "NVMeOF", "nvmeof", "NVMe-RoCE", "NVMe-FC", "NVMe-TCP",
	}, name)
}

// declareReplication sets the replication keys that follow from the
// configuration.
func declareReplication(caps capability.Set, st Stanza) {
	targets := make([]string, len(st.Replicas))
	for i, r := range st.Replicas {
		targets[i] = r.BackendID
	}
	caps[capability.KeyReplicationEnabled] = capability.OfBool(len(st.Replicas) > 0)
	caps[capability.KeyReplicationType] = capability.OfStrings(replicationTypes(st)...)
	caps[capability.KeyReplicationCount] = capability.OfInt(int64(len(st.Replicas)))
	caps[capability.KeyReplicationTargets] = capability.OfStrings(targets...)
}

func replicationTypes(st Stanza) []string {
	if len(st.Replicas) == 0 {
		return nil
	}
	types := []string{"async"}
	if slices.ContainsFunc(st.Replicas, func(r Replica) bool { return r.Sync }) {
		types = append(types, "sync")
	}
	if st.TriSync && len(st.Replicas) == 2 && st.Replicas[0].Sync != st.Replicas[1].Sync {
		types = append(types, "trisync")
	}
	return types
}

// replicationCapability returns the kinds of replication that the array's links
// allow at the moment; null without a connected one
// (cinder/volume/drivers/pure.py, _get_replication_capability).
func replicationCapability(links []capability.Link) capability.Value {
	connected := func(kind string) bool {
		return slices.ContainsFunc(links, func(l capability.Link) bool {
			return l.Status == "connected" && l.Type == kind
		})
	}
	sync, async := connected("sync-replication"), connected("async-replication")
	switch {
	case sync && async:
		return capability.OfString("trisync")
	case sync:
		return capability.OfString("sync")
	case async:
		return capability.OfString("async")
	}
	return capability.Value{}
}
