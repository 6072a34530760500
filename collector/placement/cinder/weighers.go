package cinder

import (
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// allocatedWeigher is AllocatedCapacityWeigher.
func allocatedWeigher(_ placement.Request, b *placement.Backend) (float64, error) {
	allocated := b.Space().Allocated
	if math.IsNaN(allocated) {
		return 0, errors.New("allocated_capacity_gb is not a number")
	}
	return allocated, nil
}

// volumeNumberWeigher is VolumeNumberWeigher
// (cinder/scheduler/weights/volume_number.py), by total_volumes. Cinder counts the
// volumes in its own database instead; total_volumes is what the array has, with
// destroyed ones and those of others. It measures an array better, and is available
// without the database.
type volumeNumberWeigher struct {
	multiplier float64
	column     *placement.Column
}

func newVolumeNumberWeigher(multiplier float64) placement.PerRequestWeigher {
	return func(_ placement.Request, s *placement.Snapshot) (placement.Weigher, error) {
		return volumeNumberWeigher{multiplier, s.Column(capability.KeyTotalVolumes)}, nil
	}
}

// Weigh returns the number of volumes, NaN if it is not reported.
func (w volumeNumberWeigher) Weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	v, _ := w.column.Of(b)
	if n, ok := v.Float(); ok {
		return n, nil
	}
	return math.NaN(), nil
}

// Adjust gives a backend that does not report its number the worst of the others:
// missing is not zero.
func (w volumeNumberWeigher) Adjust(weights []float64) error {
	worst := math.NaN()
	for _, n := range weights {
		if math.IsNaN(worst) || (n-worst)*w.multiplier < 0 {
			worst = n
		}
	}
	if math.IsNaN(worst) {
		worst = 0
	}
	for i, n := range weights {
		if math.IsNaN(n) {
			weights[i] = worst
		}
	}
	return nil
}

// Explain states the number, or that it is not reported.
func (w volumeNumberWeigher) Explain(_ placement.Request, b *placement.Backend) string {
	if v, ok := w.column.Of(b); !ok {
		return "total_volumes is not reported, which counts as the worst of the others"
	} else {
		return "total_volumes " + v.String()
	}
}

// chanceWeigher is ChanceWeigher (cinder/scheduler/weights/chance.py): a
// random weight that depends only on the request's seed and the backend's name, so
// that a decision can be repeated.
type chanceWeigher struct{}

// Random reports that the weights are drawn.
func (chanceWeigher) Random() bool { return true }

// Weigh draws a weight between 0 and 1.
func (chanceWeigher) Weigh(r placement.Request, b *placement.Backend) (float64, error) {
	name := fnv.New64a()
	_, _ = name.Write([]byte(b.ID())) // a hash does not fail to write
	chance := rand.NewPCG(r.Seed(), name.Sum64())
	return float64(chance.Uint64()>>11) / (1 << 53), nil
}
