package rehearsal

import (
	"fmt"
	"math"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Ratio says which over-subscription ratio arrays report.
type Ratio string

// The ratios.
const (
	// AsReported is the reported one. If that is the array's reduction, it
	// changes as volumes are placed.
	AsReported Ratio = "as reported"
	// Fixed is [Setting.FixedRatio].
	Fixed Ratio = "fixed"
	// Automatic is the array's reduction while that is below 100
	// (cinder/volume/drivers/pure.py, _get_thin_provisioning).
	Automatic Ratio = "automatic"
)

// Setting is a way to set a scheduler, and its arrays, up.
type Setting struct {
	Name string
	// With says what is different, as in "with a fixed ratio of 20".
	With    string
	Options cinder.Options
	Ratio   Ratio
	// FixedRatio is also what an automatic ratio falls back to at 100.
	FixedRatio float64
	// Goodness is the goodness_function of arrays that report none.
	Goodness string
	// Ledger lets each scheduler remember its own volumes, their number too,
	// until a report that was begun after the create. Cinder cannot do this.
	Ledger bool
}

// decider is an engine, and what a weigher of it must be told meanwhile.
type decider struct {
	engine *placement.Engine
	rows   *rows
}

// rows stand for Cinder's database, which VolumeNumberWeigher counts in: it
// knows of every volume at once, whichever scheduler placed it.
type rows struct{ volumes map[string]float64 }

// databaseWeigher takes the place of VolumeNumberWeigher. That one goes by
// total_volumes, which is as old as the report it came in; Cinder's does not.
const databaseWeigher = "VolumeNumberWeigher by the database"

func (s Setting) decider() (*decider, error) {
	d := &decider{rows: &rows{volumes: map[string]float64{}}}
	o := s.Options
	o.Weighers, o.Multipliers = []string{}, map[string]float64{}
	for _, w := range cinder.Profile(s.Options).Weighers {
		if w.Weigher == cinder.VolumeNumberWeigher {
			w.Weigher = databaseWeigher
		}
		o.Weighers, o.Multipliers[w.Weigher] = append(o.Weighers, w.Weigher), w.Multiplier
	}
	var err error
	d.engine, err = cinder.NewEngine(o, placement.WithWeigher(databaseWeigher, placement.WeigherFunc(d.rows.weigh)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return d, nil
}

func (r *rows) weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	return r.volumes[b.ID()], nil
}

// count enters the volumes that arrays hold. One that does not tell is taken to
// hold as many as the others do on average.
func (r *rows) count(s *placement.Snapshot) {
	var pool capability.Pool
	for i := range s.Len() {
		pool.Reports = append(pool.Reports, *s.At(i).Report())
	}
	mean := 0.0
	if told := pool.Mean(capability.KeyTotalVolumes); told != nil {
		mean = math.Round(*told)
	}
	for i := range s.Len() {
		n, ok := s.At(i).Float(capability.KeyTotalVolumes)
		if !ok {
			n = mean
		}
		r.volumes[s.At(i).ID()] = n
	}
}
