package simulator

// createGroupSnapshots takes snapshots of every volume of a protection group at
// once, and sends them to its targets where the request says so.
func createGroupSnapshots(w *writing) ([]object, error) {
	groups, err := w.live("protection-groups", "source_")
	if err != nil {
		return nil, err
	}
	return each(groups, func(group object) (object, error) {
		if group["is_local"] != true {
			return nil, refuse(textAt(group, "name"), "Protection group is not local.")
		}
		suffix, err := w.suffix(groupSnapshots, textAt(group, "name"))
		if err != nil {
			return nil, err
		}
		o := w.snapshotGroup(group, suffix)
		if w.flag("replicate") || w.flag("replicate_now") || w.flag("for_replication") {
			w.replicate(group, suffix)
		}
		return o, nil
	})
}

// snapshotGroup takes the snapshots of one group.
func (d *draft) snapshotGroup(group object, suffix string) object {
	full := textAt(group, "name") + "." + suffix
	o := d.newGroupSnapshot(group, full, suffix)
	d.put(groupSnapshots, nil, o)
	for _, volume := range d.membersOf(group) {
		d.put("volume-snapshots", nil, d.memberSnapshot(volume, full, suffix))
	}
	return o
}

// membersOf are the live volumes of a group.
func (d *draft) membersOf(group object) []object {
	var volumes []object
	for _, member := range d.where(groupVolumes, "group.name", textAt(group, "name")) {
		if volume, ok := d.find("volumes", "id", textAt(member, "member.id")); ok && !isDestroyed(volume) {
			volumes = append(volumes, volume)
		}
	}
	return volumes
}

func (d *draft) newGroupSnapshot(group object, name, suffix string) object {
	space := clone(sub(group, "space"))
	return object{
		"id": d.nextID("group snapshot"), "name": name, "suffix": suffix, "created": d.now,
		"destroyed": false, "time_remaining": nil, "source": referenceTo(group), "pod": clone(sub(group, "pod")),
		"eradication_config": object{"manual_eradication": "enabled"}, "space": space,
	}
}

// memberSnapshot is the snapshot of one volume in a group's snapshot.
func (d *draft) memberSnapshot(volume object, groupSnapshot, suffix string) object {
	_, volumeGroup, name := splitName(textAt(volume, "name"))
	o := d.newSnapshot(volume, groupSnapshot+"."+joinName("", volumeGroup, name), suffix)
	o[groupOf] = groupSnapshot
	return o
}

func changeGroupSnapshots(w *writing) ([]object, error) {
	snapshots, err := w.named(groupSnapshots, "")
	if err != nil {
		return nil, err
	}
	destroyed, given := w.destroyed()
	if !given {
		return nil, refuse("destroyed", "Missing required member of the body.")
	}
	for _, o := range snapshots {
		if err := w.changeable(groupSnapshots, o, destroyed, given); err != nil {
			return nil, err
		}
	}
	return w.changeEach(groupSnapshots, snapshots, func(o object) error {
		w.setDestroyed(o, destroyed)
		for _, old := range w.where("volume-snapshots", groupOf, textAt(o, "name")) {
			snapshot := clone(old)
			w.setDestroyed(snapshot, destroyed)
			w.put("volume-snapshots", old, snapshot)
		}
		for _, old := range w.where(groupTransfers, "name", textAt(o, "name")) {
			transfer := clone(old)
			transfer["destroyed"] = destroyed
			w.put(groupTransfers, old, transfer)
		}
		return nil
	})
}
