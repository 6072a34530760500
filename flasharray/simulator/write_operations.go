package simulator

import "maps"

// operation is one supported combination of method and endpoint. params and body
// are the query parameters and members of the body that it supports; anything
// else is refused.
type operation struct {
	run          func(*writing) ([]object, error)
	params, body string
}

const (
	selected     = "names ids"
	groupMembers = "group_names group_ids member_names member_ids"
)

// operations are the supported changes, by method and endpoint.
func operations() map[string]operation {
	all := volumeOperations()
	maps.Copy(all, hostOperations())
	maps.Copy(all, podOperations())
	maps.Copy(all, groupOperations())
	return all
}

func volumeOperations() map[string]operation {
	return map[string]operation{
		"POST volumes": {
			createVolumes, "names overwrite with_default_protection add_to_protection_group_names",
			"provisioned source subtype qos priority_adjustment",
		},
		"PATCH volumes": {
			changeVolumes, selected + " truncate add_to_protection_group_names remove_from_protection_group_names",
			"provisioned destroyed name qos pod volume_group priority_adjustment",
		},
		"DELETE volumes":          {eradicator("volumes"), selected, ""},
		"PUT volumes/tags/batch":  {putTags, "resource_names resource_ids", "key value namespace copyable"},
		"DELETE volumes/tags":     {deleteTags, "resource_names resource_ids namespaces keys", ""},
		"POST volume-snapshots":   {createSnapshots, "source_names source_ids", "suffix"},
		"PATCH volume-snapshots":  {changeSnapshots, selected, "destroyed name"},
		"DELETE volume-snapshots": {eradicator("volume-snapshots"), selected, ""},
		"POST volume-groups":      {createVolumeGroups, "names", "qos priority_adjustment"},
		"PATCH volume-groups":     {changeVolumeGroups, selected + " destroy_contents", "destroyed qos priority_adjustment"},
		"DELETE volume-groups":    {eradicator("volume-groups"), selected + " eradicate_contents", ""},
	}
}

func hostOperations() map[string]operation {
	return map[string]operation{
		"POST hosts": {createHosts, "names", hostBody},
		"PATCH hosts": {
			changeHosts, "names",
			hostBody + " name add_iqns add_nqns add_wwns remove_iqns remove_nqns remove_wwns",
		},
		"DELETE hosts":       {deleteHosts, "names", ""},
		"POST connections":   {connect, "host_names volume_names volume_ids", "lun"},
		"DELETE connections": {disconnect, "host_names volume_names volume_ids", ""},
	}
}

func podOperations() map[string]operation {
	return map[string]operation{
		"POST pods":           {createPods, "names with_default_protection", ""},
		"PATCH pods":          {changePods, selected + " destroy_contents", "destroyed"},
		"DELETE pods":         {eradicatePods, selected + " eradicate_contents", ""},
		"POST pods/arrays":    {stretchPods, groupMembers, ""},
		"DELETE pods/arrays":  {unstretchPods, groupMembers, ""},
		"PATCH " + containers: {changeContainers, selected, "default_protections"},
	}
}

func groupOperations() map[string]operation {
	return map[string]operation{
		"POST protection-groups": {createGroups, "names", ""},
		"PATCH protection-groups": {
			changeGroups, selected,
			"destroyed replication_schedule snapshot_schedule source_retention target_retention",
		},
		"DELETE protection-groups": {eradicator("protection-groups"), selected, ""},
		"POST " + groupVolumes:     {addMembers, groupMembers, ""},
		"DELETE " + groupVolumes:   {removeMembers, groupMembers, ""},
		"POST " + groupTargets:     {addTargets, groupMembers, ""},
		"PATCH " + groupTargets:    {allowTargets, groupMembers, "allowed"},
		"DELETE " + groupTargets:   {removeTargets, groupMembers, ""},
		"POST " + groupSnapshots: {
			createGroupSnapshots, "source_names source_ids replicate replicate_now for_replication apply_retention", "suffix",
		},
		"PATCH " + groupSnapshots:  {changeGroupSnapshots, selected, "destroyed"},
		"DELETE " + groupSnapshots: {eradicator(groupSnapshots), selected, ""},
	}
}
