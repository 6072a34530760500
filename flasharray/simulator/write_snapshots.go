package simulator

import (
	"strconv"
	"strings"
)

func createSnapshots(w *writing) ([]object, error) {
	volumes, err := w.live("volumes", "source_")
	if err != nil {
		return nil, err
	}
	return each(volumes, func(volume object) (object, error) {
		suffix, err := w.suffix("volume-snapshots", textAt(volume, "name"))
		if err != nil {
			return nil, err
		}
		o := w.newSnapshot(volume, textAt(volume, "name")+"."+suffix, suffix)
		w.put("volume-snapshots", nil, o)
		return o, nil
	})
}

// suffix is the suffix in the body, or the first free number, checked.
func (w *writing) suffix(kind, source string) (string, error) {
	suffix, given := w.body["suffix"].(string)
	for n := len(w.where(kind, "source.name", source)) + 1; !given; n++ {
		suffix = strconv.Itoa(n)
		_, taken := w.find(kind, "name", source+"."+suffix)
		given = !taken
	}
	if !plainName.MatchString(suffix) {
		return "", refuse(suffix, "%s suffix is invalid: it must have 1 to 63 letters, digits, \"_\" and \"-\".", nouns[kind])
	}
	return suffix, w.available(kind, source+"."+suffix)
}

// newSnapshot is a snapshot of a volume as it is now.
func (d *draft) newSnapshot(volume object, name, suffix string) object {
	return object{
		"id": d.nextID("snapshot"), "name": name, "suffix": suffix, "created": d.now,
		"destroyed": false, "time_remaining": nil, "provisioned": volume["provisioned"], "serial": d.nextSerial(),
		"source": referenceTo(volume), "pod": clone(sub(volume, "pod")), "volume_group": clone(sub(volume, "volume_group")),
		"space": snapshotSpace(volume),
	}
}

// snapshotSpace is the space of a new snapshot: all its data are the volume's.
func snapshotSpace(volume object) object {
	return object{
		"snapshots": int64(0), "total_physical": int64(0), "total_used": int64(0), "total_provisioned": volume["provisioned"],
		"data_reduction": 1.0, "thin_provisioning": 0.0, "total_reduction": 1.0,
		"used_provisioned": nil, "virtual": nil, "unique": int64(0), "shared": nil, "system": nil,
		"snapshots_effective": nil, "footprint": nil,
	}
}

func changeSnapshots(w *writing) ([]object, error) {
	snapshots, err := w.named("volume-snapshots", "")
	if err != nil {
		return nil, err
	}
	destroyed, given := w.destroyed()
	for _, o := range snapshots {
		if err := w.changeable("volume-snapshots", o, destroyed, given); err != nil {
			return nil, err
		}
		if o[groupOf] != nil {
			return nil, refuse(textAt(o, "name"), "Volume snapshot is part of a protection group snapshot. Change that instead.")
		}
	}
	return w.changeEach("volume-snapshots", snapshots, func(o object) error {
		if given {
			w.setDestroyed(o, destroyed)
		}
		return w.nameSnapshot(o)
	})
}

// changeable refuses to destroy a destroyed object, and any other change of one
// but its recovery.
func (d *draft) changeable(kind string, o object, destroyed, given bool) error {
	if isDestroyed(o) && (destroyed || !given) {
		return beenDestroyed(kind, o)
	}
	return nil
}

// nameSnapshot changes the suffix. The name in the body may have the volume's
// name before it.
func (w *writing) nameSnapshot(o object) error {
	name, given := w.body["name"].(string)
	if !given {
		return nil
	}
	volume, was := textAt(o, "source.name"), textAt(o, "name")
	suffix := name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		if !strings.EqualFold(name[:i], volume) {
			return refuse(was, "Volume snapshot cannot be renamed to another volume's.")
		}
		suffix = name[i+1:]
	}
	full := volume + "." + suffix
	if !plainName.MatchString(suffix) {
		return refuse(was, "Volume snapshot suffix is invalid: it must have 1 to 63 letters, digits, \"_\" and \"-\".")
	}
	if err := w.availableTo("volume-snapshots", was, full); err != nil {
		return err
	}
	o["name"], o["suffix"] = full, suffix
	return nil
}

// eradicateNamed eradicates destroyed objects and what they contain.
func (w *writing) eradicateNamed(kind string) ([]object, error) {
	found, err := w.named(kind, "")
	if err != nil {
		return nil, err
	}
	for _, o := range found {
		if !isDestroyed(o) {
			return nil, refuse(textAt(o, "name"), "%s is not destroyed. Destroy it before it is eradicated.", nouns[kind])
		}
		w.eradicate(kind, o)
	}
	return nil, nil
}

// eradicator is the operation that eradicates objects of a kind.
func eradicator(kind string) func(*writing) ([]object, error) {
	return func(w *writing) ([]object, error) { return w.eradicateNamed(kind) }
}

// contents are what is eradicated with an object, by its kind: tables, and the
// path in them that has its name.
var contents = map[string]map[string]string{
	"volumes":           {"volumes/tags": "resource.name", groupVolumes: "member.name"},
	"volume-groups":     {"volumes": "volume_group.name"},
	"protection-groups": {groupVolumes: "group.name", groupTargets: "group.name", groupSnapshots: "source.name"},
	groupSnapshots:      {groupTransfers: "name"},
	"pods": {
		"volumes": "pod.name", "protection-groups": "pod.name", "volume-groups": "pod.name", "pods/arrays": "group.name",
		containers: "name",
	},
}

// eradicate removes an object and what it contains.
func (d *draft) eradicate(kind string, o object) {
	for table, path := range contents[kind] {
		for _, child := range d.where(table, path, textAt(o, "name")) {
			d.eradicate(table, child)
		}
	}
	switch kind {
	case "volumes":
		for _, snapshot := range d.where("volume-snapshots", "source.id", textAt(o, "id")) {
			if snapshot[groupOf] == nil {
				d.eradicate("volume-snapshots", snapshot)
			}
		}
	case groupSnapshots:
		for _, snapshot := range d.where("volume-snapshots", groupOf, textAt(o, "name")) {
			d.eradicate("volume-snapshots", snapshot)
		}
	}
	d.put(kind, o, nil)
}
