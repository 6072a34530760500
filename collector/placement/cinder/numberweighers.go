package cinder

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// volumeNumberWeigher is VolumeNumberWeigher
// (cinder/scheduler/weights/volume_number.py), by total_volumes. Cinder counts
// the volumes in its own database instead; total_volumes is what the array
// holds, destroyed ones and those of others included. It is the better measure
// of an array, and the only one there is without the database.
type volumeNumberWeigher struct {
	multiplier float64
	column     *placement.Column
}

func newVolumeNumberWeigher(a placement.Args) (placement.Weigher, error) {
	return placement.PerRequestWeigher(func(_ placement.Request, s *placement.Snapshot) (placement.Weigher, error) {
		return volumeNumberWeigher{a.Multiplier, s.Column(capability.KeyTotalVolumes)}, nil
	}), nil
}

// Weigh returns the number of volumes, NaN if it is not reported.
func (w volumeNumberWeigher) Weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	v, _ := w.column.Of(b)
	if n, ok := v.Float(); ok {
		return n, nil
	}
	return math.NaN(), nil
}

// Adjust rates a backend that does not report its number as the worst of the
// others: missing is not zero.
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

// Explain says when the number is not reported.
func (w volumeNumberWeigher) Explain(_ placement.Request, b *placement.Backend) string {
	if v, ok := w.column.Of(b); !ok {
		return "total_volumes is not reported, which counts as the worst of the others"
	} else {
		return "total_volumes " + v.String()
	}
}

// chanceWeigher is ChanceWeigher (cinder/scheduler/weights/chance.py): a
// random weight that depends on nothing but the request's seed and the
// backend's name, so that an answer can be repeated.
func chanceWeigher(r placement.Request, b *placement.Backend) (float64, error) {
	name := fnv.New64a()
	_, _ = name.Write([]byte(b.ID())) // a hash never fails to write
	chance := rand.NewPCG(r.Seed(), name.Sum64())
	return float64(chance.Uint64()>>11) / (1 << 53), nil
}
