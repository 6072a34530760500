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
	// equalReduction is by which share data reduction may differ within a pool
	// without a finding, differentReduction from where it is a warning.
	equalReduction, differentReduction = 0.2, 0.5
	// ratioLimit is the total reduction from which the driver's automatic ratio
	// falls back to the configured one (cinder/volume/drivers/pure.py,
	// _get_thin_provisioning), nearRatioLimit the value from where that is a
	// warning.
	nearRatioLimit, ratioLimit = 90.0, 100.0
)

// OverSubscription is how over-subscription is configured.
type OverSubscription struct {
	// Automatic are the hosts whose stanza has
	// pure_automatic_max_oversubscription_ratio, the default, and no ratio in
	// extra_capabilities.
	Automatic []string
	// WeighsCapacity is whether CapacityWeigher prefers the most virtual free
	// capacity.
	WeighsCapacity bool
}

// Pools checks the arrays of each volume_backend_name, within a logical pool and
// across zones.
func Pools(reports []capability.Report, o OverSubscription) []Finding {
	found := duplicateArrays(reports)
	byName := map[string][]capability.Report{}
	for _, r := range reports {
		byName[r.Pool] = append(byName[r.Pool], r)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all := capability.LogicalPool{Name: name, Reports: byName[name]}
		found = append(found, mixedModels(all)...)
		found = append(found, multipleZones(all)...)
		for _, pool := range capability.GroupPools(all.Reports) {
			found = append(found, differentReductions(pool)...)
			found = append(found, o.automaticRatios(pool)...)
		}
	}
	return found
}

func poolFinding(s Severity, code string, p capability.LogicalPool, problem, reason, fix string) Finding {
	where := "pool " + p.Name
	if p.Zone != "" {
		where += " in " + p.Zone
	}
	return Finding{Severity: s, Topic: PoolTopic, Code: code, Where: where, Problem: problem, Reason: reason, Fix: fix}
}

// duplicateArrays finds arrays behind several stanzas, by their id.
func duplicateArrays(reports []capability.Report) []Finding {
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
			Severity: Warning, Topic: ArrayTopic, Code: "duplicate-array", Where: r.Name(),
			Problem: fmt.Sprintf("it is the same array as that of %s: both have the array_id %s", other.Name(), id),
			Reason:  "the scheduler counts the array's capacity twice, and volumes of one stanza appear in the report of the other one poll later",
			Fix:     "Keep one of the stanzas in enabled_backends",
		}
		if r.Pool != other.Pool {
			out.Severity = Note
			out.Fix = "Leave it if it is intended, as with one stanza for iSCSI and one for FC, and reserve space: reserved_percentage"
		}
		found = append(found, out)
	}
	return found
}

// groupsOf groups the arrays of a pool by a property.
func groupsOf(reports []capability.Report, property func(*capability.Report) (string, bool)) (groups []string) {
	by := map[string][]string{}
	for i := range reports {
		if v, ok := property(&reports[i]); ok {
			by[v] = append(by[v], reports[i].Name())
		}
	}
	for _, v := range slices.Sorted(maps.Keys(by)) {
		groups = append(groups, v+" ("+format.List(by[v])+")")
	}
	return groups
}

func mixedModels(p capability.LogicalPool) []Finding {
	groups := groupsOf(p.Reports, func(r *capability.Report) (string, bool) {
		return r.Capabilities[capability.KeyArrayModel].Str()
	})
	if len(groups) < 2 {
		return nil
	}
	return []Finding{poolFinding(Warning, "mixed-models", p,
		"arrays of different models share the name: "+strings.Join(groups, ", "),
		"a volume of this name may get either model, with another latency, capacity and data reduction",
		"Give each model a volume_backend_name of its own, or let types ask for array_model")}
}

func multipleZones(p capability.LogicalPool) []Finding {
	groups := groupsOf(p.Reports, func(r *capability.Report) (string, bool) { return r.Zone, true })
	if len(groups) < 2 {
		return nil
	}
	severity, fix := Note, "Leave it if the zones are intended; else set backend_availability_zone in the stanzas"
	if slices.ContainsFunc(p.Reports, func(r capability.Report) bool { return r.Zone == "nova" }) {
		severity, fix = Warning, "nova is Cinder's default: set backend_availability_zone in the stanza that lacks it"
	}
	return []Finding{poolFinding(severity, "multiple-zones", p,
		"arrays of one name are in different zones: "+strings.Join(groups, ", "),
		"a request fits the arrays of its zone only; one without a zone gets default_availability_zone, else storage_availability_zone, of cinder-api", fix)}
}

func differentReductions(p capability.LogicalPool) []Finding {
	divergence := p.ReductionDivergence()
	if divergence == nil || *divergence < equalReduction {
		return nil
	}
	severity := Note
	if *divergence >= differentReduction {
		severity = Warning
	}
	var parts []string
	for _, r := range p.Reports {
		if ratio, ok := r.Capabilities.Number(capability.KeyDataReduction); ok {
			parts = append(parts, r.Name()+" "+format.Significant(ratio, 3)+" : 1")
		}
	}
	return []Finding{poolFinding(severity, "reduction-differs", p,
		"data reduction differs by "+format.Percent(*divergence)+": "+format.List(parts),
		"a GiB of volume takes different physical space on each array, so equal virtual free capacity is not equal free space",
		"Keep workloads that do not reduce (encrypted, compressed) in a pool of their own, and compare with poolcast pools")}
}

// automaticRatios checks the automatic ratios of a pool: those that are near the
// limit, and those that make CapacityWeigher prefer the array that was just
// given a volume.
func (o OverSubscription) automaticRatios(pool capability.LogicalPool) []Finding {
	var found []Finding
	var names, gains []string
	lowest := ratioLimit
	for _, r := range pool.Reports {
		if !slices.Contains(o.Automatic, r.Host) {
			continue
		}
		reduction, ok := r.Capabilities.Number(capability.KeyTotalReduction)
		if ok && reduction >= nearRatioLimit {
			found = append(found, nearFallback(pool, r.Name(), reduction))
		}
		if !ok || reduction >= ratioLimit {
			continue // the driver reports the configured ratio, which is fixed
		}
		names, lowest = append(names, r.Name()), min(lowest, reduction)
		if share, ok := r.Capabilities.UsedShare(); ok && share > 0 && share < 1 {
			gains = append(gains, r.Name()+" "+format.Significant((1-share)/share, 3)+" GiB")
		}
	}
	if !o.WeighsCapacity || len(names) < 2 || len(gains) == 0 {
		return found
	}
	ratio := cinder.DefaultRatio
	if lowest >= 1 {
		ratio = format.Decimal(lowest)
	}
	return append(found, poolFinding(Note, "ratio-concentrates-volumes", pool,
		"the over-subscription ratio of "+format.List(names)+" is automatic, and each GiB of a new, empty volume then adds virtual free capacity: "+format.List(gains),
		"CapacityWeigher places the next volume on the most virtual free capacity, so one array gets all volumes until they are written to",
		"pure_automatic_max_oversubscription_ratio = false and max_over_subscription_ratio = "+ratio+" in [backend_defaults] spread them"))
}

func nearFallback(pool capability.LogicalPool, name string, reduction float64) Finding {
	return poolFinding(Warning, "ratio-limit", pool,
		fmt.Sprintf("the automatic over-subscription ratio of %s follows a total reduction of %s", name, format.Significant(reduction, 3)),
		"at 100 the Cinder driver falls back to max_over_subscription_ratio, so virtual free capacity changes abruptly from one report to the next",
		"pure_automatic_max_oversubscription_ratio = false in the stanza, with a max_over_subscription_ratio of your own")
}
