package simulator

// Endpoints of protection groups.
const (
	groupVolumes   = "protection-groups/volumes"
	groupTargets   = "protection-groups/targets"
	groupSnapshots = "protection-group-snapshots"
	groupTransfers = "protection-group-snapshots/transfer"
)

func createGroups(w *writing) ([]object, error) {
	return w.createEach(func(full string) (object, error) {
		pod, err := w.podOfNew("protection-groups", full)
		if err != nil {
			return nil, err
		}
		o := newGroup(w.nextID("protection group"), full, w.array.reference())
		o["pod"] = pod
		w.put("protection-groups", nil, o)
		return o, nil
	})
}

// newGroup is an empty protection group.
func newGroup(id, name string, source object) object {
	g := (&groupGenerator{common{fixture: &Fixture{}}}).item(serial{})
	g["id"], g["name"], g["source"] = id, name, source
	g["volume_count"] = int64(0)
	return g
}

func changeGroups(w *writing) ([]object, error) {
	groups, err := w.named("protection-groups", "")
	if err != nil {
		return nil, err
	}
	destroyed, given := w.destroyed()
	for _, group := range groups {
		if err := w.changeable("protection-groups", group, destroyed, given); err != nil {
			return nil, err
		}
	}
	changed, err := w.changeEach("protection-groups", groups, func(o object) error {
		if given {
			w.setDestroyed(o, destroyed)
		}
		return w.setGroup(o)
	})
	for _, group := range changed {
		w.copySettings(group)
	}
	return changed, err
}

// groupSettings are the members of a group that can be set.
var groupSettings = []string{"replication_schedule", "snapshot_schedule", "source_retention", "target_retention"}

// setGroup sets the schedules and retentions that the body has.
func (w *writing) setGroup(o object) error {
	for _, name := range groupSettings {
		given, _ := w.body[name].(object)
		for member, value := range given {
			if _, known := sub(o, name)[member]; !known {
				return refuse(member, "The simulated array does not support this member of %s.", name)
			}
			if n, isNumber := integer(value); isNumber {
				value = n
			}
			if !validSetting(member, value) {
				return refuse(member, "Invalid value of %s.", name)
			}
			sub(o, name)[member] = value
		}
	}
	if replicates(o) && o[replicatedAt] == nil {
		o[replicatedAt] = int64(0) // the first copy is sent at once
	}
	return nil
}

// validSetting checks the type of a member of a schedule or retention.
func validSetting(member string, value any) bool {
	if value == nil {
		return true
	}
	switch member {
	case "enabled":
		_, isBool := value.(bool)
		return isBool
	case "frequency":
		n, isNumber := value.(int64)
		return isNumber && n >= 300_000 && n <= 34*day
	}
	n, isNumber := value.(int64)
	return isNumber && n >= 0
}

// replicates reports a group whose replication schedule is enabled.
func replicates(group object) bool {
	return sub(group, "replication_schedule")["enabled"] == true && group["is_local"] == true && !isDestroyed(group)
}

func newMember(group, volume object) object {
	member := referenceTo(volume)
	member["destroyed"] = isDestroyed(volume)
	return object{"group": referenceTo(group), "member": member}
}

func addMembers(w *writing) ([]object, error) {
	groups, err := w.live("protection-groups", "group_")
	if err != nil {
		return nil, err
	}
	volumes, err := w.live("volumes", "member_")
	if err != nil {
		return nil, err
	}
	return eachPair(groups, volumes, func(group, volume object) (object, error) {
		return newMember(group, volume), w.addMember(textAt(group, "name"), volume)
	})
}

// addMember adds a volume to a protection group of the same pod.
func (d *draft) addMember(groupName string, volume object) error {
	name := textAt(volume, "name")
	group, exists := d.find("protection-groups", "name", groupName)
	switch {
	case !exists:
		return refuse(groupName, "Protection group does not exist.")
	case isDestroyed(group):
		return beenDestroyed("protection-groups", group)
	case group["is_local"] != true:
		return refuse(groupName, "Protection group is not local.")
	case podOf(groupName) != podOf(name):
		return refuse(name, "Volume and protection group must be in the same pod.")
	}
	for _, o := range d.where(groupVolumes, "member.id", textAt(volume, "id")) {
		if textAt(o, "group.name") == textAt(group, "name") {
			return refuse(name, "Volume already belongs to the protection group.")
		}
	}
	d.put(groupVolumes, nil, newMember(group, volume))
	return nil
}

func removeMembers(w *writing) ([]object, error) {
	groups, err := w.named("protection-groups", "group_")
	if err != nil {
		return nil, err
	}
	volumes, err := w.named("volumes", "member_")
	if err != nil {
		return nil, err
	}
	return nil, forPairs(groups, volumes, func(group, volume object) error {
		return w.removeMember(textAt(group, "name"), textAt(volume, "name"))
	})
}

func (d *draft) removeMember(group, volume string) error {
	for _, o := range d.where(groupVolumes, "member.name", volume) {
		if containsFold([]string{group}, textAt(o, "group.name")) {
			d.put(groupVolumes, o, nil)
			return nil
		}
	}
	return refuse(volume, "Protection group membership could not be found.")
}
