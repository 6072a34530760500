package simulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// link serialises the changes of arrays that replicate to each other: the
// writable arrays of one Server.
type link struct {
	mu     sync.Mutex
	arrays []*Array
}

// connectArrays puts writable arrays on one link.
func connectArrays(arrays []*Array) {
	l := &link{}
	for _, a := range arrays {
		if a.opts.Writable {
			l.arrays = append(l.arrays, a)
		}
	}
	for _, a := range l.arrays {
		a.mu.Lock()
		s := *a.state
		s.due = 0 // what was not due without the other arrays may be now
		a.link, a.state = l, &s
		a.mu.Unlock()
	}
}

// lockLink waits until no other change is made, and returns the function that
// ends this one.
func (a *Array) lockLink() (unlock func()) {
	for {
		l := a.linkNow()
		l.mu.Lock()
		if l == a.linkNow() {
			return l.mu.Unlock
		}
		l.mu.Unlock()
	}
}

func (a *Array) linkNow() *link {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.link
}

// begin starts a change, after what is due by the clock.
func (a *Array) begin() *transaction {
	l := a.linkNow()
	for _, peer := range l.arrays {
		if peer.isDue() {
			t := &transaction{link: l, drafts: map[*Array]*draft{}}
			t.on(peer).runDue()
			t.commit()
		}
	}
	return &transaction{link: l, drafts: map[*Array]*draft{}}
}

// update does what is due by the clock, before anything is read.
func (a *Array) update() {
	if !a.opts.Writable || !slices.ContainsFunc(a.linkNow().arrays, (*Array).isDue) {
		return
	}
	defer a.lockLink()()
	a.begin()
}

func (a *Array) isDue() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.due <= a.now().UnixMilli()
}

// never is a time that does not come.
const never = 1 << 62

// nextDue is when runDue has something to do.
func (d *draft) nextDue() int64 {
	due := int64(never)
	for _, list := range d.tables {
		for _, o := range list {
			if at, ok := o[eradicateAt].(int64); ok {
				due = min(due, at)
			}
		}
	}
	for _, group := range d.tables["protection-groups"] {
		if at, ok := d.replicationDue(group); ok {
			due = min(due, at)
		}
	}
	return due
}

// runDue eradicates what was destroyed longer ago than the array's eradication
// delay, and replicates the groups whose interval has passed.
func (d *draft) runDue() {
	for kind, list := range d.tables {
		for _, o := range list {
			if at, ok := o[eradicateAt].(int64); ok && at <= d.now {
				if current, there := d.find(kind, "name", textAt(o, "name")); there && same(current, o) {
					d.eradicate(kind, o)
				}
			}
		}
	}
	for _, group := range d.tables["protection-groups"] {
		if at, ok := d.replicationDue(group); ok && at <= d.now {
			next := clone(group)
			next[replicatedAt] = d.now
			d.put("protection-groups", group, next)
			d.serials++
			d.replicate(next, strconv.FormatInt(d.serials, 10))
		}
	}
}

// replicationDue is when a group is replicated next: an interval after the last
// time, if a target allows it.
func (d *draft) replicationDue(group object) (int64, bool) {
	last, started := group[replicatedAt].(int64)
	interval := intAt(group, "replication_schedule.frequency")
	if !started || !replicates(group) || interval <= 0 || textAt(group, "source.name") != d.array.Name() {
		return 0, false
	}
	for _, target := range d.where(groupTargets, "group.name", textAt(group, "name")) {
		if _, err := d.connectedArray(textAt(target, "member.name")); err == nil && target["allowed"] == true {
			return last + interval, true
		}
	}
	return 0, false
}

// connectedArray is the array of a name that this one has a connection to, if it
// is served together with this one.
func (d *draft) connectedArray(name string) (*Array, error) {
	var connections recorded
	if frames := d.array.fixture.frames; len(frames) > 0 {
		connections = frames[0].responses["array-connections"]
	}
	if _, ok := connections.find("name", name); !ok {
		return nil, refuse(name, "Array connection does not exist.")
	}
	if d.tx != nil {
		for _, a := range d.tx.link.arrays {
			if strings.EqualFold(a.Name(), name) && a != d.array {
				return a, nil
			}
		}
	}
	return nil, refuse(name, "The array is not simulated together with this one: serve both as writable arrays of one server.")
}

// nameOnTarget is the name of a group on its target.
func (d *draft) nameOnTarget(group string) string {
	if pod, _, name := splitName(group); pod != "" {
		return pod + ":" + name
	}
	return d.array.Name() + ":" + group
}

// addTargets makes a protection group known to the arrays that it is replicated
// to; these have to allow it.
func addTargets(w *writing) ([]object, error) {
	groups, err := w.live("protection-groups", "group_")
	if err != nil {
		return nil, err
	}
	members, err := w.required("member_names")
	if err != nil {
		return nil, err
	}
	return eachPair(groups, members, w.addTarget)
}

func (w *writing) addTarget(group object, member string) (object, error) {
	name := textAt(group, "name")
	for _, o := range w.where(groupTargets, "group.name", name) {
		if strings.EqualFold(textAt(o, "member.name"), member) {
			return nil, refuse(name, "Protection group already includes the target.")
		}
	}
	peer, err := w.connectedArray(member)
	if err != nil {
		return nil, err
	}
	o := newTarget(group, peer, "remote-arrays", false)
	w.put(groupTargets, nil, o)
	other := w.tx.on(peer)
	if _, exists := other.find("protection-groups", "name", w.nameOnTarget(name)); !exists {
		copied := clone(group)
		copied["name"], copied["id"], copied["is_local"] = w.nameOnTarget(name), other.nextID("protection group"), false
		copied["target_count"], copied["pod"] = int64(1), nullReference()
		other.store("protection-groups", nil, copied)
		other.store(groupTargets, nil, newTarget(copied, peer, "arrays", false))
	}
	return o, nil
}

func newTarget(group object, peer *Array, kind string, allowed bool) object {
	return object{
		"group": referenceTo(group), "allowed": allowed, "status": "healthy",
		"member": object{"id": peer.fixture.id, "name": peer.Name(), "resource_type": kind},
	}
}

// allowTargets sets, on the target, whether a group may be replicated to it.
func allowTargets(w *writing) ([]object, error) {
	groups, err := w.live("protection-groups", "group_")
	if err != nil {
		return nil, err
	}
	allowed, given := w.body["allowed"].(bool)
	if !given {
		return nil, refuse("allowed", "Missing required member of the body.")
	}
	var changed []object
	for _, group := range groups {
		list, err := w.allow(group, allowed)
		if err != nil {
			return nil, err
		}
		changed = append(changed, list...)
	}
	return changed, nil
}

func (w *writing) allow(group object, allowed bool) (changed []object, err error) {
	name := textAt(group, "name")
	for _, old := range w.where(groupTargets, "group.name", name) {
		if textAt(old, "member.name") != w.array.Name() {
			continue
		}
		if allowed && old["allowed"] == true {
			return nil, refuse(name, "Target protection group is already allowed on the array.")
		}
		o := clone(old)
		o["allowed"] = allowed
		w.put(groupTargets, old, o)
		changed = append(changed, o)
	}
	if len(changed) == 0 {
		return nil, refuse(name, "Protection group is not replicated to this array.")
	}
	for _, peer := range w.tx.link.arrays {
		source := w.tx.on(peer)
		for _, old := range source.where(groupTargets, "member.name", w.array.Name()) {
			if peer != w.array && source.nameOnTarget(textAt(old, "group.name")) == name {
				o := clone(old)
				o["allowed"] = allowed
				source.put(groupTargets, old, o)
			}
		}
	}
	return changed, nil
}

func removeTargets(w *writing) ([]object, error) {
	groups, err := w.named("protection-groups", "group_")
	if err != nil {
		return nil, err
	}
	members, err := w.required("member_names")
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		for _, o := range w.where(groupTargets, "group.name", textAt(group, "name")) {
			if containsFold(members, textAt(o, "member.name")) {
				w.put(groupTargets, o, nil)
				members = slices.DeleteFunc(slices.Clone(members), func(m string) bool { return strings.EqualFold(m, textAt(o, "member.name")) })
			}
		}
	}
	if len(members) > 0 {
		return nil, refuse(members[0], "Protection group target could not be found.")
	}
	return nil, nil
}

// replicate sends a snapshot of a group to every target that allows it. The copy
// is complete at once.
func (d *draft) replicate(group object, suffix string) {
	for _, target := range d.where(groupTargets, "group.name", textAt(group, "name")) {
		peer, err := d.connectedArray(textAt(target, "member.name"))
		if err != nil || target["allowed"] != true {
			continue
		}
		other := d.tx.on(peer)
		copied, exists := other.find("protection-groups", "name", d.nameOnTarget(textAt(group, "name")))
		if exists && !isDestroyed(copied) {
			other.receive(d, group, copied, suffix)
		}
	}
}

// receive keeps the snapshots of a group that another array sends.
func (d *draft) receive(from *draft, group, copied object, suffix string) {
	full := textAt(copied, "name") + "." + suffix
	if d.available(groupSnapshots, full) != nil {
		return
	}
	o := d.newGroupSnapshot(copied, full, suffix)
	d.store(groupSnapshots, nil, o)
	var bytes int64
	volumes := from.membersOf(group)
	for _, volume := range volumes {
		snapshot := d.memberSnapshot(volume, full, suffix)
		snapshot["source"] = object{"id": nil, "name": from.array.Name() + ":" + textAt(volume, "name")}
		snapshot["pod"], snapshot["volume_group"] = nullReference(), nullReference()
		bytes += intAt(volume, "space.virtual")
		d.store("volume-snapshots", nil, snapshot)
	}
	d.store(groupTransfers, nil, object{
		"id": o["id"], "name": full, "destroyed": false, "started": d.now, "completed": d.now, "progress": 1.0,
		"data_transferred": bytes, "physical_bytes_written": bytes,
	})
	next := maps.Clone(copied)
	next["volume_count"] = int64(len(volumes))
	d.store("protection-groups", copied, next)
	d.retain(next)
}

// copySettings gives a group on its targets the settings that it has here.
func (d *draft) copySettings(group object) {
	for _, target := range d.where(groupTargets, "group.name", textAt(group, "name")) {
		peer, err := d.connectedArray(textAt(target, "member.name"))
		if err != nil {
			continue
		}
		other := d.tx.on(peer)
		for _, old := range other.where("protection-groups", "name", d.nameOnTarget(textAt(group, "name"))) {
			next := clone(old)
			for _, name := range groupSettings {
				next[name] = cloneValue(group[name])
			}
			other.store("protection-groups", old, next)
		}
	}
}

// retain eradicates the copies of a group that its target retention does not
// keep: all for all_for_sec, then per_day of each day for days.
func (d *draft) retain(group object) {
	all := d.now - 1000*intAt(group, "target_retention.all_for_sec")
	oldest := all - day*intAt(group, "target_retention.days")
	kept := map[int64]int64{}
	snapshots := d.where(groupSnapshots, "source.name", textAt(group, "name"))
	for _, o := range slices.Backward(snapshots[:max(len(snapshots)-1, 0)]) { // the newest stays
		created := intAt(o, "created")
		if created > all {
			continue
		}
		kept[created/day]++
		if created <= oldest || kept[created/day] > intAt(group, "target_retention.per_day") {
			d.eradicate(groupSnapshots, o)
		}
	}
}
