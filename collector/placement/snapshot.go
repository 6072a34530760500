package placement

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Snapshot is a set of backends at one moment. It is immutable: [Snapshot.Consume]
// returns another one. Columns and views are computed on first use and kept for as
// long as the reports are the same. Any goroutine may use it.
type Snapshot struct {
	backends []Backend
	shared   *shared
}

// SnapshotOptions say how a snapshot reads reports. The zero value has useful
// defaults.
type SnapshotOptions struct {
	// ID names a backend; by default it is the report's identity.
	ID func(*capability.Report) string
	// Read looks a capability up; by default in the report's capabilities.
	Read func(r *capability.Report, key string) (capability.Value, bool)
}

// shared is what a snapshot and those consumed from it have in common.
type shared struct {
	read   func(r *capability.Report, key string) (capability.Value, bool)
	origin *Snapshot // before anything was consumed
	memo   sync.Map  // of any key to *cell
}

type cell struct {
	once  sync.Once
	value any
}

// NewSnapshot reads the reports in their order, in which ties are broken. The
// reports must not be changed afterwards.
func NewSnapshot(reports []capability.Report, o SnapshotOptions) *Snapshot {
	if o.ID == nil {
		o.ID = func(r *capability.Report) string { return r.Identity() }
	}
	if o.Read == nil {
		o.Read = func(r *capability.Report, key string) (capability.Value, bool) {
			v, ok := r.Capabilities[key]
			return v, ok
		}
	}
	s := &Snapshot{backends: make([]Backend, len(reports)), shared: &shared{read: o.Read}}
	s.shared.origin = s
	for i := range reports {
		b := &s.backends[i]
		*b = Backend{snapshot: s, report: &reports[i], id: o.ID(&reports[i]), index: i}
		b.space = spaceOf(b)
	}
	return s
}

// Len is the number of backends.
func (s *Snapshot) Len() int { return len(s.backends) }

// At returns the backend at a position.
func (s *Snapshot) At(i int) *Backend { return &s.backends[i] }

// Consumption is what a placed volume takes from a backend.
type Consumption struct {
	GiB float64
	// Volumes are added to the backend's number of volumes. The Cinder
	// scheduler does not count them; 0 does as it does.
	Volumes int64
}

// Consume returns the snapshot after something was placed on the backend, which
// may be of s or of a snapshot that s was consumed from. Columns and views are
// shared with s.
func (s *Snapshot) Consume(b *Backend, c Consumption) *Snapshot {
	out := s.clone()
	out.backends[b.index].consume(c)
	return out
}

func (s *Snapshot) clone() *Snapshot {
	out := &Snapshot{backends: slices.Clone(s.backends), shared: s.shared}
	for i := range out.backends {
		out.backends[i].snapshot = out
	}
	return out
}

func (b *Backend) consume(c Consumption) {
	b.space.Allocated += c.GiB
	b.space.Provisioned += c.GiB
	b.space.Free -= c.GiB
	b.volumes += c.Volumes
	b.consumed = true
}

// View is something computed once per snapshot and then shared by all decisions on
// it: typed rows, compiled functions. Make one with [NewView] and keep it; the
// snapshot keeps the result under the View itself.
type View[T any] struct {
	build func(*Snapshot) T
}

// NewView returns a view that build computes, from the snapshot as it was before
// anything was consumed. It must depend on nothing else.
func NewView[T any](build func(*Snapshot) T) *View[T] { return &View[T]{build: build} }

// Of returns the view of a snapshot, and computes it on first use.
func (v *View[T]) Of(s *Snapshot) T {
	return remember(s.shared, v, func() T { return v.build(s.shared.origin) })
}

func remember[T any](s *shared, key any, build func() T) T {
	found, ok := s.memo.Load(key)
	if !ok {
		found, _ = s.memo.LoadOrStore(key, new(cell))
	}
	c := found.(*cell)
	c.once.Do(func() { c.value = build() })
	value, _ := c.value.(T)
	return value
}

// Backend is one row of a [Snapshot]. It is immutable and may be read from any
// goroutine; only a Snapshot makes one.
type Backend struct {
	snapshot *Snapshot
	report   *capability.Report
	id       string
	index    int
	space    Space
	volumes  int64 // placed since the report
	consumed bool
}

// Space is a backend's capacity in GiB after what was placed since its report. NaN
// stands for what is not a number ("infinite", "unknown").
type Space struct {
	Free        float64
	Allocated   float64
	Provisioned float64
}

// ID is the backend's unique name.
func (b *Backend) ID() string { return b.id }

// Index is the backend's position in its snapshot.
func (b *Backend) Index() int { return b.index }

// Report is what the backend reported. It must not be changed.
func (b *Backend) Report() *capability.Report { return b.report }

// Space is the capacity after what was placed since the report.
func (b *Backend) Space() Space { return b.space }

// Consumed reports whether anything was placed since the report. See
// [Snapshot.Consume].
func (b *Backend) Consumed() bool { return b.consumed }

// Name is the name of the backend for people: the stanza, or the report's identity
// if that is not known.
func (b *Backend) Name() string { return b.report.Name() }

// Value returns a capability, and whether the backend has it. Volumes that were
// consumed are added to total_volumes and live_volumes; capacities are as reported.
func (b *Backend) Value(key string) (capability.Value, bool) {
	v, ok := b.snapshot.shared.read(b.report, key)
	if b.volumes != 0 && countsVolumes(key) {
		v = addVolumes(v, b.volumes)
	}
	return v, ok
}

// Float returns a capability that is a number, and whether it is one.
func (b *Backend) Float(key string) (float64, bool) {
	v, ok := b.Value(key)
	if !ok {
		return 0, false
	}
	return v.Float()
}

func countsVolumes(key string) bool {
	return key == capability.KeyTotalVolumes || key == capability.KeyLiveVolumes
}

func addVolumes(v capability.Value, n int64) capability.Value {
	if i, ok := v.Int(); ok {
		return capability.OfInt(i + n)
	}
	return v
}

// spaceOf reads the numbers that placing a volume changes. What is absent counts
// as 0; provisioned defaults to allocated, as it does in
// cinder/scheduler/host_manager.py.
func spaceOf(b *Backend) Space {
	allocated := numberOr(b, capability.KeyAllocatedCapacity, 0)
	return Space{
		Free:        numberOr(b, capability.KeyFreeCapacity, 0),
		Allocated:   allocated,
		Provisioned: numberOr(b, capability.KeyProvisionedCapacity, allocated),
	}
}

func numberOr(b *Backend, key string, absent float64) float64 {
	v, ok := b.snapshot.shared.read(b.report, key)
	if !ok {
		return absent
	}
	if f, ok := v.Float(); ok {
		return f
	}
	return math.NaN()
}

// Ledger keeps what was placed and is not in a report yet. Cinder's scheduler
// drops its own deductions with each report; a ledger drops an entry only when the
// backend's report was begun after the entry was made, and it can count volumes as
// well as capacity.
//
// An engine does not use a ledger by itself. A Ledger may be used from any
// goroutine; the zero value is empty and ready.
type Ledger struct {
	mu      sync.Mutex
	entries map[string][]entry // by backend
}

type entry struct {
	placed Consumption
	at     time.Time
}

// Add enters what was placed on a backend at a time.
func (l *Ledger) Add(backend string, c Consumption, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[string][]entry{}
	}
	l.entries[backend] = append(l.entries[backend], entry{placed: c, at: at})
}

// Apply returns the snapshot with all entries consumed that are not in its
// reports, and drops the others. Entries of backends that are not in the snapshot
// are kept for a later report. Use it on a snapshot of reports, not on one that was
// consumed from already.
func (l *Ledger) Apply(s *Snapshot) *Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out *Snapshot
	for i := range s.backends {
		id := s.backends[i].id
		pending := l.pending(id, s.backends[i].report.CollectedAt)
		if len(pending) > 0 && out == nil {
			out = s.clone()
		}
		for _, e := range pending {
			out.backends[i].consume(e.placed)
		}
	}
	if out == nil {
		return s
	}
	return out
}

// pending drops the entries made before a report that was begun at that time.
func (l *Ledger) pending(backend string, begun time.Time) []entry {
	left := slices.DeleteFunc(l.entries[backend], func(e entry) bool { return e.at.Before(begun) })
	if len(left) == 0 {
		delete(l.entries, backend)
		return nil
	}
	l.entries[backend] = left
	return left
}
