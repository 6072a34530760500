package simulator

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
)

// measured is what the load and the used space of a writable array are computed
// from, besides the versions of its volumes and snapshots.
type measured struct {
	model      Model
	capability capability
	recording  recording

	mu           sync.Mutex
	disturbances []disturbance // ascending in time
	newest       *volumeSet    // nil: none is complete
}

// volumeSet is all volumes and snapshots that exist or existed, and computes the
// load and the used space at any time. It is never changed once it is made.
type volumeSet struct {
	*measured
	changes      int64 // of the state that it was made of
	disturbances []disturbance
	volumes      []*volume // in order of creation
	byID         map[string]*volume
	snapshots    map[string]*snapshot
}

// disturbance is what is true from a time in milliseconds on.
type disturbance struct {
	from int64
	Disturbance
}

// volume is what determines the load and the space of one volume. It is never
// changed once it is made.
type volume struct {
	id         string
	extents    []extent
	eradicated int64 // milliseconds; math.MaxInt64 while it exists
	demand     demand
	rounding   float64 // 0 to 1; see whole

	workload  *Workload // nil: recorded, or not determined yet
	inherited float64   // bytes of its source when it was cloned
	source    *volume   // nil: not a clone
	fixed     recordedSpace
	snapshots []*snapshot // ascending in time
}

// snapshot is what determines the space of one snapshot.
type snapshot struct {
	volume              *volume
	created, eradicated int64
	written             float64 // bytes of the volume when it was taken
	fixed               int64   // physical bytes of a recorded one
}

func newMeasured(a *Array) *measured {
	if len(a.fixture.frames) == 0 {
		return &measured{}
	}
	sample := a.fixture.frames[0].responses["arrays/performance"][0]
	c := a.fixture.capability
	if c.limit == 0 {
		c = recordedCapability(sample)
	}
	return &measured{model: a.opts.Model, capability: c.with(a.opts.Model), recording: a.newRecording()}
}

// Disturb makes a writable array busier or slower from now on, until the next
// call; the zero value ends it. Samples before it do not change. It has no effect
// on an array that is not writable.
func (a *Array) Disturb(d Disturbance) {
	if a.measured == nil {
		return
	}
	a.measured.mu.Lock()
	defer a.measured.mu.Unlock()
	a.measured.disturbances = append(a.measured.disturbances, disturbance{a.now().UnixMilli(), d})
	a.measured.newest = nil
}

// volumeSet is that of the view's state.
func (m *measured) volumeSet(v *view) *volumeSet {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest != nil && m.newest.changes == v.state.changes {
		return m.newest
	}
	set, complete := m.newVolumeSet(v)
	if complete { // otherwise the workload of some volume is not determined yet
		m.newest = set
	}
	return set
}

func (m *measured) newVolumeSet(v *view) (set *volumeSet, complete bool) {
	set = &volumeSet{
		measured: m, changes: v.state.changes, disturbances: m.disturbances,
		byID: map[string]*volume{}, snapshots: map[string]*snapshot{},
	}
	versions, snapshots := v.volumeVersions(), v.snapshotVersions()
	for id, list := range versions {
		x := m.newVolume(id, list)
		set.volumes, set.byID[id] = append(set.volumes, x), x
	}
	slices.SortFunc(set.volumes, func(x, y *volume) int {
		return cmp.Or(cmp.Compare(x.created(), y.created()), cmp.Compare(x.id, y.id))
	})
	complete = true
	for _, x := range set.volumes { // the source of a clone comes first
		complete = set.complete(x, versions[x.id][0].object, snapshots) && complete
	}
	for id, list := range snapshots {
		set.addSnapshot(id, list)
	}
	for _, x := range set.volumes {
		slices.SortFunc(x.snapshots, func(s, t *snapshot) int { return cmp.Compare(s.created, t.created) })
	}
	return set, complete
}

func (m *measured) newVolume(id string, list []version) *volume {
	x := &volume{id: id, eradicated: math.MaxInt64, rounding: roundingOf(id)}
	for _, change := range list {
		if change.object == nil {
			x.eradicated = change.from
			break
		}
		x.extents = append(x.extents, extent{
			from: change.from, bytes: intAt(change.object, "provisioned"), growing: !isDestroyed(change.object),
		})
	}
	return x
}

// complete adds what the recording, or the model, has of a volume, and reports
// whether that is determined.
func (s *volumeSet) complete(x *volume, first object, snapshots map[string][]version) bool {
	if share, ok := s.recording.volumes[x.id]; ok {
		x.demand, x.fixed = share.demand, share.space
		return true
	}
	w, ok := s.model.workload(unqualified(textAt(first, "name")), intAt(first, "provisioned"))
	if !ok {
		return false
	}
	x.workload, x.demand = &w, w.demand()
	at, id := x.created(), textAt(first, "source.id")
	if list := snapshots[id]; len(list) > 0 {
		at, id = list[0].from, textAt(list[0].object, "source.id")
	}
	if source := s.byID[id]; source != nil && source != x {
		x.source, x.inherited = source, s.written(source, at)
	}
	return true
}

func (s *volumeSet) addSnapshot(id string, list []version) {
	x := s.byID[textAt(list[0].object, "source.id")]
	if x == nil {
		return
	}
	fixed, isRecorded := s.recording.snapshots[id]
	one := &snapshot{volume: x, created: list[0].from, eradicated: math.MaxInt64, fixed: fixed}
	if last := list[len(list)-1]; last.object == nil {
		one.eradicated = last.from
	}
	if !isRecorded {
		one.written = s.written(x, one.created)
	}
	x.snapshots, s.snapshots[id] = append(x.snapshots, one), one
}

// unqualified is a volume's name without its pod and volume group.
func unqualified(name string) string { return name[strings.LastIndexAny(name, ":/")+1:] }

func (x *volume) created() int64 { return x.extents[0].from }

// exists reports whether the volume exists at a time, destroyed or not.
func (x *volume) exists(millis int64) bool { return x.created() <= millis && millis < x.eradicated }

// live reports whether the volume exists and is not destroyed.
func (x *volume) live(millis int64) bool {
	if millis >= x.eradicated {
		return false
	}
	for _, e := range slices.Backward(x.extents) {
		if e.from <= millis {
			return e.growing
		}
	}
	return false
}

// active is how long the volume was live between two times, in milliseconds.
func (x *volume) active(from, to int64) (millis int64) {
	for i, e := range x.extents {
		end := min(to, x.eradicated)
		if i+1 < len(x.extents) {
			end = min(end, x.extents[i+1].from)
		}
		if e.growing {
			millis += max(end-max(from, e.from), 0)
		}
	}
	return millis
}

// written are a volume's bytes at a time, before reduction.
func (s *volumeSet) written(x *volume, millis int64) float64 {
	if x.workload == nil {
		return float64(x.fixed.virtual)
	}
	return x.workload.written(x.inherited, x.extents, min(millis, x.eradicated), s.model.Speed)
}

// rates are operations and bytes per second, in whole numbers.
type rates struct{ reads, writes, mirrored, readBytes, writeBytes, mirroredBytes int64 }

func (r rates) plus(s rates) rates {
	return rates{
		r.reads + s.reads, r.writes + s.writes, r.mirrored + s.mirrored,
		r.readBytes + s.readBytes, r.writeBytes + s.writeBytes, r.mirroredBytes + s.mirroredBytes,
	}
}

// whole rounds a share of a demand, up or down by a number from 0 to 1 that
// differs from volume to volume: so the sums over many small ones are right.
func (d demand) whole(share, rounding float64) rates {
	operations := func(rate, bytes float64) (int64, int64) {
		n := int64(rate*share + rounding)
		if rate > 0 {
			return n, int64(math.Round(float64(n) * (bytes / rate)))
		}
		return n, int64(bytes*share + rounding)
	}
	var r rates
	r.reads, r.readBytes = operations(d.reads, d.readBytes)
	r.writes, r.writeBytes = operations(d.writes, d.writeBytes)
	r.mirrored, r.mirroredBytes = operations(d.mirrored, d.mirroredBytes)
	return r
}

// roundingOf is a number from 0 to less than 1, determined by an id.
func roundingOf(id string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return float64(mix(h.Sum64())>>11) / (1 << 53)
}

// load is the load of an array at one time.
type load struct {
	queueing
	total rates
}

func (s *volumeSet) load(millis int64) load {
	now := s.disturbed(millis)
	rest := s.recording.demand.plus(now.demand())
	sum := rest
	for _, x := range s.volumes {
		if x.live(millis) {
			sum = sum.plus(x.demand)
		}
	}
	l := load{queueing: s.capability.disturbed(now).under(sum)}
	l.total = rest.whole(l.delivered, 0.5)
	for _, x := range s.volumes {
		if x.live(millis) {
			l.total = l.total.plus(x.demand.whole(l.delivered, x.rounding))
		}
	}
	return l
}

func (s *volumeSet) disturbed(millis int64) Disturbance {
	for _, d := range slices.Backward(s.disturbances) {
		if d.from <= millis {
			return d.Disturbance
		}
	}
	return Disturbance{}
}
