package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// varsOf is what a function may read of a backend, for a volume of 1 GiB. What
// cinder-volume always adds is there even where it was not heard.
func varsOf(r *capability.Report) function.Vars {
	set := r.Capabilities
	if _, ok := set[capability.KeyAllocatedCapacity]; !ok {
		set = set.Overlay(capability.Set{capability.KeyAllocatedCapacity: capability.OfFloat(0)})
	}
	stats := capability.Set{"host": capability.OfString(cinder.PoolID(r)), "updated": capability.OfString(r.CollectedAt.String())}
	for _, key := range []string{
		capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion, capability.KeyStorageProtocol,
		capability.KeyQoSSupport, capability.KeyTotalCapacity, capability.KeyReservedPercentage,
		capability.KeyAllocatedCapacity, capability.KeyFreeCapacity,
	} {
		if v, ok := set[key]; ok {
			stats[key] = v
		}
	}
	return function.Vars{
		function.ScopeCapabilities: set, function.ScopeStats: stats,
		function.ScopeVolume: {"size": capability.OfInt(1)},
	}
}

// evaluate runs the function on every report.
func (f *Function) evaluate(e *function.Function) []Finding {
	if len(f.Reports) == 0 {
		return nil
	}
	var results []function.Operand
	for i := range f.Reports {
		v, err := e.Eval(varsOf(&f.Reports[i]))
		if err != nil {
			out := f.finding(Error, "function-fails")
			out.What = fmt.Sprintf("the function cannot be evaluated on %s: %v", backendName(&f.Reports[i]), err)
			out.Why = f.consequence()
			out.Do = "Compare numbers with numbers, quote text, and keep zero out of divisors: max(x, 1)"
			return []Finding{out}
		}
		results = append(results, v)
	}
	if f.isGoodness() {
		return append(f.ratings(results), f.zeroLooksPerfect(e, results)...)
	}
	return f.refusals(results)
}

// refusals tells of a filter function that lets nothing pass.
func (f *Function) refusals(results []function.Operand) []Finding {
	if slices.ContainsFunc(results, function.Operand.Truth) {
		return nil
	}
	out := f.finding(Warning, "filter-refuses-all")
	out.What = fmt.Sprintf("the function refuses all of its %s now, for a volume of 1 GiB", count(len(results), "array"))
	out.Why = "while that is so, no volume goes to them, and the user reads \"No valid backend was found\""
	out.Do = "Relax the limit, or make it a goodness_function, which ranks and never refuses; see the values with poolcast --dry-run"
	return []Finding{out}
}

// ratings tells of scores that say nothing.
func (f *Function) ratings(results []function.Operand) []Finding {
	var outside, alike []string
	for i, v := range results {
		score, ok := v.Float()
		if !ok {
			out := f.finding(Error, "goodness-no-number")
			out.What = "the function gives " + v.String() + ", which is not a number"
			out.Why = "GoodnessWeigher stops with an exception, so no volume can be created anywhere"
			out.Do = "Let it end in a number from 0 to 100"
			return []Finding{out}
		}
		if _, isBool := v.Bool(); !isBool && (score < 0 || score > 100) {
			outside = append(outside, backendName(&f.Reports[i])+" "+v.String())
		}
		alike = append(alike, v.String())
	}
	if len(outside) > 0 {
		out := f.finding(Warning, "goodness-out-of-range")
		out.What = "the function leaves 0 to 100: " + join(outside)
		out.Why = "GoodnessWeigher counts such a score as 0, so the best array may become the worst"
		out.Do = "Bound it: max(0, min(100, …))"
		return []Finding{out}
	}
	if alike = unique(alike); len(results) > 1 && len(alike) == 1 {
		out := f.finding(Note, "goodness-constant")
		out.What = fmt.Sprintf("the function scores all %s %s now", count(len(results), "array"), alike[0])
		out.Why = "equal scores decide nothing, and ties go to whichever backend the scheduler heard of first"
		out.Do = "Watch whether it stays so under load; integer division and cut floats are the usual reasons"
		return []Finding{out}
	}
	return nil
}

// zeroLooksPerfect tries what the Cinder driver reports of an array that gives
// no performance sample: zeros.
func (f *Function) zeroLooksPerfect(e *function.Function, now []function.Operand) []Finding {
	zeros := capability.Set{capability.KeyMetricsStatus: capability.OfString(string(capability.Partial))}
	var keys []string
	for _, n := range e.Names() {
		k, known := capability.LookupKey(n.Key)
		if known && n.Scope == function.ScopeCapabilities && strings.HasPrefix(k.Source, "arrays/performance") {
			zeros[n.Key] = capability.OfInt(0)
			keys = append(keys, n.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	best := -1.0
	for i := range f.Reports {
		r := f.Reports[i]
		r.Capabilities = r.Capabilities.Overlay(zeros)
		blind, seeing := rate(e, &r), score(now[i])
		if blind <= seeing {
			return nil
		}
		best = max(best, blind)
	}
	out := f.finding(Warning, "zero-looks-perfect")
	out.What = fmt.Sprintf("the function scores %s for an array that reports zeros for %s, more than for any array now", number(best), join(keys))
	out.Why = "the Cinder driver reports zeros when the array gives no performance sample, so an array that nobody can measure draws every volume"
	out.Do = fmt.Sprintf(`%s = (capabilities.metrics_status == "ok") ? (%s) : 0`, f.Option, strings.TrimSpace(f.Text))
	return []Finding{out}
}

func rate(e *function.Function, r *capability.Report) float64 {
	v, err := e.Eval(varsOf(r))
	if err != nil {
		return 0
	}
	return score(v)
}

// score is what GoodnessWeigher makes of a result
// (cinder/scheduler/weights/goodness.py).
func score(v function.Operand) float64 {
	f, ok := v.Float()
	if good, isBool := v.Bool(); isBool && good {
		return 100
	}
	if !ok || f < 0 || f > 100 {
		return 0
	}
	return f
}
