package publisher

import "github.com/poolcast/poolcast/collector/capability"

// Overlay returns the report that is published for a base report of
// cinder-volume: the base with poolcast's live keys replaced, and those added
// that the scheduler itself does not compute with. It changes neither and may be
// called from any goroutine.
func Overlay(base capability.Set, r capability.Report, fixProvisioned bool) capability.Set {
	return withAgentMark(overlay(base, r.Live(), fixProvisioned))
}

// overlay replaces keys of the base by measured ones. What the scheduler
// computes with is never added: that would move volumes on the day an agent is
// installed.
func overlay(base, live capability.Set, fixProvisioned bool) capability.Set {
	out := base.Clone()
	for key, value := range live {
		if _, there := base[key]; there || !computedWith(key) || fixProvisioned && key == capability.KeyProvisionedCapacity {
			out[key] = value
		}
	}
	return out
}

// computedWith reports whether the scheduler's own code reads the key
// (cinder/scheduler/host_manager.py, PoolState and BackendState).
func computedWith(key string) bool {
	switch key {
	case capability.KeyTotalCapacity, capability.KeyFreeCapacity, capability.KeyAllocatedCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription,
		capability.KeyReservedPercentage, capability.KeyThinProvisioning, "thick_provisioning_support",
		capability.KeyFilterFunction, capability.KeyGoodnessFunction, capability.KeyMultiattach,
		capability.KeyQoSSupport, capability.KeyVolumeBackendName, capability.KeyStorageProtocol,
		capability.KeyVendorName, capability.KeyDriverVersion, "pools", "timestamp":
		return true
	}
	return false
}

// accounted reports whether the scheduler computes free space with the key
// (cinder/scheduler/host_manager.py, PoolState.update_from_volume_capability).
func accounted(key string) bool {
	switch key {
	case capability.KeyTotalCapacity, capability.KeyFreeCapacity,
		capability.KeyProvisionedCapacity, capability.KeyMaxOverSubscription:
		return true
	}
	return false
}

// withAgentMark returns the set with the key that tells operators where a
// report was changed.
func withAgentMark(s capability.Set) capability.Set {
	if _, there := s[capability.KeyMetricsAgent]; there {
		return s
	}
	return s.Overlay(capability.Set{capability.KeyMetricsAgent: capability.OfString("poolcast")})
}
