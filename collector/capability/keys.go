package capability

import "strings"

// The keys of a report. Names up to [KeyReplicationTargets] are the Cinder
// driver's own (cinder/volume/drivers/pure.py, _update_volume_stats), with its
// units and meaning; the others are additions, which Cinder's own filters read
// only where an extra spec or a function names them.
const (
	KeyVolumeBackendName = "volume_backend_name"
	KeyVendorName        = "vendor_name"
	KeyDriverVersion     = "driver_version"
	KeyStorageProtocol   = "storage_protocol"

	KeyConsistencyGroupSupport = "consistencygroup_support"
	KeyThinProvisioning        = "thin_provisioning_support"
	KeyMultiattach             = "multiattach"
	KeyGroupReplication        = "consistent_group_replication_enabled"
	KeyGroupSnapshot           = "consistent_group_snapshot_enabled"
	KeyQoSSupport              = "QoS_support"

	KeyTotalCapacity       = "total_capacity_gb"
	KeyFreeCapacity        = "free_capacity_gb"
	KeyReservedPercentage  = "reserved_percentage"
	KeyProvisionedCapacity = "provisioned_capacity_gb"
	KeyMaxOverSubscription = "max_over_subscription_ratio"
	KeyFilterFunction      = "filter_function"
	KeyGoodnessFunction    = "goodness_function"

	KeyTotalVolumes          = "total_volumes"
	KeyTotalSnapshots        = "total_snapshots"
	KeyTotalHosts            = "total_hosts"
	KeyTotalProtectionGroups = "total_pgroups"

	KeyWritesPerSec              = "writes_per_sec"
	KeyReadsPerSec               = "reads_per_sec"
	KeyInputPerSec               = "input_per_sec"
	KeyOutputPerSec              = "output_per_sec"
	KeyUsecPerRead               = "usec_per_read_op"
	KeyUsecPerWrite              = "usec_per_write_op"
	KeyQueueDepth                = "queue_depth"
	KeyQueueUsecPerMirroredWrite = "queue_usec_per_mirrored_write_op"
	KeyQueueUsecPerRead          = "queue_usec_per_read_op"
	KeyQueueUsecPerWrite         = "queue_usec_per_write_op"

	KeyReplicationCapability = "replication_capability"
	KeyReplicationEnabled    = "replication_enabled"
	KeyReplicationType       = "replication_type"
	KeyReplicationCount      = "replication_count"
	KeyReplicationTargets    = "replication_targets"

	KeyLiveVolumes          = "live_volumes"
	KeyDataReduction        = "data_reduction"
	KeyTotalReduction       = "total_reduction"
	KeyDataReductionPercent = "data_reduction_percent"
	KeyLoadPercent          = "load_percent"
	KeyHourlyLoadPercent    = "hourly_load_percent"
	KeyHourlyUsecPerRead    = "hourly_usec_per_read_op"
	KeyHourlyUsecPerWrite   = "hourly_usec_per_write_op"
	KeyLoadClass            = "load_class"
	KeyArrayID              = "array_id"
	KeyArrayName            = "array_name"
	KeyArrayModel           = "array_model"
	KeyPurityVersion        = "purity_version"
	KeyBackendState         = "backend_state"
	KeyMetricsAge           = "metrics_age_seconds"
	KeyMetricsStatus        = "metrics_status"
	KeyMetricsAgent         = "metrics_agent"

	KeyAvgLatency    = "avg_latency_ms"
	KeyAvgThroughput = "avg_throughput_mbps"
	KeyDedupeRatio   = "dedupe_ratio"

	// KeyCacheable is added by cinder-volume for every block protocol unless it
	// is set already (cinder/volume/manager.py, _report_driver_status).
	KeyCacheable = "cacheable"

	// KeyAllocatedCapacity is counted by cinder-volume itself
	// (cinder/volume/manager.py, _append_volume_stats). Poolcast forwards it and
	// never sets it.
	KeyAllocatedCapacity = "allocated_capacity_gb"
)

// The values of [KeyLoadClass], by load.
const (
	LoadLow    = "low"
	LoadNormal = "normal"
	LoadHigh   = "high"
)

// Origin is where a key's value comes from.
type Origin string

// The origins.
const (
	FromStanza Origin = "cinder.conf" // configuration alone
	FromDriver Origin = "driver"      // the same for every array that this driver serves
	FromArray  Origin = "array"       // measured at every poll
	FromAgent  Origin = "poolcast"    // describes the sample itself
)

// Key describes one key of a report: for the reference page, for the checks of
// filter functions, and for the test that every key has a description.
type Key struct {
	Name   string
	Kind   Kind
	Unit   string // "" for names, flags and plain counts
	Origin Origin
	Source string // REST field or option it is made of
	Absent string // when it is missing; "" means never
	Driver bool   // whether the Cinder driver sends it too
	// OnRequest keys appear only when the stanza lists them under
	// live_capabilities.
	OnRequest bool
	// History keys appear only with load_history, and while the history covers the
	// last hour.
	History bool
}

// InFunctions reports whether Cinder's filter_function and goodness_function
// can use the key without loss: the evaluator truncates floats and cannot read
// a name with a digit (cinder/scheduler/evaluator/evaluator.py).
func (k Key) InFunctions() bool {
	return !strings.ContainsAny(k.Name, "0123456789") && (k.Kind == Int || k.Kind == String || k.Kind == Bool)
}

const (
	noSample   = "the array had no performance sample, or left the field out"
	notCounted = "the request for the count failed"
	noHistory  = "the agent has samples of less than 45 minutes of the last hour, or the newest one is old"
	noSpace    = "the array left it out (a role without rights, Evergreen//One)"
)

// Keys returns the description of every key, in the order of the reference
// page. The slice is the caller's.
func Keys() []Key {
	keys := driverKeys()
	return append(keys, addedKeys()...)
}

// IsReserved reports whether only an agent may set the key: it marks the reports
// of agents.
func IsReserved(name string) bool { return name == KeyMetricsAgent }

// LookupKey finds the description of a key.
func LookupKey(name string) (Key, bool) {
	for _, k := range Keys() {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

func driverKeys() []Key {
	keys := []Key{
		{Name: KeyVolumeBackendName, Kind: String, Origin: FromStanza, Source: "volume_backend_name"},
		{Name: KeyVendorName, Kind: String, Origin: FromDriver, Source: "Pure Storage"},
		{Name: KeyDriverVersion, Kind: String, Origin: FromDriver, Source: "version of the Pure driver poolcast is tested against"},
		{Name: KeyStorageProtocol, Kind: String, Origin: FromStanza, Source: "volume_driver, pure_nvme_transport"},
		{Name: KeyConsistencyGroupSupport, Kind: Bool, Origin: FromDriver, Source: "true"},
		{Name: KeyThinProvisioning, Kind: Bool, Origin: FromDriver, Source: "true"},
		{Name: KeyMultiattach, Kind: Bool, Origin: FromDriver, Source: "true"},
		{Name: KeyGroupReplication, Kind: Bool, Origin: FromDriver, Source: "true"},
		{Name: KeyGroupSnapshot, Kind: Bool, Origin: FromDriver, Source: "true"},
		{Name: KeyQoSSupport, Kind: Bool, Origin: FromDriver, Source: "true"},
		{Name: KeyTotalCapacity, Kind: Float, Unit: "GiB", Origin: FromArray, Source: "arrays/space capacity", Absent: noSpace},
		{Name: KeyFreeCapacity, Kind: Float, Unit: "GiB", Origin: FromArray, Source: "arrays/space capacity - space.total_physical (else space.total_used)", Absent: noSpace},
		{Name: KeyReservedPercentage, Kind: Int, Unit: "%", Origin: FromStanza, Source: "reserved_percentage"},
		{Name: KeyProvisionedCapacity, Kind: Float, Unit: "GiB", Origin: FromArray, Source: "arrays/space space.total_provisioned (else space.used_provisioned)", Absent: noSpace},
		{Name: KeyMaxOverSubscription, Kind: Float, Unit: "ratio", Origin: FromArray, Source: "arrays/space space.total_reduction if automatic and below 100, else max_over_subscription_ratio"},
		{Name: KeyFilterFunction, Kind: String, Origin: FromStanza, Source: "filter_function"},
		{Name: KeyGoodnessFunction, Kind: String, Origin: FromStanza, Source: "goodness_function"},
		{Name: KeyTotalVolumes, Kind: Int, Origin: FromArray, Source: "volumes total_item_count, destroyed ones included", Absent: notCounted},
		{Name: KeyTotalSnapshots, Kind: Int, Origin: FromArray, Source: "volume-snapshots total_item_count, destroyed ones included", Absent: notCounted},
		{Name: KeyTotalHosts, Kind: Int, Origin: FromArray, Source: "hosts total_item_count, hosts of connected arrays included", Absent: notCounted},
		{Name: KeyTotalProtectionGroups, Kind: Int, Origin: FromArray, Source: "protection-groups total_item_count, destroyed ones included", Absent: notCounted},
	}
	keys = append(append(keys, performanceKeys()...), replicationKeys()...)
	for i := range keys {
		keys[i].Driver = true
	}
	return keys
}

func performanceKeys() []Key {
	rows := []struct{ name, unit, field string }{
		{KeyWritesPerSec, "operations/s", "writes_per_sec"},
		{KeyReadsPerSec, "operations/s", "reads_per_sec"},
		{KeyInputPerSec, "bytes/s", "write_bytes_per_sec"},
		{KeyOutputPerSec, "bytes/s", "read_bytes_per_sec"},
		{KeyUsecPerRead, "µs", "usec_per_read_op"},
		{KeyUsecPerWrite, "µs", "usec_per_write_op"},
		{KeyQueueDepth, "operations", "queue_depth"},
		{KeyQueueUsecPerMirroredWrite, "µs", "queue_usec_per_mirrored_write_op"},
		{KeyQueueUsecPerRead, "µs", "queue_usec_per_read_op"},
		{KeyQueueUsecPerWrite, "µs", "queue_usec_per_write_op"},
	}
	keys := make([]Key, len(rows))
	for i, r := range rows {
		keys[i] = Key{
			Name: r.name, Kind: Int, Unit: r.unit, Origin: FromArray,
			Source: "arrays/performance " + r.field, Absent: noSample,
		}
	}
	return keys
}

func replicationKeys() []Key {
	return []Key{
		{Name: KeyReplicationCapability, Kind: String, Origin: FromArray, Source: "array-connections status and type; null without a connection", Absent: "the request for the connections failed"},
		{Name: KeyReplicationEnabled, Kind: Bool, Origin: FromStanza, Source: "replication_device"},
		{Name: KeyReplicationType, Kind: List, Origin: FromStanza, Source: "replication_device, pure_trisync_enabled"},
		{Name: KeyReplicationCount, Kind: Int, Origin: FromStanza, Source: "replication_device"},
		{Name: KeyReplicationTargets, Kind: List, Origin: FromStanza, Source: "replication_device backend_id"},
	}
}

func addedKeys() []Key {
	return []Key{
		{Name: KeyCacheable, Kind: Bool, Origin: FromDriver, Source: "true, as cinder-volume adds it for block protocols"},
		{Name: KeyLiveVolumes, Kind: Int, Origin: FromArray, Source: "volumes?destroyed=false total_item_count", Absent: notCounted},
		{Name: KeyDataReduction, Kind: Float, Unit: "ratio", Origin: FromArray, Source: "arrays/space space.data_reduction", Absent: noSpace},
		{Name: KeyTotalReduction, Kind: Float, Unit: "ratio", Origin: FromArray, Source: "arrays/space space.total_reduction", Absent: noSpace},
		{Name: KeyDataReductionPercent, Kind: Int, Unit: "%", Origin: FromArray, Source: "data_reduction × 100, rounded", Absent: noSpace},
		{Name: KeyLoadPercent, Kind: Int, Unit: "%", Origin: FromArray, Source: "share of the average operation's time spent queueing: Σ rate × queue_usec / Σ rate × usec over reads, writes and mirrored writes, at most 100; 0 when idle", Absent: noSample},
		{Name: KeyHourlyLoadPercent, Kind: Int, Unit: "%", Origin: FromArray, Source: "90th percentile of load_percent over the last hour", Absent: noHistory, History: true},
		{Name: KeyHourlyUsecPerRead, Kind: Int, Unit: "µs", Origin: FromArray, Source: "90th percentile of usec_per_read_op over the last hour", Absent: noHistory, History: true},
		{Name: KeyHourlyUsecPerWrite, Kind: Int, Unit: "µs", Origin: FromArray, Source: "90th percentile of usec_per_write_op over the last hour", Absent: noHistory, History: true},
		{Name: KeyLoadClass, Kind: String, Origin: FromArray, Source: "low, normal or high: the class of hourly_load_percent by load_class_limits, which changes only where that is 5 points beyond a limit", Absent: noHistory, History: true},
		{Name: KeyArrayID, Kind: String, Origin: FromArray, Source: "arrays id"},
		{Name: KeyArrayName, Kind: String, Origin: FromArray, Source: "arrays name"},
		{Name: KeyArrayModel, Kind: String, Origin: FromArray, Source: "controllers model, unless the stanza's extra_capabilities set it", Absent: "no controller has a model"},
		{Name: KeyPurityVersion, Kind: String, Origin: FromArray, Source: "arrays version"},
		{Name: KeyBackendState, Kind: String, Origin: FromAgent, Source: "up; down while the array is stale and on_stale is down"},
		{Name: KeyMetricsAge, Kind: Int, Unit: "s", Origin: FromAgent, Source: "age of the performance sample when the report was sent", Absent: "there is no performance sample"},
		{Name: KeyMetricsStatus, Kind: String, Origin: FromAgent, Source: "ok, partial or stale"},
		{Name: KeyMetricsAgent, Kind: String, Origin: FromAgent, Source: "marks a report as an agent's, so that no agent uses it as a base report"},
		{Name: KeyAvgLatency, Kind: Float, Unit: "ms", Origin: FromArray, Source: "Σ rate × usec / Σ rate / 1000 over reads, writes and mirrored writes", Absent: noSample + "; there was no load", OnRequest: true},
		{Name: KeyAvgThroughput, Kind: Float, Unit: "MB/s", Origin: FromArray, Source: "(read_bytes_per_sec + write_bytes_per_sec + mirrored_write_bytes_per_sec) / 1000000", Absent: noSample, OnRequest: true},
		{Name: KeyDedupeRatio, Kind: Float, Unit: "ratio", Origin: FromArray, Source: "arrays/space space.data_reduction", Absent: noSpace, OnRequest: true},
	}
}
