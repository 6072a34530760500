package simulator

import "strings"

// containers have default protection: the protection groups of new volumes.
const containers = "container-default-protections"

func createVolumeGroups(w *writing) ([]object, error) {
	return w.createEach(func(full string) (object, error) {
		pod, err := w.podOfNew("volume-groups", full)
		if err != nil {
			return nil, err
		}
		o := newVolumeGroup(w.nextID("volume group"), full, pod)
		if err := w.setQoS(o); err != nil {
			return nil, err
		}
		w.put("volume-groups", nil, o)
		return o, nil
	})
}

func newVolumeGroup(id, name string, pod object) object {
	return object{
		"id": id, "name": name, "destroyed": false, "time_remaining": nil, "volume_count": int64(0),
		"qos": object{"bandwidth_limit": nil, "iops_limit": nil}, "pod": pod,
		"priority_adjustment": object{"priority_adjustment_operator": "+", "priority_adjustment_value": int64(0)},
		"space":               containerSpace(), "workload": nil,
	}
}

func changeVolumeGroups(w *writing) ([]object, error) {
	groups, err := w.named("volume-groups", "")
	if err != nil {
		return nil, err
	}
	destroyed, given := w.destroyed()
	for _, group := range groups {
		if err := w.changeable("volume-groups", group, destroyed, given); err != nil {
			return nil, err
		}
		if err := w.destroyContents("volume-groups", "volume_group.name", group, destroyed); err != nil {
			return nil, err
		}
	}
	return w.changeEach("volume-groups", groups, func(o object) error {
		if given {
			w.setDestroyed(o, destroyed)
		}
		return w.setQoS(o)
	})
}

// destroyContents destroys the volumes of a container that is destroyed, which
// must be empty without destroy_contents.
func (w *writing) destroyContents(kind, path string, container object, destroyed bool) error {
	if !destroyed {
		return nil
	}
	for _, volume := range w.where("volumes", path, textAt(container, "name")) {
		if isDestroyed(volume) {
			continue
		}
		if !w.flag("destroy_contents") {
			return refuse(textAt(container, "name"), "%s is not empty.", nouns[kind])
		}
		if intAt(volume, "connection_count") > 0 {
			return refuse(textAt(volume, "name"), "Volume cannot be destroyed due to existing connections.")
		}
		if _, err := w.destroyVolume(volume, true); err != nil {
			return err
		}
	}
	return nil
}

// newContainer is the default protection of a pod, or of the array without one.
func newContainer(pod object) object {
	if pod == nil {
		return object{"id": nil, "name": nil, "type": nil, "default_protections": []any{}}
	}
	return object{"id": pod["id"], "name": pod["name"], "type": "pod", "default_protections": []any{}}
}

// defaultGroups are the names of the protection groups that new volumes of a pod
// are added to; without a pod those of the array.
func (d *draft) defaultGroups(pod string) []string {
	var names []string
	for _, container := range d.tables[containers] {
		if !strings.EqualFold(textAt(container, "name"), pod) {
			continue
		}
		list, _ := container["default_protections"].([]any)
		for _, element := range list {
			o, _ := element.(object)
			names = append(names, textAt(o, "name"))
		}
	}
	return names
}

func changeContainers(w *writing) ([]object, error) {
	given, isList := w.body["default_protections"].([]any)
	if !isList {
		return nil, refuse("default_protections", "Missing required member of the body.")
	}
	protections := []any{}
	for _, element := range given {
		o, _ := element.(object)
		group, exists := w.find("protection-groups", "name", textAt(o, "name"))
		if !exists {
			return nil, refuse(textAt(o, "name"), "Protection group does not exist.")
		}
		protections = append(protections, object{"id": group["id"], "name": group["name"], "type": "protection_group"})
	}
	found := w.tables[containers][:1] // the array's own
	if w.values("names") != nil || w.values("ids") != nil {
		var err error
		if found, err = w.named(containers, ""); err != nil {
			return nil, err
		}
	}
	return w.changeEach(containers, found, func(o object) error {
		o["default_protections"] = cloneValue(protections)
		return nil
	})
}

// moveVolume moves a volume into the pod or volume group of the body, or out of
// it where the name is "".
func (w *writing) moveVolume(old object) (object, error) {
	was := textAt(old, "name")
	_, _, name := splitName(was)
	pod, toPod := w.body["pod"].(object)
	group, toGroup := w.body["volume_group"].(object)
	var podName, groupName string
	switch {
	case toPod && toGroup:
		return nil, refuse(was, "Volume cannot be moved into a pod and a volume group at once.")
	case toPod:
		podName = textAt(pod, "name")
	case toGroup:
		groupName = textAt(group, "name")
	default:
		return old, nil
	}
	if err := w.movable(old, podName); err != nil {
		return nil, err
	}
	podReference, err := w.container("pods", podName)
	if err != nil {
		return nil, err
	}
	groupReference, err := w.volumeGroup(podName, groupName)
	if err != nil {
		return nil, err
	}
	o, err := w.nameVolume(old, joinName(podName, groupName, name))
	if err != nil {
		return nil, err
	}
	moved := clone(o)
	moved["pod"], moved["volume_group"] = podReference, groupReference
	w.put("volumes", o, moved)
	for _, old := range w.where("volume-snapshots", "source.id", textAt(o, "id")) {
		snapshot := clone(old)
		snapshot["pod"], snapshot["volume_group"] = podReference, groupReference
		w.put("volume-snapshots", old, snapshot)
	}
	return moved, nil
}

// movable refuses to move a volume between pods unless both are stretched to the
// same arrays, and out of or into a pod while the volume is in a protection group.
func (w *writing) movable(volume object, pod string) error {
	was := textAt(volume, "name")
	if strings.EqualFold(podOf(was), pod) {
		return nil
	}
	if members := w.where(groupVolumes, "member.name", was); len(members) > 0 {
		return refuse(was, "Volume cannot be moved because it belongs to protection group %s.", textAt(members[0], "group.name"))
	}
	if from, to := w.arraysOf(podOf(was)), w.arraysOf(pod); from != to {
		return refuse(was, "Volume cannot be moved between pods that are not stretched to the same arrays.")
	}
	return nil
}
