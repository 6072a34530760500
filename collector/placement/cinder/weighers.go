package cinder

import (
	"errors"
	"math"
	"slices"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// The offsets that stand for an infinite capacity when little is favoured
// (cinder/scheduler/weights/capacity.py, OFFSET_MIN and OFFSET_MULT).
const (
	offsetMin  = 10000
	offsetMult = 100
)

// capacityWeigher is CapacityWeigher for one request
// (cinder/scheduler/weights/capacity.py).
type capacityWeigher struct {
	rows      []pool
	thin      bool
	boundless float64 // weight of what is infinite or unknown
}

func newCapacityWeigher(view *placement.View[*pools]) placement.WeigherFactory {
	return func(a placement.Args) (placement.Weigher, error) {
		boundless := -1.0
		if a.Multiplier <= 0 {
			boundless = math.Inf(1)
		}
		return placement.PerRequestWeigher(func(r placement.Request, s *placement.Snapshot) (placement.Weigher, error) {
			req, err := requestOf(r)
			if err != nil {
				return nil, err
			}
			p := view.Of(s)
			return &capacityWeigher{rows: p.rows, thin: !req.thick(), boundless: boundless}, p.err
		}), nil
	}
}

// Weigh returns the virtual free capacity.
func (w *capacityWeigher) Weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	p := &w.rows[b.Index()]
	if p.free == boundless || p.total == boundless {
		return w.boundless, nil
	}
	virtual, err := p.virtualFree(b, w.thin)
	return python.Round2(virtual), err
}

// Adjust puts what is infinite far above the rest.
func (w *capacityWeigher) Adjust(weights []float64) error {
	if !math.IsInf(slices.Max(weights), 1) {
		return nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, weight := range weights {
		lo = min(lo, weight)
		if !math.IsInf(weight, 0) {
			hi = max(hi, weight)
		}
	}
	if math.IsInf(hi, -1) {
		return errors.New("no backend has a finite capacity to compare with")
	}
	offset := (hi - lo) * offsetMult
	if offset == 0 {
		offset = offsetMin
	}
	for i := range weights {
		if math.IsInf(weights[i], 0) {
			weights[i] = hi + offset
		}
	}
	return nil
}

// allocatedWeigher is AllocatedCapacityWeigher.
func allocatedWeigher(_ placement.Request, b *placement.Backend) (float64, error) {
	allocated := b.Space().Allocated
	if math.IsNaN(allocated) {
		return 0, errors.New("allocated_capacity_gb is not a number")
	}
	return allocated, nil
}
