package placement

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// rank returns positions in x.passed, best first, equals in the order of the
// snapshot.
func (x *scratch) rank() []int32 {
	x.order = slices.Grow(x.order[:0], len(x.total))
	for i := range x.total {
		x.order = append(x.order, int32(i))
	}
	slices.SortFunc(x.order, func(a, b int32) int {
		switch v, w := x.total[a], x.total[b]; {
		case v > w:
			return -1
		case v < w:
			return 1
		}
		return cmp.Compare(a, b)
	})
	return x.order
}

// pick returns the position in x.passed of the backend to choose. There is at
// least one.
func (e *Engine) pick(x *scratch, r Request) int {
	switch e.selects {
	case BestOfTwo:
		return pickOfTwo(x.total, random(r))
	case Lottery:
		return pickLottery(x.total, random(r))
	}
	best := 0
	for i, w := range x.total {
		if w > x.total[best] {
			best = i
		}
	}
	return best
}

// random depends on the request's seed alone. The second word separates it from
// plug-ins that draw from the same seed.
func random(r Request) *rand.Rand { return rand.New(rand.NewPCG(r.Seed(), 0x73656c656374)) }

func pickOfTwo(total []float64, random *rand.Rand) int {
	n := len(total)
	if n == 1 {
		return 0
	}
	a, b := random.IntN(n), random.IntN(n-1)
	if b >= a {
		b++
	}
	if total[b] > total[a] {
		return b
	}
	return a // of equals the first drawn, so that they share the load
}

func pickLottery(total []float64, random *rand.Rand) int {
	var sum float64
	for _, w := range total {
		sum += w
	}
	drawn, upTo := random.Float64()*sum, 0.0
	for i, w := range total {
		if upTo += w; upTo > drawn {
			return i
		}
	}
	return 0
}

// normaliser maps weights to 0…1. Equal weights all become 0
// (cinder/scheduler/base_weight.py, normalize).
type normaliser struct{ lo, span float64 }

// identity leaves weights as they are.
var identity = normaliser{lo: 0, span: 1}

func (n normaliser) of(weight float64) float64 {
	if n.span == 0 {
		return 0
	}
	return (weight - n.lo) / n.span
}

func rangeOf(w Weigher, weights []float64) normaliser {
	lo, hi := math.NaN(), math.NaN()
	if b, ok := w.(Bounds); ok {
		lo, hi = b.Bounds()
	}
	for _, weight := range weights {
		if math.IsNaN(lo) || weight < lo {
			lo = weight
		}
		if math.IsNaN(hi) || weight > hi {
			hi = weight
		}
	}
	if lo == hi {
		return normaliser{}
	}
	return normaliser{lo: lo, span: hi - lo}
}

// checkFinite returns an error for a weight that cannot be added to others. Where
// all weights count as 0, their values do not matter.
func (n normaliser) checkFinite(weights []float64) error {
	if n.span == 0 {
		return nil
	}
	for _, weight := range weights {
		if weight-weight != 0 {
			return fmt.Errorf("weigh a backend: %v is not a finite number", weight)
		}
	}
	return nil
}
