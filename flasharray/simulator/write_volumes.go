package simulator

import "strings"

// Limits of a volume's size, in bytes: the vendor's client documents them.
const (
	minVolume = 1 << 20
	maxVolume = 4 << 50
)

func createVolumes(w *writing) ([]object, error) {
	names, err := w.required("names")
	if err != nil {
		return nil, err
	}
	source, size, err := w.sourceAndSize()
	if err != nil {
		return nil, err
	}
	return each(names, func(name string) (object, error) { return w.createVolume(name, source, size) })
}

// sourceAndSize are the volume or snapshot to copy, if there is one, and the size.
func (w *writing) sourceAndSize() (source object, size int64, err error) {
	reference, given := w.body["source"].(object)
	if !given {
		size, err = w.provisioned()
		return nil, size, err
	}
	for _, kind := range []string{"volumes", "volume-snapshots"} {
		for _, key := range []string{"name", "id"} {
			if o, ok := w.find(kind, key, textAt(reference, key)); ok {
				if isDestroyed(o) {
					return nil, 0, beenDestroyed(kind, o)
				}
				return o, intAt(o, "provisioned"), nil
			}
		}
	}
	return nil, 0, refuse(textAt(reference, "name")+textAt(reference, "id"), "Source does not exist. No such volume or snapshot.")
}

// provisioned is the size in the body.
func (w *writing) provisioned() (int64, error) {
	size, ok := integer(w.body["provisioned"])
	if !ok || size < minVolume || size > maxVolume || size%512 != 0 {
		return 0, refuse("provisioned", "Invalid size: it must be a multiple of 512 from %d to %d.", minVolume, int64(maxVolume))
	}
	return size, nil
}

// createVolume creates a volume, or overwrites one.
func (w *writing) createVolume(name string, source object, size int64) (object, error) {
	old, exists := w.find("volumes", "name", name)
	if exists && w.flag("overwrite") && source != nil && !isDestroyed(old) {
		return w.overwrite(old, source, size), nil
	}
	if err := w.available("volumes", name); err != nil {
		return nil, err
	}
	o, err := w.newVolume(name, source, size)
	if err != nil {
		return nil, err
	}
	if err := w.setQoS(o); err != nil {
		return nil, err
	}
	w.put("volumes", nil, o)
	groups := w.values("add_to_protection_group_names")
	if w.params.Get("with_default_protection") != "false" {
		groups = append(groups, w.defaultGroups(podOf(name))...)
	}
	for _, group := range groups {
		if err := w.addMember(group, o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// overwrite replaces the data of a volume by those of a volume or snapshot.
func (w *writing) overwrite(old, source object, size int64) object {
	o := clone(old)
	o["provisioned"], o["source"], o["created"] = size, originOf(source), w.now
	o["space"] = copiedSpace(source, size)
	w.put("volumes", old, o)
	return o
}

// originOf is the reference of a copy to the volume that it has the data of.
func originOf(source object) object {
	if _, isSnapshot := source["suffix"]; isSnapshot {
		return clone(sub(source, "source"))
	}
	return referenceTo(source)
}

// volumeGroup finds the volume group of a name, in its pod.
func (d *draft) volumeGroup(pod, name string) (object, error) {
	if name == "" {
		return nullReference(), nil
	}
	return d.container("volume-groups", joinName(pod, "", name))
}

func (w *writing) newVolume(full string, source object, size int64) (object, error) {
	podName, groupName, name := splitName(full)
	if err := checkName("volumes", full, name); err != nil {
		return nil, err
	}
	pod, err := w.container("pods", podName)
	if err != nil {
		return nil, err
	}
	group, err := w.volumeGroup(podName, groupName)
	if err != nil {
		return nil, err
	}
	o := object{
		"id": w.nextID("volume"), "name": full, "created": w.now, "serial": w.nextSerial(),
		"provisioned": size, "destroyed": false, "time_remaining": nil,
		"connection_count": int64(0), "subtype": "regular", "host_encryption_key_status": "none",
		"promotion_status": "promoted", "requested_promotion_state": "promoted",
		"priority": int64(0), "priority_adjustment": object{
			"priority_adjustment_operator": "+", "priority_adjustment_value": int64(0),
		},
		"qos": object{"bandwidth_limit": nil, "iops_limit": nil},
		"pod": pod, "source": nullReference(), "volume_group": group, "workload": nil,
		"space": emptySpace(size),
	}
	if source != nil {
		o["source"], o["space"] = originOf(source), copiedSpace(source, size)
	}
	return o, nil
}

// emptySpace is the space of a volume to which nothing was written.
func emptySpace(provisioned int64) object {
	o := objectSpace(object{"data_reduction": 1.0, "thin_provisioning": 1.0, "total_reduction": 1.0}, provisioned, 0, 0)
	o["virtual"], o["used_provisioned"] = int64(0), int64(0)
	return o
}

// containerSpace is the space of a new host, pod or volume group: without what
// only volumes and arrays have.
func containerSpace() object {
	o := emptySpace(0)
	for _, name := range []string{"unique_effective", "snapshots_effective", "total_effective"} {
		delete(o, name)
	}
	return o
}

// copiedSpace is the space of a new copy: its data are shared with the source.
func copiedSpace(source object, size int64) object {
	o := emptySpace(size)
	written := intAt(source, "space.virtual")
	o["virtual"], o["used_provisioned"] = written, written
	if size > 0 {
		o["thin_provisioning"] = 1 - float64(written)/float64(size)
	}
	return o
}

func changeVolumes(w *writing) ([]object, error) {
	volumes, err := w.named("volumes", "")
	if err != nil {
		return nil, err
	}
	return each(volumes, w.changeVolume)
}

// changeVolume makes the changes that a request has for one volume.
func (w *writing) changeVolume(old object) (object, error) {
	destroyed, given := w.destroyed()
	switch {
	case given && destroyed && isDestroyed(old):
		return nil, refuse(textAt(old, "name"), "Volume does not exist.")
	case isDestroyed(old) && (!given || destroyed):
		return nil, beenDestroyed("volumes", old)
	case given && destroyed && intAt(old, "connection_count") > 0:
		return nil, refuse(textAt(old, "name"), "Volume cannot be destroyed due to existing connections.")
	case given && destroyed != isDestroyed(old):
		return w.destroyVolume(old, destroyed)
	}
	for _, group := range w.values("remove_from_protection_group_names") {
		if err := w.removeMember(group, textAt(old, "name")); err != nil {
			return nil, err
		}
	}
	o, err := w.resize(old)
	if err != nil {
		return nil, err
	}
	if o, err = w.renameVolume(o); err != nil {
		return nil, err
	}
	if o, err = w.moveVolume(o); err != nil {
		return nil, err
	}
	for _, group := range w.values("add_to_protection_group_names") {
		if err := w.addMember(group, o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// destroyVolume destroys a volume or recovers it, with its snapshots but those of
// protection groups.
func (w *writing) destroyVolume(old object, destroyed bool) (object, error) {
	for _, snapshot := range w.where("volume-snapshots", "source.id", textAt(old, "id")) {
		at, together := snapshot[eradicateAt], snapshot[groupOf] == nil
		if together && (destroyed != isDestroyed(snapshot)) && (destroyed || at == old[eradicateAt]) {
			s := clone(snapshot)
			w.setDestroyed(s, destroyed)
			w.put("volume-snapshots", snapshot, s)
		}
	}
	o := clone(old)
	w.setDestroyed(o, destroyed)
	w.put("volumes", old, o)
	for _, member := range w.where(groupVolumes, "member.id", textAt(old, "id")) {
		m := clone(member)
		sub(m, "member")["destroyed"] = destroyed
		w.put(groupVolumes, member, m)
	}
	return o, nil
}

// resize changes the size and the limits.
func (w *writing) resize(old object) (object, error) {
	o := clone(old)
	if w.body["provisioned"] != nil {
		size, err := w.provisioned()
		if err != nil {
			return nil, err
		}
		if size < intAt(o, "provisioned") && !w.flag("truncate") {
			return nil, refuse(textAt(o, "name"), "Implicit truncation not permitted.")
		}
		o["provisioned"] = size
		sub(o, "space")["total_provisioned"] = size
	}
	if err := w.setQoS(o); err != nil {
		return nil, err
	}
	w.put("volumes", old, o)
	return o, nil
}

// Limits of a limit: the driver has them.
var limits = map[string][2]int64{"iops_limit": {100, 100_000_000}, "bandwidth_limit": {1 << 20, 512 << 30}}

// setQoS sets the limits and the priority that the body has.
func (w *writing) setQoS(o object) error {
	qos, _ := w.body["qos"].(object)
	for name, value := range qos {
		limit, known := limits[name]
		if !known {
			return refuse(name, "The simulated array does not support this member of qos.")
		}
		n, isNumber := integer(value)
		if value != nil && (!isNumber || n < limit[0] || n > limit[1]) {
			return refuse(name, "Invalid limit: it must be from %d to %d.", limit[0], limit[1])
		}
		if isNumber {
			value = n
		}
		setAt(o, "qos."+name, value)
	}
	adjustment, _ := w.body["priority_adjustment"].(object)
	for name, value := range adjustment {
		_, isText := value.(string)
		_, isNumber := integer(value)
		if !isText && !isNumber {
			return refuse(name, "Invalid priority adjustment.")
		}
		setAt(o, "priority_adjustment."+name, value)
	}
	return nil
}

// renameVolume changes the name within its container.
func (w *writing) renameVolume(old object) (object, error) {
	full, given := w.body["name"].(string)
	was := textAt(old, "name")
	if !given || full == was {
		return old, nil
	}
	pod, group, name := splitName(full)
	if p, g, _ := splitName(was); !strings.EqualFold(p, pod) || !strings.EqualFold(g, group) {
		return nil, refuse(was, "Volume cannot be renamed into another container. Move it there with pod or volume_group.")
	}
	if err := checkName("volumes", full, name); err != nil {
		return nil, err
	}
	return w.nameVolume(old, full)
}

// nameVolume gives a volume, and so its snapshots, another name.
func (w *writing) nameVolume(old object, name string) (object, error) {
	if err := w.availableTo("volumes", textAt(old, "name"), name); err != nil {
		return nil, err
	}
	o := w.rename("volumes", old, name)
	for _, snapshot := range w.where("volume-snapshots", "source.id", textAt(o, "id")) {
		if snapshot[groupOf] == nil {
			w.rename("volume-snapshots", snapshot, name+"."+textAt(snapshot, "suffix"))
		}
	}
	return o, nil
}
