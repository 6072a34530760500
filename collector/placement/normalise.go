package placement

import (
	"fmt"
	"math"
)

// normaliser stretches weights to 0…1. Equal weights all become 0
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

// bears returns an error if a weight would spoil the sum it is added to.
// Where all count as 0 it does not matter what they are.
func (n normaliser) bears(weights []float64) error {
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
