package rehearsal

import (
	"errors"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Outcome is what became of a burst under one setting.
type Outcome struct {
	Setting Setting
	Placed  int
	Failed  int
	// Refused says why the first create that failed did; nil if none did.
	Refused error
	// Tied is how many decisions fell between backends that weighed the same,
	// so that their order decided.
	Tied int
	// Arrays are those that could have taken the first volume or took one, in
	// the order of the reports.
	Arrays []ArrayOutcome
	// Evenness is how evenly volumes went to the arrays, FillEvenness how
	// evenly the arrays are provisioned after it, LoadEvenness how evenly they
	// work (Jain's fairness index; 1 is even). Nil where fewer than two arrays
	// tell.
	Evenness, FillEvenness, LoadEvenness *float64
}

// ArrayOutcome is one array before and after.
type ArrayOutcome struct {
	ID            string
	Backend       string
	Zone          string
	Volumes       int64
	GiB           float64
	Before, After capability.Set
}

// TiedShare is the share of decisions that were ties, 0 if there was none.
func (o Outcome) TiedShare() float64 {
	if o.Placed == 0 {
		return 0
	}
	return float64(o.Tied) / float64(o.Placed)
}

// Busiest is the array that took the most volumes, nil if none took any.
func (o Outcome) Busiest() *ArrayOutcome {
	var most *ArrayOutcome
	for i := range o.Arrays {
		if a := &o.Arrays[i]; a.Volumes > 0 && (most == nil || a.Volumes > most.Volumes) {
			most = a
		}
	}
	return most
}

func (p *play) outcome() (Outcome, error) {
	o := Outcome{
		Setting: p.setting, Placed: p.burst.Count - p.failed, Failed: p.failed,
		Refused: p.refused, Tied: p.tied,
	}
	first, err := p.candidates()
	if err != nil {
		return o, err
	}
	var pool capability.Pool
	for i, a := range p.arrays {
		if a.volumes == 0 && !slices.Contains(first, i) {
			continue
		}
		after := a.report(p.made)
		pool.Reports = append(pool.Reports, after)
		o.Arrays = append(o.Arrays, ArrayOutcome{
			ID: cinder.PoolID(&a.first), Backend: a.first.Backend, Zone: a.first.Zone, Volumes: a.volumes, GiB: a.gib,
			Before: a.before(), After: after.Capabilities,
		})
	}
	o.measure(pool)
	return o, nil
}

// candidates are the positions of the arrays that fit the first create.
func (p *play) candidates() ([]int, error) {
	var reports []capability.Report
	for _, a := range p.arrays {
		r := a.first
		r.Capabilities = a.before()
		reports = append(reports, r)
	}
	ranked, err := p.decider.engine.Rank(nil, cinder.NewSnapshot(reports), p.burst.request(0))
	if err != nil && !errors.Is(err, placement.ErrNoPool) {
		return nil, err
	}
	at := make([]int, len(ranked))
	for i := range ranked {
		at[i] = ranked[i].Backend.Index()
	}
	return at, nil
}

func (o *Outcome) measure(pool capability.Pool) {
	var volumes, fill []float64
	for _, a := range o.Arrays {
		volumes = append(volumes, float64(a.Volumes))
		provisioned, ok := finite(a.After, capability.KeyProvisionedCapacity)
		total, okTotal := finite(a.After, capability.KeyTotalCapacity)
		if ok && okTotal && total > 0 {
			fill = append(fill, provisioned/total)
		}
	}
	o.Evenness, o.FillEvenness, o.LoadEvenness = capability.Evenness(volumes), capability.Evenness(fill), pool.LoadEvenness()
}
