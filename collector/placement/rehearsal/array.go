package rehearsal

import (
	"math"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/growth"
)

// array is the state of one array during a burst, and the source of its reports.
type array struct {
	first   capability.Report // before the burst, with the setting applied
	setting *Setting
	burst   *Burst

	automatic bool
	ratio     float64 // before the burst, if automatic
	// perOperation is the load of one operation per second, for an idle array: the mean
	// of the others.
	perOperation float64

	volumes int64
	gib     float64
	current capability.Set // its capabilities now; nil until they are computed
}

func newArray(r capability.Report, s *Setting, b *Burst) *array {
	a := &array{first: r, setting: s, burst: b}
	caps := r.Capabilities.Clone()
	if s.Goodness != "" && caps[capability.KeyGoodnessFunction].IsNull() {
		caps[capability.KeyGoodnessFunction] = capability.OfString(s.Goodness)
	}
	// Only cinder-volume counts this. Without it, everything that is provisioned
	// is taken to be Cinder's, as CapacityFilter does.
	if _, ok := caps[capability.KeyAllocatedCapacity]; !ok {
		if p, ok := caps[capability.KeyProvisionedCapacity]; ok {
			caps[capability.KeyAllocatedCapacity] = p
		}
	}
	a.first.Capabilities = caps
	reduction, known := growth.Reduction(caps)
	a.ratio = reduction
	a.automatic = known && (s.Ratio == Automatic || s.Ratio == AsReported && growth.IsAutomatic(caps))
	return a
}

// place puts a volume on the array.
func (a *array) place(gib float64) {
	a.volumes++
	a.gib += gib
	a.current = nil
}

// report is the array's report with the given timestamp.
func (a *array) report(stamp time.Time) capability.Report {
	if a.current == nil {
		a.current = a.capabilities()
	}
	r := a.first
	r.CollectedAt, r.Capabilities = stamp, a.current
	return r
}

// placed are the volumes of the burst.
func (a *array) placed() growth.Volumes {
	return growth.Volumes{Count: a.volumes, GiB: a.gib, Physical: a.gib * a.burst.Fill}
}

// before are the array's capabilities before the burst.
func (a *array) before() capability.Set {
	untouched := *a
	untouched.volumes, untouched.gib = 0, 0
	return untouched.capabilities()
}

func (a *array) capabilities() capability.Set {
	caps := a.first.Capabilities.Clone()
	growth.Add(caps, a.placed())
	a.setLoad(caps, float64(a.volumes)*a.burst.Operations)
	a.setRatio(caps)
	return caps
}

// setLoad adds operations, half of them reads. The share of time spent queueing
// is taken to grow in proportion, which is too little for an array near its
// limit; the times of operations grow with that share. An idle array gets the load that
// operations cause on the others.
func (a *array) setLoad(caps capability.Set, more float64) {
	before, ok := caps.Operations()
	if more == 0 || !ok {
		return
	}
	growth.AddTo(caps, capability.KeyReadsPerSec, math.Floor(more/2))
	growth.AddTo(caps, capability.KeyWritesPerSec, math.Ceil(more/2))
	load, ok := caps.Number(capability.KeyLoadPercent)
	if !ok {
		return
	}
	perOperation := a.perOperation
	if before > 0 {
		perOperation = load / before
	}
	now := min(100, load+perOperation*more)
	caps[capability.KeyLoadPercent] = capability.OfInt(int64(math.Round(now)))
	setWait(caps, capability.KeyUsecPerRead, capability.KeyQueueUsecPerRead, (now-load)/100)
	setWait(caps, capability.KeyUsecPerWrite, capability.KeyQueueUsecPerWrite, (now-load)/100)
}

// mostWait is the greatest share of its time that an operation is taken to wait: more
// would make times without a bound.
const mostWait = 0.98

// setWait adds to the share of its time that an operation waits, as the load grows. What
// it does not wait stays the same. Keys that are not reported stay absent.
func setWait(caps capability.Set, totalKey, waitKey string, more float64) {
	total, ok := caps.Number(totalKey)
	wait, okWait := caps.Number(waitKey)
	if !ok || !okWait || total <= 0 || wait < 0 || wait > total {
		return
	}
	share := min(max(wait/total, mostWait), wait/total+more)
	if service := total - wait; share < 1 {
		now := math.Round(service * share / (1 - share))
		caps[waitKey] = capability.OfInt(int64(now))
		caps[totalKey] = capability.OfInt(int64(math.Round(service + now)))
	}
}

// loadPerOperation is the mean of all arrays that have operations.
func loadPerOperation(arrays []*array) float64 {
	var load, operations float64
	for _, a := range arrays {
		l, ok := a.first.Capabilities.Number(capability.KeyLoadPercent)
		n, okOperations := a.first.Capabilities.Operations()
		if ok && okOperations && n > 0 {
			load, operations = load+l, operations+n
		}
	}
	return load / max(operations, 1)
}

// setRatio follows cinder/volume/drivers/pure.py, _get_thin_provisioning.
func (a *array) setRatio(caps capability.Set) {
	provisioned, _ := a.first.Capabilities.Number(capability.KeyProvisionedCapacity)
	used, _ := growth.Used(a.first.Capabilities)
	reduction := a.ratio * growth.Factor(provisioned, used, a.placed())
	if _, ok := caps.Number(capability.KeyTotalReduction); ok {
		caps[capability.KeyTotalReduction] = capability.OfFloat(reduction)
	}
	switch {
	case a.setting.Ratio == Fixed, a.automatic && reduction >= growth.Unused:
		caps[capability.KeyMaxOverSubscription] = capability.OfFloat(a.setting.FixedRatio)
	case a.automatic:
		caps[capability.KeyMaxOverSubscription] = capability.OfFloat(reduction)
	}
}

// changing is the part of the capabilities that a burst changes.
func changing(caps capability.Set) capability.Set {
	out := capability.Set{}
	for _, key := range []string{
		capability.KeyProvisionedCapacity, capability.KeyAllocatedCapacity, capability.KeyFreeCapacity,
		capability.KeyMaxOverSubscription, capability.KeyTotalReduction,
		capability.KeyTotalVolumes, capability.KeyLiveVolumes,
		capability.KeyReadsPerSec, capability.KeyWritesPerSec, capability.KeyLoadPercent,
		capability.KeyUsecPerRead, capability.KeyQueueUsecPerRead,
		capability.KeyUsecPerWrite, capability.KeyQueueUsecPerWrite,
	} {
		if v, ok := caps[key]; ok {
			out[key] = v
		}
	}
	return out
}
