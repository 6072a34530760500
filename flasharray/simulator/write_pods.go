package simulator

import (
	"slices"
	"strings"
)

func createPods(w *writing) ([]object, error) {
	return w.createEach(func(name string) (object, error) {
		if err := checkName("pods", name, name); err != nil {
			return nil, err
		}
		if err := w.available("pods", name); err != nil {
			return nil, err
		}
		o := w.newPod(name)
		w.put("pods", nil, o)
		w.put(containers, nil, newContainer(o))
		w.put("pods/arrays", nil, object{"group": referenceTo(o), "member": w.array.reference()})
		return o, nil
	})
}

// reference is the array's own id and name.
func (a *Array) reference() object { return object{"id": a.fixture.id, "name": a.fixture.Name} }

func (d *draft) newPod(name string) object {
	space := containerSpace()
	space["replication"], space["shared_effective"], space["replication_effective"] = int64(0), nil, nil
	return object{
		"id": d.nextID("pod"), "name": name, "destroyed": false, "time_remaining": nil, "array_count": int64(1),
		"link_source_count": int64(0), "link_target_count": int64(0), "promotion_status": "promoted",
		"requested_promotion_state": "promoted", "mediator": "purestorage", "mediator_version": nil,
		"failover_preferences": []any{}, "source": nullReference(), "footprint": int64(0), "quota_limit": nil,
		"eradication_config": object{"manual_eradication": "all-enabled"},
		"arrays":             []any{podArray(d.array)}, "members": []any{podMember(d.array)}, "space": space,
	}
}

// podArray is an array in a pod's list of arrays.
func podArray(a *Array) object {
	return object{
		"id": a.fixture.id, "name": a.fixture.Name, "status": "online", "mediator_status": "online",
		"pre_elected": false, "frozen_at": nil, "progress": nil, "member": podMember(a),
	}
}

func podMember(a *Array) object {
	return object{"id": a.fixture.id, "name": a.fixture.Name, "resource_type": "arrays"}
}

func changePods(w *writing) ([]object, error) {
	pods, err := w.named("pods", "")
	if err != nil {
		return nil, err
	}
	destroyed, given := w.destroyed()
	if !given {
		return nil, refuse("destroyed", "Missing required member of the body.")
	}
	for _, pod := range pods {
		if err := w.changeable("pods", pod, destroyed, given); err != nil {
			return nil, err
		}
		if destroyed && len(w.where("pods/arrays", "group.name", textAt(pod, "name"))) > 1 {
			return nil, refuse(textAt(pod, "name"), "Pod is stretched. Remove its other arrays before it is destroyed.")
		}
		if err := w.destroyContents("pods", "pod.name", pod, destroyed); err != nil {
			return nil, err
		}
	}
	return w.changeEach("pods", pods, func(o object) error {
		w.setDestroyed(o, destroyed)
		return nil
	})
}

func eradicatePods(w *writing) ([]object, error) {
	pods, err := w.named("pods", "")
	if err != nil {
		return nil, err
	}
	for _, pod := range pods {
		if name := textAt(pod, "name"); !w.flag("eradicate_contents") && len(w.where("volumes", "pod.name", name)) > 0 {
			return nil, refuse(name, "Pod is not empty.")
		}
	}
	return w.eradicateNamed("pods")
}

// stretchPods adds arrays to pods: their objects then are on these too.
func stretchPods(w *writing) ([]object, error) {
	pods, err := w.live("pods", "group_")
	if err != nil {
		return nil, err
	}
	members, err := w.required("member_names")
	if err != nil {
		return nil, err
	}
	return eachPair(pods, members, w.stretch)
}

// maxPodArrays is how many arrays a pod may be stretched to.
const maxPodArrays = 2

func (w *writing) stretch(pod object, member string) (object, error) {
	name := textAt(pod, "name")
	arrays := w.where("pods/arrays", "group.name", name)
	for _, o := range arrays {
		if strings.EqualFold(textAt(o, "member.name"), member) {
			return nil, refuse(name, "Array already exists in the pod.")
		}
	}
	if len(arrays) >= maxPodArrays {
		return nil, refuse(name, "Pod array limit reached.")
	}
	peer, err := w.connectedArray(member)
	if err != nil {
		return nil, err
	}
	other := w.tx.on(peer)
	if err := other.available("pods", name); err != nil {
		return nil, err
	}
	current, _ := w.find("pods", "name", name)
	next := clone(current)
	next["arrays"] = append(next["arrays"].([]any), podArray(peer))
	next["members"] = append(next["members"].([]any), podMember(peer))
	w.store("pods", current, next)
	added := object{"group": referenceTo(pod), "member": peer.reference()}
	w.store("pods/arrays", nil, added)
	for _, kind := range mirrored {
		for _, o := range w.tables[kind] {
			if podOfObject(kind, o) == name {
				other.mirror(kind, nil, o)
			}
		}
	}
	w.joinPod(name)
	return added, nil
}

// unstretchPods removes arrays from pods, and the pods' objects from these arrays.
func unstretchPods(w *writing) ([]object, error) {
	pods, err := w.named("pods", "group_")
	if err != nil {
		return nil, err
	}
	members, err := w.required("member_names")
	if err != nil {
		return nil, err
	}
	return nil, forPairs(pods, members, w.unstretch)
}

func (w *writing) unstretch(pod object, member string) error {
	name := textAt(pod, "name")
	arrays := w.where("pods/arrays", "group.name", name)
	at := slices.IndexFunc(arrays, func(o object) bool { return strings.EqualFold(textAt(o, "member.name"), member) })
	if at < 0 {
		return refuse(name, "Array does not exist in the pod.")
	}
	if len(arrays) == 1 {
		return refuse(name, "The last array of a pod cannot be removed.")
	}
	for _, peer := range w.tx.link.arrays {
		other := w.tx.on(peer)
		if strings.EqualFold(peer.Name(), member) {
			other.leavePod(name)
		} else {
			other.forgetRemoteHosts(name, member)
			other.forgetArray(name, member)
		}
	}
	return nil
}

// leavePod removes a pod and its objects from this array.
func (d *draft) leavePod(name string) {
	for _, kind := range mirrored {
		for _, o := range slices.Clone(d.tables[kind]) {
			if podOfObject(kind, o) == name {
				d.leaveConnections(o)
				d.store(kind, o, nil)
			}
		}
	}
}

// leaveConnections removes the connections of a volume that leaves this array.
func (d *draft) leaveConnections(volume object) {
	for _, c := range d.where("connections", "volume.id", textAt(volume, "id")) {
		if host := textAt(c, "host.name"); strings.Contains(host, ":") {
			d.forgetConnections(host, func(other object) bool { return same(other, c) })
		} else {
			d.store("connections", c, nil)
		}
	}
}

// forgetArray removes an array from a pod of this array.
func (d *draft) forgetArray(pod, member string) {
	for _, o := range d.where("pods/arrays", "group.name", pod) {
		if strings.EqualFold(textAt(o, "member.name"), member) {
			d.store("pods/arrays", o, nil)
		}
	}
	for _, o := range d.where("pods", "name", pod) {
		next := clone(o)
		for _, list := range []string{"arrays", "members"} {
			kept, _ := next[list].([]any)
			next[list] = slices.DeleteFunc(kept, func(x any) bool {
				element, _ := x.(object)
				return strings.EqualFold(textAt(element, "name"), member)
			})
		}
		d.store("pods", o, next)
	}
}
