package capability

import (
	"cmp"
	"math"
	"slices"
)

// LogicalPool is one logical pool: the arrays that share a volume_backend_name in one
// availability zone. To a user it is one thing; to the scheduler it is a choice.
type LogicalPool struct {
	Name    string
	Zone    string
	Reports []Report // in the order of the reports they were grouped from
}

// GroupPools groups reports into logical pools, sorted by name and zone.
func GroupPools(reports []Report) []LogicalPool {
	type id struct{ name, zone string }
	at := map[id]int{}
	var pools []LogicalPool
	for _, r := range reports {
		key := id{r.Pool, r.Zone}
		i, ok := at[key]
		if !ok {
			i = len(pools)
			at[key] = i
			pools = append(pools, LogicalPool{Name: r.Pool, Zone: r.Zone})
		}
		pools[i].Reports = append(pools[i].Reports, r)
	}
	slices.SortFunc(pools, func(a, b LogicalPool) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Zone, b.Zone))
	})
	return pools
}

// Sum adds a numeric key over the pool's arrays. It is nil when no array told;
// told is how many did.
func (p LogicalPool) Sum(key string) (sum *float64, told int) {
	numbers := p.numbers(key)
	if len(numbers) == 0 {
		return nil, 0
	}
	total := 0.0
	for _, n := range numbers {
		total += n
	}
	return &total, len(numbers)
}

// Mean is the average of a numeric key over the arrays that told it, or nil.
func (p LogicalPool) Mean(key string) *float64 {
	sum, told := p.Sum(key)
	if sum == nil {
		return nil
	}
	mean := *sum / float64(told)
	return &mean
}

// LoadEvenness says how evenly operations are spread over the pool's arrays:
// 1 is even, 1/n is everything on one of n arrays (Jain's fairness index over
// reads_per_sec + writes_per_sec). An idle pool is even. Nil if fewer than two
// arrays told.
func (p LogicalPool) LoadEvenness() *float64 {
	return p.evenness(func(c Set) (float64, bool) {
		reads, okReads := number(c, KeyReadsPerSec)
		writes, okWrites := number(c, KeyWritesPerSec)
		return reads + writes, okReads && okWrites
	})
}

// CapacityEvenness says how evenly full the pool's arrays are: Jain's fairness
// index over the used share of each. Nil if fewer than two arrays told.
func (p LogicalPool) CapacityEvenness() *float64 {
	return p.evenness(UsedShare)
}

// ReductionDivergence is how far the pool's best data reduction is above its
// worst: 0 is alike, 1 is twice as good. Arrays of one name are meant to be
// alike; where they are not, one GiB of volume costs different space on each.
// Nil if fewer than two arrays told.
func (p LogicalPool) ReductionDivergence() *float64 {
	ratios := p.numbers(KeyDataReduction)
	if len(ratios) < 2 || slices.Min(ratios) <= 0 {
		return nil
	}
	divergence := slices.Max(ratios)/slices.Min(ratios) - 1
	return &divergence
}

// UsedShare is how full the backend of a report is, between 0 and 1.
func UsedShare(c Set) (share float64, ok bool) {
	total, okTotal := number(c, KeyTotalCapacity)
	free, okFree := number(c, KeyFreeCapacity)
	if !okTotal || !okFree || total <= 0 {
		return 0, false
	}
	return min(1, max(0, (total-free)/total)), true
}

func (p LogicalPool) numbers(key string) []float64 {
	var numbers []float64
	for _, r := range p.Reports {
		if n, ok := number(r.Capabilities, key); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func (p LogicalPool) evenness(of func(Set) (float64, bool)) *float64 {
	var shares []float64
	for _, r := range p.Reports {
		if x, ok := of(r.Capabilities); ok {
			shares = append(shares, x)
		}
	}
	return Evenness(shares)
}

// Evenness is Jain's fairness index of shares that are not negative: 1 is even,
// 1/n is everything in one of n. Nothing anywhere is even. Nil if there are
// fewer than two.
func Evenness(shares []float64) *float64 {
	if len(shares) < 2 {
		return nil
	}
	var sum, squares float64
	for _, x := range shares {
		sum, squares = sum+x, squares+x*x
	}
	index := 1.0
	if squares > 0 {
		index = sum * sum / (float64(len(shares)) * squares)
	}
	return &index
}

// number reads a finite number.
func number(c Set, key string) (float64, bool) {
	f, ok := c[key].Float()
	return f, ok && !math.IsInf(f, 0) && !math.IsNaN(f)
}
