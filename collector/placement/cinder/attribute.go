package cinder

import (
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// attribute returns what the scheduler keeps of a pool under a name
// (PoolState in cinder/scheduler/host_manager.py); null for what it does not
// keep. Of the time of its last update it keeps a Python object that no
// comparison can use, so that is null too.
func (p *pool) attribute(b *placement.Backend, name string) capability.Value {
	switch name {
	case "host":
		return capability.OfString(p.host)
	case "cluster_name":
		return textOrNull(p.cluster)
	case "backend_id":
		return capability.OfString(b.ID())
	case "pool_name":
		return capability.OfString(poolName(b.Report()))
	case "capabilities":
		return capability.OfSet(b.Report().Capabilities)
	case "service":
		return capability.OfSet(capability.Set{
			"host":              capability.OfString(b.Report().Host),
			"availability_zone": textOrNull(b.Report().Zone),
		})
	case "pools":
		return capability.OfSet(nil)
	case capability.KeyMaxOverSubscription:
		return capability.OfFloat(p.ratio)
	}
	return reported(b, name)
}

func textOrNull(s string) capability.Value {
	if s == "" {
		return capability.Value{}
	}
	return capability.OfString(s)
}

// reported are the attributes copied from the report, with the defaults that
// the scheduler gives them.
func reported(b *placement.Backend, name string) capability.Value {
	switch name {
	case capability.KeyFreeCapacity, capability.KeyAllocatedCapacity, capability.KeyProvisionedCapacity:
		return current(b, name)
	case capability.KeyTotalCapacity, capability.KeyReservedPercentage, capability.KeyGoodnessFunction:
		return valueOr(b, name, capability.OfInt(0))
	case capability.KeyQoSSupport, capability.KeyThinProvisioning, capability.KeyMultiattach, "thick_provisioning_support":
		return valueOr(b, name, capability.OfBool(false))
	case capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion,
		capability.KeyStorageProtocol, capability.KeyFilterFunction:
		return valueOr(b, name, capability.Value{})
	}
	return capability.Value{}
}

// current is a capacity after what was placed since the report.
func current(b *placement.Backend, name string) capability.Value {
	v, ok := b.Value(name)
	if ok && (!b.Charged() || v.Kind() == capability.String || v.IsNull()) {
		return v
	}
	space := b.Space()
	switch name {
	case capability.KeyFreeCapacity:
		return capability.OfFloat(space.Free)
	case capability.KeyAllocatedCapacity:
		return capability.OfFloat(space.Allocated)
	}
	return capability.OfFloat(space.Provisioned)
}
