package simulator

import (
	"maps"
	"reflect"
	"slices"
	"sort"
	"strings"
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
	due     int64                // when the next object is eradicated or group replicated, ms since the epoch
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

// Members of a stored object that are not part of a response.
const (
	eradicateAt  = "~eradicate_at"  // when it is eradicated, ms since the epoch
	replicatedAt = "~replicated_at" // when a protection group was last replicated, ms since the epoch
	groupOf      = "~group"         // the protection group snapshot that a volume snapshot is part of
)

// isVersioned reports a table whose objects keep their versions.
func isVersioned(kind string) bool { return kind == "volumes" || kind == "volume-snapshots" }

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

// transaction is one change of one array or of several that replicate. Its drafts
// become the states of their arrays together, or not at all.
type transaction struct {
	link   *link
	drafts map[*Array]*draft
}

// draft is the state of one array that a change prepares.
type draft struct {
	tx      *transaction
	array   *Array
	now     int64 // ms since the epoch
	tables  map[string][]object
	copied  map[string]bool // tables that are this draft's own
	ids     []string        // of puts
	puts    []version
	grown   int64 // bytes
	serials int64
}

// on is the draft of an array.
func (t *transaction) on(a *Array) *draft {
	if d, ok := t.drafts[a]; ok {
		return d
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	d := &draft{
		tx: t, array: a, now: a.now().UnixMilli(), tables: maps.Clone(a.state.tables), copied: map[string]bool{},
		serials: a.state.serials,
	}
	t.drafts[a] = d
	return d
}

// commit makes the drafts the states of their arrays.
func (t *transaction) commit() {
	for _, d := range t.drafts {
		d.derive()
	}
	for _, d := range t.drafts {
		d.commit()
	}
}

// put replaces an object of a table by another, also on the arrays that its pod
// is stretched to. Without the first it adds the second; without the second it
// removes the first. The first must be in the table now.
func (d *draft) put(kind string, old, next object) {
	d.store(kind, old, next)
	for _, peer := range d.mirrors(kind, old, next) {
		peer.mirror(kind, old, next)
	}
}

// store is put for this array only: the one function that changes a table.
func (d *draft) store(kind string, old, next object) {
	at := slices.IndexFunc(d.tables[kind], func(o object) bool { return same(o, old) })
	switch {
	case old == nil && next != nil:
		d.tables[kind] = append(d.own(kind), next)
	case at >= 0 && next != nil:
		d.own(kind)[at] = next
	case at >= 0:
		d.tables[kind] = slices.Delete(d.own(kind), at, at+1)
	default:
		return
	}
	d.record(kind, old, next)
}

// replace is store for an object at a known position.
func (d *draft) replace(kind string, i int, next object) {
	list := d.own(kind)
	old := list[i]
	list[i] = next
	d.record(kind, old, next)
}

// own is a table that this draft may modify: its own copy.
func (d *draft) own(kind string) []object {
	if !d.copied[kind] {
		d.tables[kind], d.copied[kind] = slices.Clone(d.tables[kind]), true
	}
	return d.tables[kind]
}

// record notes a version of a volume or snapshot.
func (d *draft) record(kind string, old, next object) {
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

// same reports that two objects are one, not only equal.
func same(x, y object) bool {
	return y != nil && reflect.ValueOf(x).Pointer() == reflect.ValueOf(y).Pointer()
}

// find searches a table by "name", ignoring case, or "id".
func (d *draft) find(kind, key, value string) (object, bool) {
	list := recorded(d.tables[kind])
	i, ok := list.find(key, value)
	if !ok || value == "" {
		return nil, false
	}
	return list[i], true
}

// where are the objects of a table whose text at a path is a value, ignoring case.
func (d *draft) where(kind, path, value string) []object {
	var found []object
	for _, o := range d.tables[kind] {
		if value != "" && containsFold([]string{value}, textAt(o, path)) {
			found = append(found, o)
		}
	}
	return found
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
	s.tables, s.serials, s.due = d.tables, d.serials, d.nextDue()
	s.changes++
	a.state = &s
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
	}
	maps.DeleteFunc(o, func(name string, _ any) bool { return name[0] == '~' })
	return o
}

func (s stored) field(i int, path string) (any, bool) {
	if due, ok := integer(s.recorded[i][eradicateAt]); ok && path == "time_remaining" {
		return max(due-s.now, 0), true
	}
	value, ok := s.recorded.field(i, path)
	if list, isList := value.([]any); isList && path == "wwns" {
		return withoutColons(list), ok
	}
	return value, ok
}

// withoutColons adds each WWN without its colons, so that a filter finds both
// forms: the Cinder driver sends this one.
func withoutColons(wwns []any) []any {
	both := slices.Clone(wwns)
	for _, w := range wwns {
		if text, isText := w.(string); isText {
			both = append(both, strings.ReplaceAll(text, ":", ""))
		}
	}
	return both
}
