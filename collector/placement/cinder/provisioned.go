package cinder

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// ProvisionedKey is the key of a report that the scheduler uses as the provisioned size:
// provisioned_capacity_gb, or without it allocated_capacity_gb
// (cinder/scheduler/host_manager.py, PoolState). The Pure driver sends the former since
// Cinder 29; before, it sent provisioned_capacity, which no scheduler reads.
func ProvisionedKey(r *capability.Report) string {
	if _, ok := r.Capabilities[capability.KeyProvisionedCapacity]; ok {
		return capability.KeyProvisionedCapacity
	}
	return capability.KeyAllocatedCapacity
}

// ProvisionedNote says for which reports the allocated size is used, "" if for none.
func ProvisionedNote(reports []capability.Report) string {
	var names []string
	for i := range reports {
		if ProvisionedKey(&reports[i]) != capability.KeyProvisionedCapacity {
			names = append(names, reports[i].Name())
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("virtual free of %s uses allocated_capacity_gb: its report has no provisioned_capacity_gb, as those of cinder-volume before 29", names[0])
	}
	return fmt.Sprintf("virtual free of %s uses allocated_capacity_gb: their reports have no provisioned_capacity_gb, as those of cinder-volume before 29", format.List(names))
}

// provisionedTerm is the name of that size in an explanation.
func provisionedTerm(r *capability.Report) string {
	if ProvisionedKey(r) == capability.KeyProvisionedCapacity {
		return "provisioned "
	}
	return "allocated "
}
