package simulator

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// plainName is a name without its container: letters, digits, "_" and "-", not at
// its ends, with a letter or one of these, at most 63.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$`)

// checkName checks a name without its container.
func checkName(kind, full, name string) error {
	if !plainName.MatchString(name) || strings.Trim(name, "0123456789") == "" {
		return refuse(full, "%s name is invalid: it must have 1 to 63 letters, digits, \"_\" and \"-\", "+
			"begin and end with a letter or digit, and have one that is not a digit.", nouns[kind])
	}
	return nil
}

// splitName splits pod::name, group/name and pod::group/name.
func splitName(full string) (pod, volumeGroup, name string) {
	name = full
	if before, after, ok := strings.Cut(name, "::"); ok {
		pod, name = before, after
	}
	if before, after, ok := strings.Cut(name, "/"); ok {
		volumeGroup, name = before, after
	}
	return pod, volumeGroup, name
}

// joinName is the inverse of splitName.
func joinName(pod, volumeGroup, name string) string {
	if volumeGroup != "" {
		name = volumeGroup + "/" + name
	}
	if pod != "" {
		name = pod + "::" + name
	}
	return name
}

// podOf is the pod of a name, or "".
func podOf(full string) string {
	pod, _, _ := splitName(full)
	return pod
}

// available refuses a name that an object of the kind has.
func (d *draft) available(kind, name string) error {
	o, exists := d.find(kind, "name", name)
	switch {
	case exists && isDestroyed(o):
		return beenDestroyed(kind, o)
	case exists:
		return refuse(name, "%s already exists.", nouns[kind])
	}
	return nil
}

// podOfNew checks the name of a new object, and returns the reference to the pod that
// the name has, or to none.
func (d *draft) podOfNew(kind, full string) (object, error) {
	podName, _, name := splitName(full)
	if err := checkName(kind, full, name); err != nil {
		return nil, err
	}
	pod, err := d.container("pods", podName)
	if err != nil {
		return nil, err
	}
	return pod, d.available(kind, full)
}

// availableTo refuses a name that another object of the kind has. Case alone may change.
func (d *draft) availableTo(kind, was, name string) error {
	if strings.EqualFold(was, name) {
		return nil
	}
	return d.available(kind, name)
}

// container finds the live pod or volume group of a name. The name "" is a
// reference to none.
func (d *draft) container(kind, name string) (object, error) {
	if name == "" {
		return nullReference(), nil
	}
	o, exists := d.find(kind, "name", name)
	switch {
	case !exists:
		return nil, refuse(name, "%s does not exist.", nouns[kind])
	case isDestroyed(o):
		return nil, beenDestroyed(kind, o)
	}
	return referenceTo(o), nil
}

// referenceTo has the id and name of an object.
func referenceTo(o object) object { return object{"id": o["id"], "name": o["name"]} }

// nextID is a new object's id: a function of the array's id and of how many were
// made before.
func (d *draft) nextID(kind string) string {
	d.serials++
	return uuidOf(sha256.Sum256(fmt.Appendf(nil, "%s %s %d", d.array.fixture.id, kind, d.serials)))
}

// nextSerial is a new volume's serial number, unlike those of generated ones.
func (d *draft) nextSerial() string {
	digits := strings.ToUpper(strings.ReplaceAll(d.array.fixture.id, "-", "")) + strings.Repeat("0", 16)
	return digits[:16] + fmt.Sprintf("%08X", 0x40000000+d.serials)
}

// references are where objects name objects of a kind, by table.
var references = map[string]map[string]string{
	"volumes":           {"connections": "volume", groupVolumes: "member", "volumes/tags": "resource", "volumes": "source", "volume-snapshots": "source"},
	"hosts":             {"connections": "host"},
	"protection-groups": {groupVolumes: "group", groupTargets: "group", groupSnapshots: "source"},
	"pods": {
		"volumes": "pod", "volume-snapshots": "pod", "protection-groups": "pod", groupSnapshots: "pod", "pods/arrays": "group",
	},
	"volume-groups": {"volumes": "volume_group", "volume-snapshots": "volume_group"},
}

// rename changes the name of an object, also in the objects that refer to it.
func (d *draft) rename(kind string, old object, name string) object {
	next := clone(old)
	next["name"] = name
	d.put(kind, old, next)
	was := textAt(old, "name")
	for table, member := range references[kind] {
		for _, o := range d.where(table, member+".name", was) {
			d.put(table, o, withReference(o, member, name))
		}
	}
	if kind == "volumes" { // other arrays list its connections too
		for _, peer := range d.podPeers(next) {
			for _, o := range peer.where("connections", "volume.name", was) {
				peer.store("connections", o, withReference(o, "volume", name))
			}
		}
	}
	return next
}

// withReference is a copy of an object that refers to another name.
func withReference(o object, member, name string) object {
	c := maps.Clone(o)
	c[member] = maps.Clone(sub(o, member))
	sub(c, member)["name"] = name
	return c
}

// setAt sets the value at a dotted path, whose parents are objects.
func setAt(o object, path string, value any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		o[name] = value
		return
	}
	if child, ok := o[name].(object); ok {
		setAt(child, rest, value)
	}
}

// setDestroyed destroys an object, or recovers it.
func (d *draft) setDestroyed(o object, destroyed bool) {
	o["destroyed"], o["time_remaining"] = destroyed, nil
	delete(o, eradicateAt)
	if destroyed {
		o[eradicateAt] = d.now + d.array.eradicationDelay()
		o["time_remaining"] = d.array.eradicationDelay()
	}
}

// eradicationDelay is how long a destroyed object is kept, in ms.
func (a *Array) eradicationDelay() int64 {
	if ms := intAt(a.recordedArray(), "eradication_config.eradication_delay"); ms > 0 {
		return ms
	}
	return day
}

// recordedArray is the item of arrays in frame 0, or nothing.
func (a *Array) recordedArray() object {
	if len(a.fixture.frames) == 0 || len(a.fixture.frames[0].responses["arrays"]) == 0 {
		return nil
	}
	return a.fixture.frames[0].responses["arrays"][0]
}
