package collector

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
)

// driverRelease is the version of the Pure driver whose report this package
// reproduces (cinder/volume/drivers/pure.py, VERSION).
const driverRelease = "23.0"

// driverVersion is the VERSION of the driver class that serves the protocol.
func driverVersion(st Stanza) string {
	if st.DriverVersion != "" {
		return st.DriverVersion
	}
	switch st.Protocol {
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

// declareReplication gives the replication keys that follow from the
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

// replicationCapability says which kinds of replication the array's links
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
