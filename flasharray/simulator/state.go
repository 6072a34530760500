package simulator

import (
	"maps"
	"slices"
	"sort"
	"sync"
)

// state is what changes of a writable array. Objects and lists are never modified
// in place: a change replaces an object by a modified copy, and its list by a
// modified copy. So a view has the tables of one time for as long as it needs
// them. Array.mu protects the state; changes are made one at a time, under
// link.mu.
type state struct {
	tables  map[string][]object  // by endpoint, in order of creation
	past    map[string][]version // of a volume or snapshot, by id
	sizes   []size               // provisioned size of all live volumes, ascending in time
	changes int64                // how many changes there were
	serials int64                // how many objects were made
}

// version is a volume or snapshot as it was from one time to the next version.
type version struct {
	from   int64  // ms since the epoch
	object object // nil: eradicated
}

// size is the provisioned size of all live volumes from one time on.
type size struct{ from, bytes int64 }

// link serialises the changes of arrays that replicate to each other.
type link struct {
	mu     sync.Mutex
	arrays []*Array
}

// eradicateAt is the member of a stored object with the time of its eradication,
// in ms since the epoch. It is not part of a response.
const eradicateAt = "~eradicate_at"

// tableKinds are the endpoints whose objects a writable array keeps; all others
// are as recorded.
var tableKinds = []string{
	"volumes", "volume-snapshots", "hosts", "protection-groups", "protection-groups/targets", "pods", "pods/arrays",
}

// isVersioned reports a table whose objects keep their versions.
func isVersioned(kind string) bool { return kind == "volumes" || kind == "volume-snapshots" }

// newState makes the tables from frame 0, with every generated object built once.
func newState(a *Array) *state {
	s := &state{tables: map[string][]object{}, past: map[string][]version{}}
	if len(a.fixture.frames) == 0 {
		return s
	}
	v := &view{array: a, now: a.now(), timeline: a.timeline.clone(), frame: a.fixture.frames[0]}
	for _, kind := range tableKinds {
		c := v.collection(kind)
		for i := range everything(c).each {
			o := c.item(i)
			if left, ok := integer(o["time_remaining"]); ok {
				o[eradicateAt] = v.millis() + left
			}
			s.tables[kind] = append(s.tables[kind], o)
			if isVersioned(kind) {
				s.past[textAt(o, "id")] = []version{{from: intAt(o, "created"), object: o}}
			}
		}
	}
	s.sizes = []size{{}}
	for _, o := range s.tables["volumes"] {
		s.sizes[0].bytes += liveSize(o)
	}
	return s
}

// liveSize is the provisioned size of a volume that is not destroyed, in bytes.
func liveSize(o object) int64 {
	if o == nil || isDestroyed(o) {
		return 0
	}
	return intAt(o, "provisioned")
}

// grown is by how many bytes the provisioned size of all live volumes differed at
// a time from that of the recording.
func (s *state) grown(millis int64) int64 {
	n := sort.Search(len(s.sizes), func(i int) bool { return s.sizes[i].from > millis })
	return s.sizes[max(n-1, 0)].bytes - s.sizes[0].bytes
}

// draft is the state that a change prepares. It becomes the array's state as a
// whole, or not at all.
type draft struct {
	array   *Array
	now     int64 // ms since the epoch
	tables  map[string][]object
	copied  map[string]bool // tables that are this draft's own
	puts    []version       // with ids
	ids     []string        // of puts
	grown   int64           // bytes
	serials int64
}

func (a *Array) draft() *draft {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &draft{
		array: a, now: a.now().UnixMilli(), tables: maps.Clone(a.state.tables), copied: map[string]bool{},
		serials: a.state.serials,
	}
}

// put is the one function that changes a table: it replaces an object by
// another. Without the first it adds the second; without the second it removes
// the first.
func (d *draft) put(kind string, old, next object) {
	list := d.tables[kind]
	if !d.copied[kind] {
		list, d.copied[kind] = slices.Clone(list), true
	}
	at := slices.IndexFunc(list, func(o object) bool { return old != nil && sameObject(kind, o, old) })
	switch {
	case at < 0 && next != nil:
		list = append(list, next)
	case at >= 0 && next != nil:
		list[at] = next
	case at >= 0:
		list = slices.Delete(list, at, at+1)
	}
	d.tables[kind] = list
	if kind == "volumes" {
		d.grown += liveSize(next) - liveSize(old)
	}
	if isVersioned(kind) {
		id := textAt(old, "id")
		if old == nil {
			id = textAt(next, "id")
		}
		d.ids, d.puts = append(d.ids, id), append(d.puts, version{from: d.now, object: next})
	}
}

// sameObject compares what identifies an object of a table.
func sameObject(_ string, x, y object) bool {
	for _, path := range []string{"id", "name", "group.name", "member.name", "host.name", "volume.name"} {
		if textAt(x, path) != textAt(y, path) {
			return false
		}
	}
	return true
}

// find searches a table by "name", ignoring case, or "id".
func (d *draft) find(kind, key, value string) (object, bool) {
	list := recorded(d.tables[kind])
	i, ok := list.find(key, value)
	if !ok {
		return nil, false
	}
	return list[i], true
}

// commit makes a draft the state of its array.
func (d *draft) commit() {
	a := d.array
	a.mu.Lock()
	defer a.mu.Unlock()
	s := *a.state
	for i, id := range d.ids {
		s.past[id] = append(s.past[id], d.puts[i])
	}
	if last := s.sizes[len(s.sizes)-1]; d.grown != 0 {
		s.sizes = append(s.sizes, size{from: d.now, bytes: last.bytes + d.grown})
	}
	s.tables, s.serials = d.tables, d.serials
	s.changes++
	a.state = &s
}

// eradicateDue removes what was destroyed longer ago than the array's eradication
// delay.
func (d *draft) eradicateDue() {
	for kind, list := range d.tables {
		for _, o := range list {
			if at, ok := integer(o[eradicateAt]); ok && at <= d.now {
				d.put(kind, o, nil)
			}
		}
	}
}

// eradicate removes what is due, before anything is read.
func (a *Array) eradicate() {
	if a.link == nil || !a.anyDue() {
		return
	}
	a.link.mu.Lock()
	defer a.link.mu.Unlock()
	d := a.draft()
	d.eradicateDue()
	d.commit()
}

// anyDue reports whether an object is due for eradication.
func (a *Array) anyDue() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now().UnixMilli()
	for _, list := range a.state.tables {
		for _, o := range list {
			if at, ok := integer(o[eradicateAt]); ok && at <= now {
				return true
			}
		}
	}
	return false
}

// changes is a number that differs after each change.
func (v *view) changes() int64 {
	if v.state == nil {
		return 0
	}
	return v.state.changes
}

// volumeVersions are the versions of every volume that exists or existed, by id,
// ascending in time. An array that is not writable has none.
func (v *view) volumeVersions() map[string][]version { return v.versions(false) }

// snapshotVersions are those of snapshots.
func (v *view) snapshotVersions() map[string][]version { return v.versions(true) }

func (v *view) versions(snapshots bool) map[string][]version {
	if v.state == nil {
		return nil
	}
	v.array.mu.Lock()
	defer v.array.mu.Unlock()
	all := maps.Clone(v.state.past)
	maps.DeleteFunc(all, func(_ string, list []version) bool {
		_, isSnapshot := list[0].object["suffix"]
		return isSnapshot != snapshots
	})
	return all
}

// stored is a table as a collection: time_remaining counts down.
type stored struct {
	recorded
	now int64
}

func (s stored) item(i int) object {
	o := s.recorded.item(i)
	if due, ok := integer(o[eradicateAt]); ok {
		o["time_remaining"] = max(due-s.now, 0)
		delete(o, eradicateAt)
	}
	return o
}

func (s stored) field(i int, path string) (any, bool) {
	if due, ok := integer(s.recorded[i][eradicateAt]); ok && path == "time_remaining" {
		return max(due-s.now, 0), true
	}
	return s.recorded.field(i, path)
}
