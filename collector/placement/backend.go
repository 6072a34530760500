package placement

import (
	"math"

	"github.com/poolcast/poolcast/collector/capability"
)

// Backend is one row of a [Snapshot]. It is immutable and may be read from any
// goroutine; only a Snapshot makes one.
type Backend struct {
	snapshot *Snapshot
	report   *capability.Report
	id       string
	index    int
	space    Space
	// volumes were placed since the report and are counted.
	volumes int64
	charged bool
}

// Space is a backend's room in GiB as it is believed to be now: what the
// report said, less what was charged since. NaN stands for what is not a
// number ("infinite", "unknown").
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

// Space is the room that is left, charges included.
func (b *Backend) Space() Space { return b.space }

// Volumes is the number of volumes charged with [Charge.Volumes].
func (b *Backend) Volumes() int64 { return b.volumes }

// Charged reports whether anything was charged since the report.
func (b *Backend) Charged() bool { return b.charged }

// Value returns a capability, and whether the backend has it. Charged volumes
// are counted in total_volumes and live_volumes; capacities are as reported.
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

// Text returns a capability that is a string, and whether it is one.
func (b *Backend) Text(key string) (string, bool) {
	v, ok := b.Value(key)
	if !ok {
		return "", false
	}
	return v.Str()
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

// spaceOf reads the numbers that placing a volume changes. What is absent
// counts as nothing; provisioned defaults to allocated, as it does in
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
