package simulator

import "math"

// recordedSpace is the space of a recorded volume, in bytes. It does not change.
type recordedSpace struct{ virtual, unique int64 }

// recording is what the recorded volumes contribute to the array.
type recording struct {
	volumes   map[string]recordedVolume // by id
	snapshots map[string]int64          // physical bytes, by id
	reduction float64                   // of the recorded volumes
	demand    demand                    // of the array, but of no volume
	space     space                     // the same
	capacity  int64                     // bytes
	parts     int64                     // physical bytes that do not change: shared, system, replication
}

type recordedVolume struct {
	demand demand
	space  recordedSpace
}

// newRecording reads frame 0.
func (a *Array) newRecording() recording {
	v := &view{array: a, now: a.now(), timeline: a.timeline.clone(), frame: a.fixture.frames[0]}
	r := recording{volumes: map[string]recordedVolume{}, snapshots: map[string]int64{}}
	r.demand = recordedDemand(v.frame.responses["arrays/performance"][0])
	r.capacity = intAt(v.frame.responses["arrays/space"][0], "capacity")
	all := v.space()
	r.space = space{intAt(all, "virtual"), intAt(all, "unique"), intAt(all, "snapshots")}
	r.reduction, _ = number(all["data_reduction"])
	r.parts = intAt(all, "shared") + intAt(all, "system") + intAt(all, "replication")
	volumes := v.collection("volumes")
	for i := range volumes.size() {
		o := volumes.item(i)
		one := recordedVolume{
			demand: recordedDemand(v.performanceSample("volumes/performance", volumes, i, v.millis())),
			space:  recordedSpace{virtual: intAt(o, "space.virtual"), unique: intAt(o, "space.unique")},
		}
		r.volumes[textAt(o, "id")] = one
		r.demand = r.demand.plus(one.demand.times(-1))
		r.space.unique -= one.space.unique
		if !isDestroyed(o) {
			r.space.virtual -= one.space.virtual
		}
	}
	snapshots := v.collection("volume-snapshots")
	for i := range snapshots.size() {
		o := snapshots.item(i)
		r.snapshots[textAt(o, "id")] = intAt(o, "space.snapshots")
		r.space.snapshots -= intAt(o, "space.snapshots")
	}
	return r
}

func (d demand) times(f float64) demand {
	return demand{d.reads * f, d.writes * f, d.mirrored * f, d.readBytes * f, d.writeBytes * f, d.mirroredBytes * f}
}

// space is what some volumes occupy, in bytes.
type space struct{ virtual, unique, snapshots int64 }

func (s space) plus(t space) space {
	return space{s.virtual + t.virtual, s.unique + t.unique, s.snapshots + t.snapshots}
}

// usage is the space of an array at one time.
type usage struct {
	all  space   // of all volumes
	held float64 // share of their bytes that the created volumes hold: less than 1 on a full array
}

// usage is computed in two steps: what the created volumes would hold, and which
// share of that the array has space for.
func (s *volumeSet) usage(millis, free int64) usage {
	fixed, wanted := s.sum(millis, 1)
	u := usage{held: 1}
	physical := wanted.unique + wanted.snapshots
	if left := free - fixed.unique - fixed.snapshots; physical > left {
		u.held = max(float64(left), 0) / float64(physical)
		_, wanted = s.sum(millis, u.held)
	}
	u.all = fixed.plus(wanted)
	return u
}

// sum adds up the recorded and the created volumes.
func (s *volumeSet) sum(millis int64, held float64) (fixed, created space) {
	for _, x := range s.volumes {
		if one := s.space(x, millis, held); x.workload == nil {
			fixed = fixed.plus(one)
		} else {
			created = created.plus(one)
		}
	}
	return fixed, created
}

// space is that of one volume with its snapshots. A destroyed volume has no
// virtual bytes, as it has no provisioned size.
func (s *volumeSet) space(x *volume, millis int64, held float64) space {
	var sum space
	for k := range x.snapshots {
		sum.snapshots += s.snapshotBytes(x, k, millis, held)
	}
	if !x.exists(millis) {
		return sum
	}
	if x.workload == nil {
		sum.virtual, sum.unique = x.fixed.virtual, x.fixed.unique
	} else {
		written := s.written(x, millis)
		sum.virtual = int64(written * held)
		sum.unique = x.workload.physical((written - s.shared(x, millis)) * held)
	}
	if !x.live(millis) {
		sum.virtual = 0
	}
	return sum
}

// shared are the bytes that a clone still shares with its source. When the source
// is eradicated, they are the clone's own.
func (s *volumeSet) shared(x *volume, millis int64) float64 {
	if x.source == nil || !x.source.exists(millis) {
		return 0
	}
	return min(x.inherited*x.workload.kept(x.active(x.created(), millis), s.model.Speed), s.written(x, millis))
}

// snapshotBytes are the physical bytes of a volume's snapshot k: what was
// overwritten until the next snapshot that exists, or until now.
func (s *volumeSet) snapshotBytes(x *volume, k int, millis int64, held float64) int64 {
	one := x.snapshots[k]
	switch {
	case !one.exists(millis):
		return 0
	case x.workload == nil || one.fixed > 0:
		return one.fixed
	}
	until := millis
	for _, next := range x.snapshots[k+1:] {
		if next.exists(millis) {
			until = next.created
			break
		}
	}
	overwritten := one.written * (1 - x.workload.kept(x.active(one.created, until), s.model.Speed))
	return x.workload.physical(overwritten * held)
}

func (s *snapshot) exists(millis int64) bool { return s.created <= millis && millis < s.eradicated }

// putSpace writes space into the space of an object, with the identities of
// fixtures/README.md. A null stays null.
func putSpace(o object, provisioned int64, s space, parts int64) {
	put := func(name string, value any) {
		if o[name] != nil {
			o[name] = value
		}
	}
	put("total_provisioned", provisioned)
	put("virtual", s.virtual)
	put("used_provisioned", s.virtual)
	put("unique", s.unique)
	put("snapshots", s.snapshots)
	put("total_physical", s.unique+s.snapshots+parts)
	put("total_used", s.unique+s.snapshots+parts)
}

// putReduction writes the ratios: written is a share of the provisioned size, and
// reduction the ratio of the written to the physical bytes. Without written bytes
// they are those of an empty volume.
func putReduction(o object, written, reduction float64) {
	thin, total := 1-written, 1.0
	if written > 0 {
		total = reduction / written
	} else {
		reduction = 1
	}
	for name, value := range map[string]float64{"data_reduction": reduction, "thin_provisioning": thin, "total_reduction": total} {
		if o[name] != nil && !math.IsInf(value, 0) && !math.IsNaN(value) {
			o[name] = value
		}
	}
}
