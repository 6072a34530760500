package growth

import (
	"math"

	"github.com/poolcast/poolcast/collector/capability"
)

// Unused is the reduction from which the driver takes an array to be nearly unused
// (cinder/volume/drivers/pure.py, _get_thin_provisioning).
const Unused = 100

// Volumes are volumes that come to an array; negative if they leave it.
type Volumes struct {
	Count    int64
	GiB      float64 // provisioned
	Physical float64 // GiB that they use
}

// Add changes the counts and the capacities of a report. What is not reported stays
// absent.
func Add(caps capability.Set, v Volumes) {
	AddTo(caps, capability.KeyProvisionedCapacity, v.GiB)
	AddTo(caps, capability.KeyAllocatedCapacity, v.GiB)
	AddTo(caps, capability.KeyFreeCapacity, -v.Physical)
	AddTo(caps, capability.KeyTotalVolumes, float64(v.Count))
	AddTo(caps, capability.KeyLiveVolumes, float64(v.Count))
}

// AddTo changes a number that is reported; an integer stays one.
func AddTo(caps capability.Set, key string, x float64) {
	if i, ok := caps[key].Int(); ok && x == math.Trunc(x) {
		caps[key] = capability.OfInt(i + int64(x))
	} else if f, ok := caps.Number(key); ok && x != 0 {
		caps[key] = capability.OfFloat(f + x)
	}
}

// Factor is the factor by which an array's reduction, provisioned over physical, changes
// when volumes come. Both are those before, in GiB.
func Factor(provisioned, used float64, v Volumes) float64 {
	if provisioned <= 0 || used <= 0 {
		return 1
	}
	return (provisioned + v.GiB) / provisioned * used / (used + v.Physical)
}

// Reduction is the array's total reduction, computed from its capacities where it is
// not reported.
func Reduction(caps capability.Set) (float64, bool) {
	if r, ok := caps.Number(capability.KeyTotalReduction); ok {
		return r, r > 0
	}
	provisioned, ok := caps.Number(capability.KeyProvisionedCapacity)
	used, okUsed := Used(caps)
	return provisioned / used, ok && okUsed
}

// IsAutomatic reports whether the over-subscription ratio is the array's reduction.
func IsAutomatic(caps capability.Set) bool {
	ratio, ok := caps.Number(capability.KeyMaxOverSubscription)
	reduction, known := Reduction(caps)
	return ok && known && math.Abs(ratio-reduction) <= reduction/100
}

// Used is the physical use in GiB, if there is any.
func Used(caps capability.Set) (float64, bool) {
	total, ok := caps.Number(capability.KeyTotalCapacity)
	free, okFree := caps.Number(capability.KeyFreeCapacity)
	return total - free, ok && okFree && total > free
}
