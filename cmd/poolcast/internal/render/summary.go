package render

import (
	"slices"
	"strconv"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// summaryTable has a row for each logical pool. A sum to which an array does not
// contribute, because it does not report the number, is marked with a plus.
func summaryTable(pools []capability.LogicalPool) *text.Table {
	t := text.NewTable("POOL", "ZONE", "ARRAYS>", "STATUS", "USED>", "FREE GiB>", "TOTAL GiB>", "PROVISIONED>", "VIRTUAL FREE>", "LOAD %>", "HIGHEST>", "LOAD EVEN>").
		MayHide("PROVISIONED", "TOTAL GiB", "LOAD EVEN", "FREE GiB", "ARRAYS")
	for _, p := range pools {
		total := func(sum *float64, arrays int) string {
			if sum != nil && arrays < len(p.Reports) {
				return format.Whole(*sum) + "+"
			}
			return wholeOrMissing(sum)
		}
		t.Add(p.Name, p.Zone, strconv.Itoa(len(p.Reports)), worstStatus(p), usedShare(p),
			total(p.Sum(capability.KeyFreeCapacity)), total(p.Sum(capability.KeyTotalCapacity)),
			total(p.Sum(capability.KeyProvisionedCapacity)), total(p.SumOf(virtualFree)),
			wholeOrMissing(p.Mean(capability.KeyLoadPercent)), wholeOrMissing(p.Max(capability.KeyLoadPercent)), shareOrMissing(p.LoadEvenness()))
	}
	return t
}

// worstStatus is that of the array with the worst one. A backend of another vendor has
// none.
func worstStatus(p capability.LogicalPool) string {
	order := []capability.Status{"", capability.OK, capability.Partial, capability.Stale}
	worst := order[0]
	for _, r := range p.Reports {
		if slices.Index(order, r.Status) > slices.Index(order, worst) {
			worst = r.Status
		}
	}
	if worst == "" {
		return format.Missing
	}
	return string(worst)
}

// virtualFree is what CapacityFilter compares a size with, in GiB. A backend that does
// not report its free capacity has none: the scheduler counts it as zero.
func virtualFree(r *capability.Report) (float64, bool) {
	sum, ok := cinder.ArithmeticOf(*r)
	_, reported := r.Capabilities[capability.KeyFreeCapacity]
	return sum.Virtual, ok && reported
}

// usedShare is that of the capacity of the arrays that report it.
func usedShare(p capability.LogicalPool) string {
	var used, all float64
	for _, r := range p.Reports {
		share, ok := r.Capabilities.UsedShare()
		if size, known := r.Capabilities.Number(capability.KeyTotalCapacity); ok && known {
			used, all = used+share*size, all+size
		}
	}
	if all == 0 {
		return format.Missing
	}
	return format.Percent(used / all)
}

func wholeOrMissing(f *float64) string {
	if f == nil {
		return format.Missing
	}
	return format.Whole(*f)
}

func shareOrMissing(f *float64) string {
	if f == nil {
		return format.Missing
	}
	return format.Percent(*f)
}
