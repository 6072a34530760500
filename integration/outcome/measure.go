package outcome

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Measure is one figure of a run. The lower it is, the better.
type Measure string

// The measures. Those over time are of the samples after the settling time of the
// scenario; a spread is the greatest value of an array less the lowest.
const (
	UsedSpread        Measure = "used spread, %"
	ProvisionedSpread Measure = "provisioned spread, %"
	LoadSpread        Measure = "load spread, %"
	BusiestMedian     Measure = "busiest array p50, µs"
	BusiestHigh       Measure = "busiest array p99, µs"
	MeanLatency       Measure = "mean operation, µs"
	RefusedCreates    Measure = "creates refused"
)

// Measures are all of them, in the order of the table.
func Measures() []Measure {
	return []Measure{UsedSpread, ProvisionedSpread, LoadSpread, BusiestMedian, BusiestHigh, MeanLatency, RefusedCreates}
}

// Figures are the measures of one run. One that has no value is absent.
type Figures map[Measure]float64

// Figures computes the measures of a run.
func (r Run) Figures() Figures {
	f := Figures{}
	for _, n := range r.Refused {
		f[RefusedCreates] += float64(n)
	}
	f[RefusedCreates] += 0
	var used, provisioned, load, busiest []float64
	var time, operations float64
	for _, s := range r.Samples {
		if s.At < r.Settle || len(s.Arrays) == 0 {
			continue
		}
		used = append(used, 100*spread(s.Arrays, func(a State) float64 { return a.Used }))
		provisioned = append(provisioned, 100*spread(s.Arrays, func(a State) float64 { return a.Provisioned }))
		load = append(load, 100*spread(s.Arrays, func(a State) float64 { return a.Load }))
		most := 0.0
		for _, a := range s.Arrays {
			most = max(most, a.Latency)
			time, operations = time+a.Latency*a.Operations, operations+a.Operations
		}
		busiest = append(busiest, most)
	}
	if len(used) == 0 {
		return f
	}
	f[UsedSpread], f[ProvisionedSpread], f[LoadSpread] = stat.Mean(used, nil), stat.Mean(provisioned, nil), stat.Mean(load, nil)
	slices.Sort(busiest)
	f[BusiestMedian] = stat.Quantile(0.5, stat.Empirical, busiest, nil)
	f[BusiestHigh] = stat.Quantile(0.99, stat.Empirical, busiest, nil)
	if operations > 0 {
		f[MeanLatency] = time / operations
	}
	return f
}

// spread is the greatest value less the lowest.
func spread(arrays []State, value func(State) float64) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, a := range arrays {
		low, high = min(low, value(a)), max(high, value(a))
	}
	return high - low
}
