package cinder

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// defaultPool is the pool of a backend that does not name one
// (cinder/volume/volume_utils.py, DEFAULT_POOL_NAME).
const defaultPool = "_pool0"

// NewSnapshot reads reports as the scheduler does: a backend is named
// host@stanza#pool, or cluster@stanza#pool, and may have several pools; the hosts of
// one cluster are one backend, in the place of the first and with the last report of
// any of them; and a protocol has all its spellings (cinder/scheduler/host_manager.py).
func NewSnapshot(reports []capability.Report) *placement.Snapshot {
	return placement.NewSnapshot(onePerBackend(reports), placement.SnapshotOptions{ID: PoolID, Read: read})
}

// PoolID is the scheduler's name for the pool of a report.
func PoolID(r *capability.Report) string { return withPool(r.Identity(), r) }

// poolHost is the name of the pool by its host, also where the cluster's is used.
func poolHost(r *capability.Report) string { return withPool(r.Host, r) }

func withPool(backend string, r *capability.Report) string {
	if pool := poolName(r); pool != "" {
		return backend + "#" + pool
	}
	return backend
}

func poolName(r *capability.Report) string {
	if r.PoolName != "" {
		return r.PoolName
	}
	v := r.Capabilities[capability.KeyVolumeBackendName]
	if v.IsNull() {
		return defaultPool
	}
	return v.String()
}

func onePerBackend(reports []capability.Report) []capability.Report {
	out := make([]capability.Report, 0, len(reports))
	at := make(map[string]int, len(reports))
	for _, r := range reports {
		pool := r.Identity() + "#" + r.PoolName
		if first, ok := at[pool]; ok {
			out[first].Capabilities = r.Capabilities
			continue
		}
		at[pool] = len(out)
		out = append(out, r)
	}
	return out
}

// read looks a capability up as the scheduler does: protocols with all their
// spellings, and four keys that it always has.
func read(r *capability.Report, key string) (capability.Value, bool) {
	v, ok := r.Capabilities[key]
	switch key {
	case capability.KeyStorageProtocol:
		return allSpellings(v), true
	case capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion:
		return v, true
	}
	return v, ok
}

// spellings are the protocols that have several (cinder/common/constants.py).
func spellings() [][]string {
	return [][]string{
		{"iSCSI", "iscsi"},
		{"FC", "fibre_channel", "fc"},
		{"NFS", "nfs"},
		{"NVMe-oF", "NVMeOF", "nvmeof"},
	}
}

func allSpellings(protocol capability.Value) capability.Value {
	name, ok := protocol.Str()
	if !ok {
		return protocol
	}
	for _, s := range spellings() {
		if slices.Contains(s, name) {
			return capability.OfStrings(s...)
		}
	}
	return protocol
}
