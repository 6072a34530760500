package placement

import (
	"slices"
	"sync"

	"github.com/poolcast/poolcast/collector/capability"
)

// Snapshot is a set of backends at one instant. It is immutable: charging it
// gives another one. Columns and views are computed when first asked for and
// kept for as long as the reports are the same. Any goroutine may use it.
type Snapshot struct {
	backends []Backend
	shared   *shared
}

// Options say how a snapshot reads reports. The zero value is fine.
type Options struct {
	// ID names a backend; by default it is the report's identity.
	ID func(*capability.Report) string
	// Read looks a capability up; by default in the report's capabilities.
	Read Reader
}

// Reader looks up one capability of a report.
type Reader func(r *capability.Report, key string) (capability.Value, bool)

// shared is what a snapshot has in common with those charged from it.
type shared struct {
	read   Reader
	origin *Snapshot // before anything was charged
	memo   sync.Map  // of any key to *cell
}

type cell struct {
	once  sync.Once
	value any
}

// NewSnapshot takes the reports in, in their order, which is also the order in
// which ties are broken. The reports must not be changed afterwards.
func NewSnapshot(reports []capability.Report, o Options) *Snapshot {
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

// Find returns the backend of that ID, nil if there is none.
func (s *Snapshot) Find(id string) *Backend {
	i := slices.IndexFunc(s.backends, func(b Backend) bool { return b.id == id })
	if i < 0 {
		return nil
	}
	return &s.backends[i]
}

// Charge is what placing something takes from a backend.
type Charge struct {
	GiB float64
	// Volumes are added to the backend's count of volumes. The Cinder
	// scheduler does not count them; leave it 0 to do as it does.
	Volumes int64
}

// Charge returns a snapshot in which the backend at position i has taken in
// the charge. Columns and views are shared with s.
func (s *Snapshot) Charge(i int, c Charge) *Snapshot {
	out := s.clone()
	out.backends[i].charge(c)
	return out
}

func (s *Snapshot) clone() *Snapshot {
	out := &Snapshot{backends: slices.Clone(s.backends), shared: s.shared}
	for i := range out.backends {
		out.backends[i].snapshot = out
	}
	return out
}

func (b *Backend) charge(c Charge) {
	b.space.Allocated += c.GiB
	b.space.Provisioned += c.GiB
	b.space.Free -= c.GiB
	b.volumes += c.Volumes
	b.charged = true
}

// View is something computed once per snapshot and then shared by all
// decisions on it: typed rows, compiled expressions. Make one with [NewView]
// and keep it; the View itself is the key under which a snapshot remembers.
type View[T any] struct {
	build func(*Snapshot) T
}

// NewView returns a view that build computes, from the snapshot as it was
// before anything was charged. It must depend on nothing else.
func NewView[T any](build func(*Snapshot) T) *View[T] { return &View[T]{build: build} }

// Of returns the view of a snapshot, computing it if nobody asked before.
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
