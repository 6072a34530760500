package simulator

// derive brings the counts and sizes that follow from other tables up to date,
// after a change of any of these.
func (d *draft) derive() {
	d.deriveConnections()
	d.deriveVolumes()
	d.deriveGroups()
	d.derivePods()
}

// set replaces object i of a table by a copy with other values, if they differ.
func (d *draft) set(kind string, i int, values map[string]any) {
	old := d.tables[kind][i]
	differ := false
	for path, value := range values {
		have, _ := lookup(old, path)
		if n, ok := integer(have); ok {
			have = n
		}
		differ = differ || have != value
	}
	if !differ {
		return
	}
	next := clone(old)
	for path, value := range values {
		setAt(next, path, value)
	}
	d.replace(kind, i, next)
}

// deriveConnections counts the connections of hosts and volumes.
func (d *draft) deriveConnections() {
	byVolume, byHost, provisioned := map[string]int64{}, map[string]int64{}, map[string]int64{}
	sizes := map[string]int64{}
	for _, o := range d.tables["volumes"] {
		sizes[textAt(o, "id")] = intAt(o, "provisioned")
	}
	for _, c := range d.tables["connections"] {
		byVolume[textAt(c, "volume.id")]++
		byHost[textAt(c, "host.name")]++
		provisioned[textAt(c, "host.name")] += sizes[textAt(c, "volume.id")]
	}
	for i, o := range d.tables["volumes"] {
		d.set("volumes", i, map[string]any{"connection_count": byVolume[textAt(o, "id")]})
	}
	for i, o := range d.tables["hosts"] {
		if name := textAt(o, "name"); !isRemote(o) || byHost[name] > 0 { // recorded remote hosts keep their count
			d.set("hosts", i, map[string]any{"connection_count": byHost[name], "space.total_provisioned": provisioned[name]})
		}
	}
}

// deriveVolumes counts the volumes of volume groups and sums their sizes, and
// those of pods.
func (d *draft) deriveVolumes() {
	count, sum := map[string]int64{}, map[string]int64{}
	for _, o := range d.tables["volumes"] {
		if isDestroyed(o) {
			continue
		}
		for _, container := range []string{"volume_group.name", "pod.name"} {
			if name := textAt(o, container); name != "" {
				count[container+" "+name]++
				sum[container+" "+name] += intAt(o, "provisioned")
			}
		}
	}
	for i, o := range d.tables["volume-groups"] {
		key := "volume_group.name " + textAt(o, "name")
		d.set("volume-groups", i, map[string]any{"volume_count": count[key], "space.total_provisioned": sum[key]})
	}
	for i, o := range d.tables["pods"] {
		d.set("pods", i, map[string]any{"space.total_provisioned": sum["pod.name "+textAt(o, "name")]})
	}
}

// deriveGroups counts the members and targets of local protection groups.
func (d *draft) deriveGroups() {
	members, targets := map[string]int64{}, map[string]int64{}
	for _, o := range d.tables[groupVolumes] {
		if destroyed, _ := lookup(o, "member.destroyed"); destroyed != true {
			members[textAt(o, "group.name")]++
		}
	}
	for _, o := range d.tables[groupTargets] {
		targets[textAt(o, "group.name")]++
	}
	for i, o := range d.tables["protection-groups"] {
		if name := textAt(o, "name"); o["is_local"] == true && !isDestroyed(o) {
			d.set("protection-groups", i, map[string]any{"volume_count": members[name], "target_count": targets[name]})
		}
	}
}

// derivePods counts the arrays of pods.
func (d *draft) derivePods() {
	count := map[string]int64{}
	for _, o := range d.tables["pods/arrays"] {
		count[textAt(o, "group.name")]++
	}
	for i, o := range d.tables["pods"] {
		d.set("pods", i, map[string]any{"array_count": count[textAt(o, "name")]})
	}
}
