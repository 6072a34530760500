package advice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

const (
	// alikeReduction is how far apart data reduction may be and still be called
	// alike, farReduction where it hurts.
	alikeReduction, farReduction = 0.2, 0.5
	// cliff is the total reduction from which the driver's automatic ratio soon
	// jumps to the configured one (cinder/volume/drivers/pure.py,
	// _get_thin_provisioning).
	cliff, cliffEdge = 90.0, 100.0
)

// OverSubscription is what the scheduler and the stanzas say of over-subscription.
type OverSubscription struct {
	// Automatic are the hosts whose stanza has
	// pure_automatic_max_oversubscription_ratio, the default, and no ratio in
	// extra_capabilities.
	Automatic []string
	// WeighsCapacity is whether CapacityWeigher sends volumes to the most virtual free
	// capacity.
	WeighsCapacity bool
}

// Pools judges the arrays of each volume_backend_name, which users take for one
// thing and the scheduler for a choice.
func Pools(reports []capability.Report, p OverSubscription) []Finding {
	found := twins(reports)
	byName := map[string][]capability.Report{}
	for _, r := range reports {
		byName[r.Pool] = append(byName[r.Pool], r)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		pool := capability.LogicalPool{Name: name, Reports: byName[name]}
		found = append(found, models(pool)...)
		found = append(found, zones(pool)...)
		for _, part := range capability.GroupPools(pool.Reports) {
			found = append(found, reductions(part)...)
			found = append(found, p.stacking(part)...)
		}
	}
	return found
}

func poolFinding(s Severity, code string, p capability.LogicalPool) Finding {
	where := "pool " + p.Name
	if p.Zone != "" {
		where += " in " + p.Zone
	}
	return Finding{Severity: s, Topic: PoolTopic, Code: code, Where: where}
}

// twins finds one array behind several stanzas, by its id.
func twins(reports []capability.Report) []Finding {
	var found []Finding
	first := map[string]*capability.Report{}
	for i := range reports {
		r := &reports[i]
		id, ok := r.Capabilities[capability.KeyArrayID].Str()
		other := first[id]
		if !ok || other == nil {
			first[id] = r
			continue
		}
		out := Finding{
			Severity: Warning, Topic: ArrayTopic, Code: "same-array", Where: r.Name(),
			Problem: fmt.Sprintf("it is the very array of %s: both have the array_id %s", other.Name(), id),
			Reason:  "the scheduler counts the array's capacity twice, and each stanza learns of the other's volumes a poll late",
			Fix:     "Keep one of the stanzas in enabled_backends",
		}
		if r.Pool != other.Pool {
			out.Severity = Note
			out.Fix = "Leave it if it is meant, as with one stanza for iSCSI and one for FC, and reserve space: reserved_percentage"
		}
		found = append(found, out)
	}
	return found
}

// groupsOf groups the arrays of a pool by what they say under a key.
func groupsOf(reports []capability.Report, of func(*capability.Report) (string, bool)) (groups []string, distinct int) {
	by := map[string][]string{}
	for i := range reports {
		if v, ok := of(&reports[i]); ok {
			by[v] = append(by[v], reports[i].Name())
		}
	}
	for _, v := range slices.Sorted(maps.Keys(by)) {
		groups = append(groups, v+" ("+format.List(by[v])+")")
	}
	return groups, len(by)
}

func models(p capability.LogicalPool) []Finding {
	groups, n := groupsOf(p.Reports, func(r *capability.Report) (string, bool) {
		return r.Capabilities[capability.KeyArrayModel].Str()
	})
	if n < 2 {
		return nil
	}
	out := poolFinding(Warning, "mixed-models", p)
	out.Problem = "arrays of different models share the name: " + strings.Join(groups, ", ")
	out.Reason = "whoever asks for the pool may get either, with another latency, capacity and data reduction"
	out.Fix = "Give each model a volume_backend_name of its own, or let types ask for array_model"
	return []Finding{out}
}

func zones(p capability.LogicalPool) []Finding {
	groups, n := groupsOf(p.Reports, func(r *capability.Report) (string, bool) { return r.Zone, true })
	if n < 2 {
		return nil
	}
	out := poolFinding(Note, "several-zones", p)
	out.Problem = "arrays of one name are in different zones: " + strings.Join(groups, ", ")
	out.Reason = "a request without a zone goes to either site, and one with a zone finds only its own arrays"
	out.Fix = "Leave it if the zones are meant; else set backend_availability_zone in the stanzas"
	for _, r := range p.Reports {
		if r.Zone == "nova" {
			out.Severity = Warning
			out.Fix = "nova is Cinder's default: set backend_availability_zone in the stanza that lacks it"
		}
	}
	return []Finding{out}
}

func reductions(p capability.LogicalPool) []Finding {
	apart := p.ReductionDivergence()
	if apart == nil || *apart < alikeReduction {
		return nil
	}
	out := poolFinding(Note, "reduction-apart", p)
	if *apart >= farReduction {
		out.Severity = Warning
	}
	var parts []string
	for i := range p.Reports {
		if ratio, ok := p.Reports[i].Capabilities[capability.KeyDataReduction].Float(); ok {
			parts = append(parts, p.Reports[i].Name()+" "+format.Significant(ratio, 3)+" : 1")
		}
	}
	out.Problem = fmt.Sprintf("data reduction is %.0f %% apart: %s", *apart*100, format.List(parts))
	out.Reason = "a GiB of volume costs different space on each array, so equal virtual free capacity is not equal room"
	out.Fix = "Keep workloads that do not reduce (encrypted, compressed) in a pool of their own, and compare with poolcast pools"
	return []Finding{out}
}

// stacking notes the pools in which an automatic ratio makes CapacityWeigher
// prefer the array that was just given a volume.
func (p OverSubscription) stacking(pool capability.LogicalPool) []Finding {
	var names, gains []string
	lowest := 0.0
	var found []Finding
	for i := range pool.Reports {
		r := &pool.Reports[i]
		if !slices.Contains(p.Automatic, r.Host) {
			continue
		}
		reduction, ok := r.Capabilities[capability.KeyTotalReduction].Float()
		if ok && reduction >= cliff {
			found = append(found, atCliff(pool, r, reduction))
		}
		if !ok || reduction >= cliffEdge {
			continue // the driver reports the configured ratio, which is fixed
		}
		names = append(names, r.Name())
		if lowest == 0 || reduction < lowest {
			lowest = reduction
		}
		if share, ok := r.Capabilities.UsedShare(); ok && share > 0 && share < 1 {
			gains = append(gains, fmt.Sprintf("%s %s GiB", r.Name(), format.Significant((1-share)/share, 3)))
		}
	}
	if !p.WeighsCapacity || len(names) < 2 || len(gains) == 0 {
		return found
	}
	out := poolFinding(Note, "ratio-stacks", pool)
	out.Problem = "the over-subscription ratio of " + format.List(names) + " is automatic, and each GiB of a new, empty volume then adds virtual free capacity: " + format.List(gains)
	out.Reason = "CapacityWeigher sends the next volume to the most virtual free capacity, so volumes stack on one array until they are written to"
	out.Fix = "pure_automatic_max_oversubscription_ratio = false and max_over_subscription_ratio = " + ratioFor(lowest) + " in [backend_defaults] make it spread"
	return append(found, out)
}

func ratioFor(lowest float64) string {
	if lowest < 1 || lowest >= cliffEdge {
		return cinder.DefaultRatio
	}
	return fmt.Sprintf("%.1f", lowest)
}

func atCliff(pool capability.LogicalPool, r *capability.Report, reduction float64) Finding {
	out := poolFinding(Warning, "ratio-cliff", pool)
	out.Problem = fmt.Sprintf("the automatic over-subscription ratio of %s follows a total reduction of %s", r.Name(), format.Significant(reduction, 3))
	out.Reason = "at 100 the Cinder driver falls back to max_over_subscription_ratio, so virtual free capacity jumps from one report to the next"
	out.Fix = "pure_automatic_max_oversubscription_ratio = false in the stanza, with a max_over_subscription_ratio of your own"
	return out
}
