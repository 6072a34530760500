package simulator

import "slices"

// recordedTables are the tables that start with what was recorded or generated.
var recordedTables = []string{
	"volumes", "volume-snapshots", "volume-groups", "hosts", "protection-groups", "protection-groups/targets", "pods", "pods/arrays",
}

// newState makes the tables from frame 0, with every generated object built once.
// The lists that a recording has only as counts are made from the counts.
func newState(a *Array) *state {
	s := &state{tables: map[string][]object{}, past: map[string][]version{}, sizes: []size{{}}}
	if len(a.fixture.frames) == 0 {
		return s
	}
	v := &view{array: a, now: a.now(), timeline: a.timeline.clone(), frame: a.fixture.frames[0]}
	for _, kind := range recordedTables {
		c := v.collection(kind)
		for i := range everything(c).each {
			o := c.item(i)
			if left, ok := integer(o["time_remaining"]); ok {
				o[eradicateAt] = v.millis() + left
			}
			s.tables[kind] = append(s.tables[kind], o)
		}
	}
	d := &draft{array: a, now: v.millis(), tables: s.tables, copied: map[string]bool{}}
	d.makeConnections()
	d.makeMembers()
	d.makeContainers()
	d.makeReplicas()
	d.derive()
	for _, kind := range []string{"volumes", "volume-snapshots"} {
		for _, o := range d.tables[kind] {
			s.past[textAt(o, "id")] = []version{{from: intAt(o, "created"), object: o}}
			if kind == "volumes" {
				s.sizes[0].bytes += liveSize(o)
			}
		}
	}
	s.due = d.nextDue()
	return s
}

// makeConnections connects as many volumes to as many hosts as their counts say.
func (d *draft) makeConnections() {
	hosts := slices.DeleteFunc(slices.Clone(d.tables["hosts"]), isRemote)
	if len(hosts) == 0 {
		return
	}
	left := make([]int64, len(hosts))
	for i, h := range hosts {
		left[i] = intAt(h, "connection_count")
	}
	luns, next := make([]int64, len(hosts)), 0
	for _, volume := range d.tables["volumes"] {
		if isDestroyed(volume) {
			continue
		}
		for range min(intAt(volume, "connection_count"), int64(len(hosts))) {
			for tries := 0; left[next%len(hosts)] <= 0 && tries < len(hosts); tries++ {
				next++
			}
			at := next % len(hosts)
			left[at]--
			luns[at]++
			d.tables["connections"] = append(d.tables["connections"], newConnection(hosts[at], volume, luns[at], nil))
			next++
		}
	}
}

// isRemote reports a host of another array.
func isRemote(host object) bool { return host["is_local"] == false }

// makeMembers adds as many volumes to local protection groups as their counts say.
func (d *draft) makeMembers() {
	next := map[string]int{}
	for _, group := range d.tables["protection-groups"] {
		if group["is_local"] != true || isDestroyed(group) {
			continue
		}
		pod := podOf(textAt(group, "name"))
		for left := intAt(group, "volume_count"); left > 0 && next[pod] < len(d.tables["volumes"]); next[pod]++ {
			volume := d.tables["volumes"][next[pod]]
			if isDestroyed(volume) || podOf(textAt(volume, "name")) != pod {
				continue
			}
			d.tables[groupVolumes] = append(d.tables[groupVolumes], newMember(group, volume))
			left--
		}
	}
}

// makeContainers adds the volume groups that volumes are in, and the containers
// that may have default protection: the array and its pods.
func (d *draft) makeContainers() {
	for _, volume := range d.tables["volumes"] {
		reference := sub(volume, "volume_group")
		if _, exists := d.find("volume-groups", "name", textAt(reference, "name")); !exists && textAt(reference, "name") != "" {
			group := newVolumeGroup(textAt(reference, "id"), textAt(reference, "name"), clone(sub(volume, "pod")))
			d.tables["volume-groups"] = append(d.tables["volume-groups"], group)
		}
	}
	d.tables[containers] = append(d.tables[containers], newContainer(nil))
	for _, pod := range d.tables["pods"] {
		d.tables[containers] = append(d.tables[containers], newContainer(pod))
	}
}

// makeReplicas makes recorded groups due at once: what they have replicated
// before was not recorded.
func (d *draft) makeReplicas() {
	for _, group := range d.tables["protection-groups"] {
		if replicates(group) {
			group[replicatedAt] = int64(0)
		}
	}
}
