package simulator

import (
	"slices"
	"strings"
)

// mirrored are the tables whose objects a stretched pod has on each array.
var mirrored = []string{
	"pods", "pods/arrays", containers, "volume-groups", "volumes", "volume-snapshots", "volumes/tags",
	"protection-groups", groupVolumes, groupTargets, groupSnapshots,
}

// podOfObject is the name of the pod that an object of a table belongs to.
func podOfObject(kind string, o object) string {
	switch kind {
	case "pods", containers:
		return textAt(o, "name")
	case "pods/arrays":
		return textAt(o, "group.name")
	case "volumes/tags":
		return podOf(textAt(o, "resource.name"))
	case groupVolumes, groupTargets:
		return podOf(textAt(o, "group.name"))
	}
	return podOf(textAt(o, "name"))
}

// arraysOf are the names of the arrays that a pod is stretched to, sorted; "" for
// no pod.
func (d *draft) arraysOf(pod string) string {
	names := []string{}
	for _, o := range d.where("pods/arrays", "group.name", pod) {
		names = append(names, textAt(o, "member.name"))
	}
	if len(names) == 0 {
		names = []string{d.array.Name()}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// mirrors are the other arrays that a change of an object concerns.
func (d *draft) mirrors(kind string, objects ...object) []*draft {
	var found []*draft
	if d.tx == nil || !slices.Contains(mirrored, kind) || kind == "pods/arrays" {
		return nil
	}
	for _, a := range d.tx.link.arrays {
		concerned := slices.ContainsFunc(objects, func(o object) bool {
			pod := podOfObject(kind, o)
			return o != nil && pod != "" && slices.Contains(strings.Split(d.arraysOf(pod), ","), a.Name())
		})
		if a != d.array && concerned {
			found = append(found, d.tx.on(a))
		}
	}
	return found
}

// mirror makes a change that another array made to an object of a stretched pod.
func (d *draft) mirror(kind string, old, next object) {
	var mine object
	for _, o := range d.tables[kind] {
		if old != nil && identity(kind, o) == identity(kind, old) {
			mine = o
		}
	}
	if next != nil && !d.inPod(kind, next) {
		next = nil
	}
	if mine == nil && next == nil {
		return
	}
	if next != nil {
		next = clone(next)
		if kind == "volumes" {
			next["connection_count"] = int64(0) // derived from this array's connections
		}
		if mine != nil && kind == "protection-groups" {
			next["id"] = mine["id"]
		}
	}
	d.store(kind, mine, next)
}

// inPod reports whether this array has the pod of an object, or is to have it.
func (d *draft) inPod(kind string, o object) bool {
	if kind == "pods" || kind == "pods/arrays" || kind == containers {
		return true
	}
	_, exists := d.find("pods", "name", podOfObject(kind, o))
	return exists
}

// identity is what identifies an object on every array of its pod.
func identity(kind string, o object) string {
	switch kind {
	case "volumes", "volume-snapshots":
		return textAt(o, "id")
	case "volumes/tags":
		return textAt(o, "resource.id") + " " + textAt(o, "namespace") + " " + textAt(o, "key")
	case groupVolumes, groupTargets, "pods/arrays":
		return strings.ToLower(textAt(o, "group.name") + " " + textAt(o, "member.name"))
	}
	return strings.ToLower(textAt(o, "name"))
}
