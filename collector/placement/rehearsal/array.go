package rehearsal

import (
	"math"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// array knows the truth about itself and tells it at every report.
type array struct {
	first   capability.Report // before the burst, with the setting laid over it
	setting *Setting
	burst   *Burst

	automatic bool
	ratio     float64 // before the burst, if automatic

	volumes int64
	gib     float64
	told    capability.Set // what it tells now; nil until it is asked
}

func newArray(r capability.Report, s *Setting, b *Burst) *array {
	a := &array{first: r, setting: s, burst: b}
	caps := r.Capabilities.Clone()
	if s.Goodness != "" && caps[capability.KeyGoodnessFunction].IsNull() {
		caps[capability.KeyGoodnessFunction] = capability.OfString(s.Goodness)
	}
	// Without cinder-volume nobody has counted this. Everything that is
	// provisioned is taken to be Cinder's, as it is to the CapacityFilter.
	if _, ok := caps[capability.KeyAllocatedCapacity]; !ok {
		if p, ok := caps[capability.KeyProvisionedCapacity]; ok {
			caps[capability.KeyAllocatedCapacity] = p
		}
	}
	a.first.Capabilities = caps
	reduction, known := reductionOf(caps)
	a.ratio = reduction
	a.automatic = known && (s.Ratio == Automatic || s.Ratio == AsReported && isAutomatic(caps))
	return a
}

// place puts a volume on the array.
func (a *array) place(gib float64) {
	a.volumes++
	a.gib += gib
	a.told = nil
}

// report is what the array says of itself, stamped with that moment.
func (a *array) report(stamp time.Time) capability.Report {
	if a.told == nil {
		a.told = a.tell()
	}
	r := a.first
	r.CollectedAt, r.Capabilities = stamp, a.told
	return r
}

// before is what the array told before the burst.
func (a *array) before() capability.Set {
	untouched := *a
	untouched.volumes, untouched.gib = 0, 0
	return untouched.tell()
}

func (a *array) tell() capability.Set {
	caps, n := a.first.Capabilities.Clone(), float64(a.volumes)
	add(caps, capability.KeyProvisionedCapacity, a.gib)
	add(caps, capability.KeyAllocatedCapacity, a.gib)
	add(caps, capability.KeyFreeCapacity, -a.gib*a.burst.Fill)
	add(caps, capability.KeyTotalVolumes, n)
	add(caps, capability.KeyLiveVolumes, n)
	a.tellLoad(caps, n*a.burst.Operations)
	a.tellRatio(caps)
	return caps
}

// tellLoad adds operations, half of them reads. The share of time spent
// queueing is taken to grow in step with them, which is too little for an array
// that is nearly busy.
func (a *array) tellLoad(caps capability.Set, more float64) {
	before := Operations(caps)
	if more == 0 || before == nil {
		return
	}
	add(caps, capability.KeyReadsPerSec, math.Floor(more/2))
	add(caps, capability.KeyWritesPerSec, math.Ceil(more/2))
	if load, ok := finite(caps, capability.KeyLoadPercent); ok && *before > 0 {
		caps[capability.KeyLoadPercent] = capability.OfInt(int64(min(100, math.Round(load*(1 + more / *before)))))
	}
}

// tellRatio follows cinder/volume/drivers/pure.py, _get_thin_provisioning.
func (a *array) tellRatio(caps capability.Set) {
	reduction := a.ratio * a.growth()
	if _, told := finite(caps, capability.KeyTotalReduction); told {
		caps[capability.KeyTotalReduction] = capability.OfFloat(reduction)
	}
	switch {
	case a.setting.Ratio == Fixed, a.automatic && reduction >= unusedReduction:
		caps[capability.KeyMaxOverSubscription] = capability.OfFloat(a.setting.FixedRatio)
	case a.automatic:
		caps[capability.KeyMaxOverSubscription] = capability.OfFloat(reduction)
	}
}

// unusedReduction is from where the driver takes a reduction to say only that
// the array is nearly unused.
const unusedReduction = 100

// growth is by how much the array's reduction has changed: provisioned over
// physical.
func (a *array) growth() float64 {
	provisioned, ok := finite(a.first.Capabilities, capability.KeyProvisionedCapacity)
	used, okUsed := usedGiB(a.first.Capabilities)
	if !ok || !okUsed || provisioned <= 0 {
		return 1
	}
	return (provisioned + a.gib) / provisioned * used / (used + a.gib*a.burst.Fill)
}

// reductionOf is the array's total reduction, or what its capacities say of it.
func reductionOf(caps capability.Set) (float64, bool) {
	if r, ok := finite(caps, capability.KeyTotalReduction); ok {
		return r, r > 0
	}
	provisioned, ok := finite(caps, capability.KeyProvisionedCapacity)
	used, okUsed := usedGiB(caps)
	return provisioned / used, ok && okUsed
}

// isAutomatic reports whether the ratio is the array's reduction.
func isAutomatic(caps capability.Set) bool {
	ratio, ok := finite(caps, capability.KeyMaxOverSubscription)
	reduction, known := reductionOf(caps)
	return ok && known && math.Abs(ratio-reduction) <= reduction/100
}

// Operations are the reads and writes per second that a backend told, nil if it
// did not.
func Operations(caps capability.Set) *float64 {
	reads, ok := finite(caps, capability.KeyReadsPerSec)
	writes, okWrites := finite(caps, capability.KeyWritesPerSec)
	if !ok || !okWrites {
		return nil
	}
	sum := reads + writes
	return &sum
}

// usedGiB is the physical use, if there is any.
func usedGiB(caps capability.Set) (float64, bool) {
	total, ok := finite(caps, capability.KeyTotalCapacity)
	free, okFree := finite(caps, capability.KeyFreeCapacity)
	return total - free, ok && okFree && total > free
}

// add changes a number that was told; an integer stays one.
func add(caps capability.Set, key string, x float64) {
	if i, ok := caps[key].Int(); ok && x == math.Trunc(x) {
		caps[key] = capability.OfInt(i + int64(x))
	} else if f, ok := finite(caps, key); ok && x != 0 {
		caps[key] = capability.OfFloat(f + x)
	}
}

func finite(caps capability.Set, key string) (float64, bool) {
	f, ok := caps[key].Float()
	return f, ok && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// ChangedKeys are the keys of a report that a burst changes.
func ChangedKeys() []string {
	return []string{
		capability.KeyProvisionedCapacity, capability.KeyAllocatedCapacity, capability.KeyFreeCapacity,
		capability.KeyMaxOverSubscription, capability.KeyTotalReduction,
		capability.KeyTotalVolumes, capability.KeyLiveVolumes,
		capability.KeyReadsPerSec, capability.KeyWritesPerSec, capability.KeyLoadPercent,
	}
}
