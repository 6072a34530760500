package simulator

import (
	"slices"
	"strings"
)

// measuredKinds are the endpoints whose objects have space that follows from
// volumes.
var measuredKinds = []string{"volumes", "volume-snapshots", "hosts", "pods", "volume-groups"}

// sized is a table of a writable array whose objects have the space of one time.
type sized struct {
	stored
	view *view
	kind string
}

func (s sized) item(i int) object {
	o := s.stored.item(i)
	o["space"] = s.view.objectSpace(s.kind, s.recorded[i], s.view.millis())
	return o
}

func (s sized) field(i int, path string) (any, bool) {
	if rest, ok := strings.CutPrefix(path, "space"); ok {
		return lookup(s.view.objectSpace(s.kind, s.recorded[i], s.view.millis()), strings.TrimPrefix(rest, "."))
	}
	return s.stored.field(i, path)
}

// exists reports whether an object existed at a time.
func (s sized) exists(i int, millis int64) bool {
	x := s.view.measure().set.byID[textAt(s.recorded[i], "id")]
	return s.kind != "volumes" || x == nil || x.exists(millis)
}

// measurements are the load and the space of a writable array that a view has
// computed, by time in milliseconds.
type measurements struct {
	set     *volumeSet
	loads   map[int64]load
	usages  map[int64]usage
	members map[string]map[string][]*volume // by kind and name
}

// measure makes the set of volumes when it is first needed.
func (v *view) measure() *measurements {
	if v.measured == nil {
		v.measured = &measurements{
			set: v.array.measured.volumeSet(v), loads: map[int64]load{}, usages: map[int64]usage{},
			members: map[string]map[string][]*volume{},
		}
	}
	return v.measured
}

func (v *view) load(millis int64) load {
	m := v.measure()
	l, ok := m.loads[millis]
	if !ok {
		l = m.set.load(millis)
		m.loads[millis] = l
	}
	return l
}

func (v *view) usage(millis int64) usage {
	m := v.measure()
	u, ok := m.usages[millis]
	if !ok {
		r := &m.set.recording
		u = m.set.usage(millis, r.capacity-r.parts-r.space.unique-r.space.snapshots)
		u.all = u.all.plus(r.space)
		m.usages[millis] = u
	}
	return u
}

// measuredArray is the one item of arrays/space or arrays/performance at a time.
func (v *view) measuredArray(path string, millis int64) object {
	o := clone(v.array.fixture.frames[0].responses[path][0])
	if path == "arrays/performance" {
		l := v.load(millis)
		l.put(o, l.total)
		o["queue_depth"] = l.depth(l.total)
		return o
	}
	space, u := sub(o, "space"), v.usage(millis)
	provisioned := provisionedBytes(space) + v.state.grown(millis)
	putSpace(space, provisioned, u.all, v.measure().set.recording.parts)
	written, reduction := 0.0, 0.0
	if provisioned > 0 {
		written = float64(u.all.virtual) / float64(provisioned)
	}
	if stored := u.all.unique + intAt(space, "shared"); stored > 0 {
		reduction = float64(u.all.virtual) / float64(stored)
	}
	putReduction(space, written, reduction)
	return o
}

// put writes rates and latencies into a sample. A kind of operation without any
// has no latency.
func (l load) put(o object, r rates) {
	o["reads_per_sec"], o["read_bytes_per_sec"] = r.reads, r.readBytes
	o["writes_per_sec"], o["write_bytes_per_sec"] = r.writes, r.writeBytes
	o["mirrored_writes_per_sec"], o["mirrored_write_bytes_per_sec"] = r.mirrored, r.mirroredBytes
	for kind, one := range map[string]latency{"read": l.read, "write": l.write, "mirrored_write": l.mirrored} {
		o["service_usec_per_"+kind+"_op"] = one.service
		o["queue_usec_per_"+kind+"_op"] = one.queue
		o["usec_per_"+kind+"_op"] = one.total()
	}
	if ratio, ok := number(o["read_cache_hit_ratio"]); ok {
		reads, bytes := int64(float64(r.reads)*ratio), int64(float64(r.readBytes)*ratio)
		o["cached_reads_per_sec"], o["non_cached_reads_per_sec"] = reads, r.reads-reads
		o["cached_read_bytes_per_sec"], o["non_cached_read_bytes_per_sec"] = bytes, r.readBytes-bytes
	}
	for name := range o {
		if rate := rateOf(name); rate != "" && intAt(o, rate) == 0 && o[name] != nil {
			o[name] = int64(0)
		}
	}
	averageSizes(o)
}

// measuredPerformance is an object's item of volumes/performance and its like.
func (v *view) measuredPerformance(kind string, o object, millis int64) object {
	l := v.load(millis)
	sample := clone(v.array.fixture.frames[0].responses["arrays/performance"][0])
	delete(sample, "queue_depth")
	delete(sample, "local_queue_usec_per_op")
	for _, name := range []string{"others_per_sec", "mirrored_others_per_sec", "usec_per_other_op", "usec_per_mirrored_other_op"} {
		if sample[name] != nil {
			sample[name] = int64(0)
		}
	}
	l.put(sample, v.objectRates(kind, o, l, millis))
	return sample
}

func (v *view) objectRates(kind string, o object, l load, millis int64) rates {
	var sum rates
	for _, x := range v.volumesOf(kind, o) {
		if x.live(millis) {
			sum = sum.plus(x.demand.whole(l.delivered, x.rounding))
		}
	}
	return sum
}

// volumesOf are a volume itself, or the volumes of a host, pod or volume group as
// they are now.
func (v *view) volumesOf(kind string, o object) []*volume {
	m := v.measure()
	if kind == "volumes" {
		if x := m.set.byID[textAt(o, "id")]; x != nil {
			return []*volume{x}
		}
		return nil
	}
	if m.members[kind] == nil {
		m.members[kind] = v.membership(kind)
	}
	return m.members[kind][strings.ToLower(textAt(o, "name"))]
}

func (v *view) membership(kind string) map[string][]*volume {
	members, set := map[string][]*volume{}, v.measure().set
	add := func(name, id string) {
		if x := set.byID[id]; x != nil {
			name = strings.ToLower(name)
			members[name] = append(members[name], x)
		}
	}
	switch kind {
	case "hosts":
		for _, o := range v.state.tables["connections"] {
			add(textAt(o, "host.name"), textAt(o, "volume.id"))
		}
	case "pods":
		for _, o := range v.state.tables["volumes"] {
			add(textAt(o, "pod.name"), textAt(o, "id"))
		}
	case "volume-groups":
		for _, o := range v.state.tables["volumes"] {
			add(textAt(o, "volume_group.name"), textAt(o, "id"))
		}
	}
	return members
}

// objectSpace is the space of an object at a time.
func (v *view) objectSpace(kind string, o object, millis int64) object {
	set, held := v.measure().set, v.usage(millis).held
	out := clone(sub(o, "space"))
	switch kind {
	case "volume-snapshots":
		bytes := int64(0)
		if s := set.snapshots[textAt(o, "id")]; s != nil {
			bytes = set.snapshotBytes(s.volume, slices.Index(s.volume.snapshots, s), millis, held)
		}
		putSpace(out, intAt(o, "provisioned"), space{snapshots: bytes}, 0)
		return out
	case "volumes":
		if x := set.byID[textAt(o, "id")]; x != nil {
			set.putVolume(out, x, millis, held)
		}
		return out
	}
	var sum space
	var provisioned int64
	var reduced, weight float64
	for _, x := range v.volumesOf(kind, o) {
		one, reduction := set.space(x, millis, held), set.recording.reduction
		if x.workload != nil {
			reduction = x.workload.Reduction
		}
		sum = sum.plus(one)
		reduced, weight = reduced+reduction*float64(one.unique+1), weight+float64(one.unique+1)
		if x.live(millis) {
			provisioned += x.bytes(millis)
		}
	}
	putSpace(out, provisioned, sum, intAt(out, "shared")+intAt(out, "system")+intAt(out, "replication"))
	putReduction(out, 0, 1)
	putRatios(out, reduced, weight)
	return out
}

// putVolume writes the space of a volume.
func (s *volumeSet) putVolume(out object, x *volume, millis int64, held float64) {
	one, provisioned := s.space(x, millis, held), x.bytes(millis)
	putSpace(out, provisioned, one, 0)
	reduction, _ := number(out["data_reduction"])
	if x.workload != nil {
		reduction = x.workload.Reduction
	}
	if provisioned > 0 {
		putReduction(out, float64(one.virtual)/float64(provisioned), reduction)
	}
}

// bytes is the provisioned size at a time.
func (x *volume) bytes(millis int64) int64 {
	for _, e := range slices.Backward(x.extents) {
		if e.from <= millis {
			return e.bytes
		}
	}
	return 0
}
