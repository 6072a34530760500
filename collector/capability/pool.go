package capability

import (
	"cmp"
	"slices"
)

// LogicalPool is the backends that share a volume_backend_name in one
// availability zone: the choice that the scheduler has for a volume type.
type LogicalPool struct {
	Name    string
	Zone    string
	Reports []Report // in the order in which they were given
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

// Sum adds a numeric key over the arrays that report it and returns how many
// do. It is nil if none does.
func (p LogicalPool) Sum(key string) (sum *float64, arrays int) { return p.SumOf(numberOf(key)) }

// SumOf is [LogicalPool.Sum] of what a function returns for the arrays.
func (p LogicalPool) SumOf(of func(*Report) (float64, bool)) (sum *float64, arrays int) {
	numbers := p.numbers(of)
	if len(numbers) == 0 {
		return nil, 0
	}
	total := 0.0
	for _, n := range numbers {
		total += n
	}
	return &total, len(numbers)
}

// Mean is the average of a numeric key over the arrays that report it, or nil.
func (p LogicalPool) Mean(key string) *float64 {
	sum, arrays := p.Sum(key)
	if sum == nil {
		return nil
	}
	mean := *sum / float64(arrays)
	return &mean
}

// Max is the greatest value of a numeric key, or nil if no array reports it.
func (p LogicalPool) Max(key string) *float64 {
	numbers := p.numbers(numberOf(key))
	if len(numbers) == 0 {
		return nil
	}
	greatest := slices.Max(numbers)
	return &greatest
}

// LoadEvenness is how evenly operations are spread over the pool's arrays: 1 is
// even, 1/n is everything on one of n arrays (see [Evenness]). A pool without
// load is even. Nil if fewer than two arrays report operations.
func (p LogicalPool) LoadEvenness() *float64 { return Evenness(p.numbers(ofSet(Set.Operations))) }

// CapacityEvenness is how evenly full the pool's arrays are: the evenness of
// their used shares. Nil if fewer than two arrays report it.
func (p LogicalPool) CapacityEvenness() *float64 { return Evenness(p.numbers(ofSet(Set.UsedShare))) }

// ReductionDivergence is how far the pool's best data reduction is above its
// worst: 0 is equal, 1 is twice as good. Where arrays of one pool differ, one GiB
// of volume takes different physical space on each. Nil if fewer than two arrays
// report it.
func (p LogicalPool) ReductionDivergence() *float64 {
	ratios := p.numbers(numberOf(KeyDataReduction))
	if len(ratios) < 2 || slices.Min(ratios) <= 0 {
		return nil
	}
	divergence := slices.Max(ratios)/slices.Min(ratios) - 1
	return &divergence
}

// numbers are those that of returns for the pool's arrays.
func (p LogicalPool) numbers(of func(*Report) (float64, bool)) []float64 {
	var numbers []float64
	for i := range p.Reports {
		if n, ok := of(&p.Reports[i]); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func numberOf(key string) func(*Report) (float64, bool) {
	return func(r *Report) (float64, bool) { return r.Capabilities.Number(key) }
}

func ofSet(of func(Set) (float64, bool)) func(*Report) (float64, bool) {
	return func(r *Report) (float64, bool) { return of(r.Capabilities) }
}

// Evenness is Jain's fairness index of shares that are not negative: 1 is even,
// 1/n is everything in one of n. Zeros alone are even. Nil if there are fewer
// than two.
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
