package rehearsal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Outcome is the result of a burst under one setting.
type Outcome struct {
	Setting Setting
	Placed  int
	Failed  int
	// Refused is why the first failed create found no backend; nil if none
	// failed.
	Refused error
	// Tied is the number of decisions between backends of equal weight, which
	// their order decided.
	Tied int
	// Order are the names of the backends that the creates went to, "" for none.
	Order []string
	// Arrays are those that fit the first create or got a volume, in the order
	// of the reports.
	Arrays []ArrayOutcome
	// Evenness is how evenly volumes were spread over the arrays, LoadEvenness
	// how evenly operations are afterwards (Jain's fairness index; 1 is even).
	// Nil where fewer than two arrays report the numbers.
	Evenness, LoadEvenness *float64
	// Excess is the number of volumes above what the arrays would have if each
	// had been placed where it left the smallest share provisioned. Unlike
	// evenness it is 0 for a burst that fills an empty array up. Nil if an array
	// does not report how much is provisioned.
	Excess *int64
}

// ArrayOutcome is one array before and after a burst.
type ArrayOutcome struct {
	ID      string  `json:"id"`
	Backend string  `json:"backend"`
	Zone    string  `json:"availability_zone"`
	Volumes int64   `json:"volumes"`
	GiB     float64 `json:"gib"`
	// Before and After have the keys that a burst changes.
	Before capability.Set `json:"before"`
	After  capability.Set `json:"after"`

	capacity float64 // in GiB, 0 if it is not known
}

// TiedShare is the share of decisions that were ties, 0 if there was none.
func (o *Outcome) TiedShare() float64 {
	if o.Placed == 0 {
		return 0
	}
	return float64(o.Tied) / float64(o.Placed)
}

// busiest is the array that got the most volumes, nil if none got any.
func (o *Outcome) busiest() *ArrayOutcome {
	var most *ArrayOutcome
	for i := range o.Arrays {
		if a := &o.Arrays[i]; a.Volumes > 0 && (most == nil || a.Volumes > most.Volumes) {
			most = a
		}
	}
	return most
}

func (p *simulation) outcome() (Outcome, error) {
	o := Outcome{
		Setting: p.setting, Placed: p.burst.Count - p.failed, Failed: p.failed,
		Refused: p.refused, Tied: p.tied, Order: p.order,
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
		after := a.report(p.reported)
		pool.Reports = append(pool.Reports, after)
		capacity, _ := after.Capabilities.Number(capability.KeyTotalCapacity)
		o.Arrays = append(o.Arrays, ArrayOutcome{
			ID: cinder.PoolID(&a.first), Backend: a.first.Backend, Zone: a.first.Zone, Volumes: a.volumes, GiB: a.gib,
			Before: changing(a.before()), After: changing(after.Capabilities), capacity: capacity,
		})
	}
	o.measure(pool, float64(p.burst.Request.Size))
	return o, nil
}

// candidates are the positions of the arrays that fit the first create.
func (p *simulation) candidates() ([]int, error) {
	var reports []capability.Report
	for _, a := range p.arrays {
		r := a.first
		r.Capabilities = a.before()
		reports = append(reports, r)
	}
	ranked, err := p.engine.Rank(nil, cinder.NewSnapshot(reports), p.burst.request(0))
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
		var excess int64
		for i, a := range o.Arrays {
			excess += max(0, a.Volumes-ideal[i])
		}
		o.Excess = &excess
	}
}

// levelled is how many volumes each array would have if each had been placed
// where it left the smallest share provisioned; nil if an array does not report
// that.
func (o *Outcome) levelled(gib float64) []int64 {
	provisioned := make([]float64, len(o.Arrays))
	for i, a := range o.Arrays {
		var ok bool
		if provisioned[i], ok = a.Before.Number(capability.KeyProvisionedCapacity); !ok || a.capacity <= 0 {
			return nil
		}
	}
	counts := make([]int64, len(o.Arrays))
	for range o.Placed {
		least := 0
		for i := range counts {
			if (provisioned[i]+gib)/o.Arrays[i].capacity < (provisioned[least]+gib)/o.Arrays[least].capacity {
				least = i
			}
		}
		provisioned[least] += gib
		counts[least]++
	}
	return counts
}

// Assumptions returns what a rehearsal assumes because the reports lack it.
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

// Summary is one sentence on the first of some outcomes, and on the best of the
// others if that is better.
func Summary(outcomes []Outcome) string {
	if len(outcomes) == 0 {
		return "no setting was rehearsed"
	}
	now := outcomes[0]
	text := "With " + now.Setting.With + ", "
	if now.Setting.Name == Current {
		text = "With this configuration "
	}
	text += now.summary()
	if now.good() {
		return text + "."
	}
	better := best(now, outcomes[1:])
	if better == nil {
		return text + "; no other setting that was tried does better."
	}
	return text + "; with " + better.Setting.With + ", " + better.summary() + "."
}

// tolerated is the excess, as a share of the volumes, up to which an outcome is
// good. Over equal arrays, whole volumes cannot be spread evenly.
const tolerated = 0.1

func (o *Outcome) good() bool { return o.Failed == 0 && o.excess() <= tolerated }

// excess is a share of the volumes; 0 if it is not known.
func (o *Outcome) excess() float64 {
	if o.Excess == nil || o.Placed == 0 {
		return 0
	}
	return float64(*o.Excess) / float64(o.Placed)
}

// best is the first outcome that fails least with a tolerated excess, or else the
// one with the least excess; nil if none beats the current one.
func best(now Outcome, others []Outcome) *Outcome {
	top := &now
	for i := range others {
		if others[i].beats(top) {
			top = &others[i]
		}
	}
	if top == &now {
		return nil
	}
	return top
}

func (o *Outcome) beats(other *Outcome) bool {
	if o.Failed != other.Failed {
		return o.Failed < other.Failed
	}
	return other.excess() > tolerated && o.excess() < other.excess()-tolerated/2
}

// summary is where the volumes were placed and how many were not.
func (o *Outcome) summary() string {
	count := o.Placed + o.Failed
	if o.Placed == 0 {
		return fmt.Sprintf("none of %d creates finds a backend: %v", count, o.Refused)
	}
	most := o.busiest()
	text := fmt.Sprintf("%d of %d volumes go to %s", most.Volumes, count, most.Backend)
	switch {
	case len(o.Arrays) == 1:
		text += ", the only array that fits"
	case most.Volumes*2 > int64(o.Placed):
		text += o.explain(most)
	default:
		text = fmt.Sprintf("%d of %d volumes go %s to %d arrays", o.Placed, count, o.Distribution(), len(o.Arrays))
	}
	if o.Failed > 0 {
		text += fmt.Sprintf(" and %d find no backend (%v)", o.Failed, o.Refused)
	}
	return text
}

// explain says why an array got most of the volumes, and whether that is good.
func (o *Outcome) explain(most *ArrayOutcome) string {
	if o.Excess == nil {
		return ""
	}
	if o.excess() <= tolerated {
		return ", which evens out what is provisioned on the arrays"
	}
	text := fmt.Sprintf(", %d more than it takes to even out what is provisioned on the arrays", *o.Excess)
	before, ok := most.Before.Number(capability.KeyMaxOverSubscription)
	after, okAfter := most.After.Number(capability.KeyMaxOverSubscription)
	if ok && okAfter && after > before {
		text += fmt.Sprintf(", as its over-subscription ratio grows with each (from %s to %s)", format.Significant(before, 3), format.Significant(after, 3))
	}
	return text
}

// listed is the number of arrays up to which the volumes of each are listed.
const listed = 8

// Distribution is the number of volumes of each array, as in 9/13/18, or the range of
// them where there are many arrays.
func (o *Outcome) Distribution() string {
	if len(o.Arrays) == 0 {
		return format.Missing
	}
	least, most := o.Arrays[0].Volumes, o.Arrays[0].Volumes
	var each []string
	for _, a := range o.Arrays {
		each = append(each, strconv.FormatInt(a.Volumes, 10))
		least, most = min(least, a.Volumes), max(most, a.Volumes)
	}
	if len(each) <= listed {
		return strings.Join(each, "/")
	}
	return fmt.Sprintf("%d to %d each", least, most)
}
