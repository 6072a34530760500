package rehearsal

import (
	"errors"
	"fmt"
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
	// Evenness is how evenly volumes went to the arrays, LoadEvenness how
	// evenly the arrays work afterwards (Jain's fairness index; 1 is even). Nil
	// where fewer than two arrays tell.
	Evenness, LoadEvenness *float64
	// Excess is how many volumes are on another array than they would be on
	// if each had gone where it left the smallest share provisioned. Unlike
	// evenness it does not blame a burst that fills an empty array up. Nil if
	// an array does not tell how much is provisioned.
	Excess *int64
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
func (o *Outcome) TiedShare() float64 {
	if o.Placed == 0 {
		return 0
	}
	return float64(o.Tied) / float64(o.Placed)
}

// Busiest is the array that took the most volumes, nil if none took any.
func (o *Outcome) Busiest() *ArrayOutcome {
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
	var pool capability.LogicalPool
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
	o.measure(pool, float64(p.burst.Request.Size))
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

func (o *Outcome) measure(pool capability.LogicalPool, gib float64) {
	var volumes []float64
	for _, a := range o.Arrays {
		volumes = append(volumes, float64(a.Volumes))
	}
	o.Evenness, o.LoadEvenness = capability.Evenness(volumes), pool.LoadEvenness()
	if ideal := o.levelled(gib); ideal != nil {
		var misplaced int64
		for i, a := range o.Arrays {
			misplaced += max(0, a.Volumes-ideal[i])
		}
		o.Excess = &misplaced
	}
}

// levelled is how many volumes each array would have if each had gone where it
// left the smallest share provisioned; nil if that cannot be said.
func (o *Outcome) levelled(gib float64) []int64 {
	provisioned, total := make([]float64, len(o.Arrays)), make([]float64, len(o.Arrays))
	for i, a := range o.Arrays {
		var ok, okTotal bool
		provisioned[i], ok = finite(a.Before, capability.KeyProvisionedCapacity)
		total[i], okTotal = finite(a.Before, capability.KeyTotalCapacity)
		if !ok || !okTotal || total[i] <= 0 {
			return nil
		}
	}
	counts := make([]int64, len(o.Arrays))
	for range o.Placed {
		least := 0
		for i := range counts {
			if (provisioned[i]+gib)/total[i] < (provisioned[least]+gib)/total[least] {
				least = i
			}
		}
		provisioned[least] += gib
		counts[least]++
	}
	return counts
}

// Assumptions says what a rehearsal on these reports takes for granted because
// they do not tell.
func Assumptions(reports []capability.Report) []string {
	missing := 0
	for _, r := range reports {
		if _, ok := r.Capabilities[capability.KeyAllocatedCapacity]; !ok {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d reports lack allocated_capacity_gb, which only cinder-volume counts: all that is provisioned there is taken to be Cinder's.", missing, len(reports))}
}
