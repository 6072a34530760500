package placement

import (
	"cmp"
	"math"
	"slices"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// addChances enters whether the choice among the backends that fit was drawn, and the
// chance that each of them had, by its position in x.passed.
func (e *Engine) addChances(d *Decision, x *scratch, p *plan, scores []Score) (chances []float64) {
	random := e.randomWeighers(p)
	d.Drawn = len(x.passed) > 1 && (e.selects != Best || len(random) > 0)
	switch {
	case !d.Drawn:
		return nil
	case len(random) > 0:
		if !e.alike(random, scores) {
			return nil // no closed form
		}
		return equalChances(len(x.passed))
	case e.selects == Lottery:
		return lotteryChances(x.total)
	}
	return bestOfTwoChances(x.total)
}

// randomWeighers marks the weighers whose weights are drawn, and count. It is empty if
// there is none.
func (e *Engine) randomWeighers(p *plan) []bool {
	var random []bool
	for k, w := range p.weighers {
		if r, ok := w.(Random); ok && r.Random() && e.weighers[k].multiplier != 0 {
			random = append(random, make([]bool, len(p.weighers)-len(random))...)
			random[k] = true
		}
	}
	return random
}

// alike reports whether nothing but drawn weights makes a difference. A lottery also
// needs weights that are not negative, since one with negative weights depends on the
// order.
func (e *Engine) alike(random []bool, scores []Score) bool {
	per := len(e.weighers)
	first := 0.0
	for at := 0; at < len(scores); at += per {
		sum := 0.0
		for k, s := range scores[at : at+per] {
			if !random[k] {
				sum += s.Weighted
			} else if e.selects == Lottery && s.Multiplier < 0 {
				return false
			}
		}
		if at == 0 {
			first = sum
		}
		if sum != first || e.selects == Lottery && sum < 0 {
			return false
		}
	}
	return true
}

func equalChances(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1 / float64(n)
	}
	return out
}

// bestOfTwoChances are those of pickOfTwo: the share of ordered pairs of different
// backends in which each is taken.
func bestOfTwoChances(total []float64) []float64 {
	sorted := slices.Sorted(slices.Values(total))
	pairs := float64(len(total)) * float64(len(total)-1)
	out := make([]float64, len(total))
	for i, w := range total {
		less, _ := slices.BinarySearch(sorted, w)
		upTo, _ := slices.BinarySearchFunc(sorted, w, func(a, b float64) int { return cmp.Compare(a, b)*2 - 1 })
		equal := upTo - less - 1
		out[i] = float64(2*less+equal) / pairs
	}
	return out
}

// lotteryChances are those of pickLottery: the share of the draws between 0 and the sum
// of all weights at which each backend is the first whose running sum exceeds the draw.
// Where none does, it is the first backend. There is no result for a sum that is not
// finite (cinder/scheduler/weights/stochastic.py).
func lotteryChances(total []float64) []float64 {
	sum := 0.0
	for _, w := range total {
		sum += w
	}
	out := make([]float64, len(total))
	// The draws not taken yet are those from low to high.
	low, high, running := min(sum, 0), max(sum, 0), 0.0
	span := high - low
	if math.IsInf(span, 0) || math.IsNaN(span) {
		return nil
	}
	for i, w := range total {
		running += w
		switch {
		case span == 0 && running > 0: // every draw is 0
			out[i] = 1
			return out
		case span > 0 && min(running, high) > low:
			out[i] = (min(running, high) - low) / span
			low = min(running, high)
		}
	}
	if span == 0 {
		out[0] = 1
	} else {
		out[0] += (high - low) / span
	}
	return out
}

// chanceText prints a chance as a percentage.
func chanceText(chance float64) string { return format.Significant(chance*100, 3) + " %" }
