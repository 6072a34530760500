package advice

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// Function is a filter_function or goodness_function and the reports of the
// backends that have it.
type Function struct {
	Option  string // filter_function or goodness_function
	Text    string
	Where   string
	Reports []capability.Report
}

// Functions checks each function by itself and on its reports.
func Functions(functions []Function) []Finding {
	var all []Finding
	for i := range functions {
		all = append(all, functions[i].check()...)
	}
	return all
}

func (f *Function) check() []Finding {
	e, err := function.Compile(f.Text)
	if err != nil {
		return []Finding{f.syntax(err)}
	}
	found := f.traps(e)
	absent := slices.ContainsFunc(found, func(f Finding) bool { return f.Code == "absent-key" })
	if Count(found, Error) == 0 && !absent && !readsRequest(e) {
		found = append(found, f.evaluate(e)...)
	}
	return append(found, f.nullableKeys(e, found)...)
}

func (f *Function) finding(s Severity, code, problem, reason, fix string) Finding {
	return Finding{Severity: s, Topic: FunctionTopic, Code: code, Where: f.Where, Problem: problem, Reason: reason, Fix: fix}
}

func (f *Function) isGoodness() bool { return f.Option == capability.KeyGoodnessFunction }

// consequence is what Cinder does with a function that cannot be evaluated.
func (f *Function) consequence() string {
	if f.isGoodness() {
		return "GoodnessWeigher then scores the backend 0, and only a line in the scheduler's log says so"
	}
	return `DriverFilter then refuses the backend for every volume, and the user reads "No valid backend was found"`
}

func (f *Function) syntax(err error) Finding {
	out := f.finding(Error, "function-syntax", "Cinder cannot parse the function: "+err.Error(),
		"Cinder accepts it at the start and fails at the first volume: "+f.consequence(), "")
	if x, ok := errors.AsType[*function.Error](err); ok {
		out.Problem = fmt.Sprintf("Cinder cannot parse the function: %s in column %d of %q", x.Problem, x.Column, x.Text)
		if x.Hint != "" {
			out.Fix = strings.ToUpper(x.Hint[:1]) + x.Hint[1:]
		}
	}
	return out
}

// readsRequest reports whether the function reads more of a request than its
// size.
func readsRequest(e *function.Function) bool {
	return slices.ContainsFunc(e.Names(), func(n function.Name) bool {
		return n.Scope == function.ScopeExtra || n.Scope == function.ScopeQoS || n.Scope == function.ScopeVolume && n.Key != "size"
	})
}

// traps reports each trap once, with the backends it applies to.
func (f *Function) traps(e *function.Function) []Finding {
	type group struct {
		trap     function.Trap
		backends []string
		set      capability.Set
	}
	var groups []*group
	for i := range f.Reports {
		vars := varsOf(&f.Reports[i])
		for _, t := range e.Review(vars) {
			at := slices.IndexFunc(groups, func(g *group) bool { return g.trap.Word == t.Word && g.trap.Kind == t.Kind })
			if at < 0 {
				at, groups = len(groups), append(groups, &group{trap: t, set: vars[t.Name.Scope]})
			}
			groups[at].backends = append(groups[at].backends, f.Reports[i].Name())
		}
	}
	if len(f.Reports) == 0 {
		for _, t := range e.Review(function.Vars{}) {
			groups = append(groups, &group{trap: t})
		}
	}
	var found []Finding
	for _, g := range groups {
		out := f.trap(g.trap, g.set)
		if n := len(g.backends); n > 0 && n < len(f.Reports) {
			out.Problem += " (on " + format.List(g.backends) + ")"
		}
		found = append(found, out)
	}
	return found
}

func (f *Function) trap(t function.Trap, set capability.Set) Finding {
	switch t.Kind {
	case function.UnknownScope:
		return f.finding(Error, "unknown-scope",
			t.Word+" has no value: Cinder sets capabilities, stats, volume, extra and qos only",
			f.consequence(), "Write "+nearScope(t.Name))
	case function.BareWord:
		return f.finding(Error, "bare-word",
			fmt.Sprintf("%s in column %d is read as text, not as a capability", t.Word, t.Column),
			"a text compared with a number is an error, and no array reports this text: "+f.consequence(),
			fmt.Sprintf("Write capabilities.%s, or %q in quotes if the text is meant", t.Word, t.Word))
	case function.NoValue:
		return f.noValue(t, set)
	case function.Unusable:
		return f.finding(Error, "unsupported-value",
			fmt.Sprintf("%s is %s, and Cinder's evaluator computes with numbers and text only", t.Word, kindWithArticle(t.Value)),
			f.consequence(), "Remove it from the function, or use it in the volume type, where lists and null can be compared")
	case function.Truncated:
		return f.truncated(t)
	case function.NoFunction:
		return f.finding(Error, "unknown-function",
			fmt.Sprintf("%s in column %d is followed by an operand, and so is read as a function", t.Word, t.Column),
			f.consequence(), "Use min, max or abs, or put an operator between the two")
	case function.Junction:
		return f.finding(Error, "word-as-function",
			fmt.Sprintf("the word %q in column %d follows a name, and so is read as a function", t.Word, t.Column),
			f.consequence(), "Write && or ||, or put the left side in parentheses")
	case function.SplitWord:
		return f.finding(Error, "split-word",
			fmt.Sprintf("%s in column %d is read as not, and then %s", t.Word, t.Column, t.Word[len("not"):]),
			f.consequence(), "Report the value under a name that does not begin with not")
	}
	return f.finding(Warning, "ignored-operand",
		fmt.Sprintf("what follows %q in column %d is never evaluated", t.Word, t.Column),
		"Cinder's evaluator evaluates the first two operands of and and or, and the first ? and : only",
		"Put two operands at a time in parentheses: (a && b) && c")
}

// noValue is about a key that is not reported.
func (f *Function) noValue(t function.Trap, set capability.Set) Finding {
	k, known := capability.LookupKey(t.Name.Key)
	near := format.Nearest(t.Name.Key, set.SortedKeys())
	switch {
	case known && t.Name.Scope == function.ScopeCapabilities && k.OnRequest:
		return f.finding(Error, "absent-key", t.Word+" is reported only on request", f.consequence(), onRequest(k))
	case k.History && t.Name.Scope == function.ScopeCapabilities:
		return f.finding(Warning, "absent-key", t.Word+" is not reported now: "+absence(k), f.consequence(),
			"Write load_history = true into [poolcast], and a value for that time into extra_capabilities; see the warnings about "+k.Name)
	case known && t.Name.Scope == function.ScopeCapabilities:
		return f.finding(Warning, "absent-key", t.Word+" is not reported now: "+absence(k), f.consequence(),
			"Use a key that is always reported, or fix the reason why it is absent")
	case near != "":
		return f.finding(Error, "unknown-key", t.Word+" is reported by no array; did you mean "+near+"?",
			f.consequence(), "Write "+t.Name.Scope+"."+near)
	}
	return f.finding(Error, "unknown-key", t.Word+" is reported by no array", f.consequence(),
		"Look the name up in poolcast --dry-run, or set it in extra_capabilities")
}

// absence is when a known key is missing.
func absence(k capability.Key) string {
	if k.Absent == "" {
		return "cinder-volume adds it"
	}
	return k.Absent
}

func onRequest(k capability.Key) string {
	return "Write live_capabilities = " + k.Name + " into [poolcast]"
}

func (f *Function) truncated(t function.Trap) Finding {
	fix := "Use an integer in a smaller unit"
	switch t.Name.Key {
	case capability.KeyAvgLatency:
		fix = "Use capabilities.usec_per_read_op and capabilities.usec_per_write_op, which are integers in microseconds"
	case capability.KeyDataReduction, capability.KeyTotalReduction, capability.KeyDedupeRatio, capability.KeyMaxOverSubscription:
		fix = "Use capabilities.data_reduction_percent, which is an integer"
	}
	return f.finding(Warning, "truncated-float",
		fmt.Sprintf("%s is %s, and Cinder reads %s", t.Word, t.Value, t.Read),
		"the evaluator truncates every float to an integer, so different arrays have equal values", fix)
}

// nullableKeys notes the keys that can be missing at times and are in no other
// finding.
func (f *Function) nullableKeys(e *function.Function, found []Finding) []Finding {
	var keys []string
	reason := ""
	for _, n := range e.Names() {
		k, known := capability.LookupKey(n.Key)
		reported := slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.Problem, n.String()) })
		if !known || n.Scope != function.ScopeCapabilities || k.Absent == "" || k.History || reported {
			continue
		}
		if keys = append(keys, n.Key); reason == "" {
			reason = k.Absent
		}
	}
	if len(keys) == 0 {
		return nil
	}
	problem := fmt.Sprintf("the function needs %s, which can be missing: %s", format.List(keys), reason)
	return []Finding{f.finding(Note, "nullable-key", problem, f.consequence(), "")}
}

func nearScope(n function.Name) string {
	scopes := []string{function.ScopeCapabilities, function.ScopeStats, function.ScopeVolume, function.ScopeExtra, function.ScopeQoS}
	if near := format.Nearest(n.Scope, scopes); near != "" {
		return near + "." + n.Key
	}
	return function.ScopeCapabilities + "." + n.Key
}

func kindWithArticle(v capability.Value) string {
	switch v.Kind() {
	case capability.Null:
		return "null"
	case capability.Map:
		return "an object"
	}
	return "a " + v.Kind().String()
}

// varsOf is what a function can read of a backend, for a volume of 1 GiB. The
// key that cinder-volume always adds is there even without a base report.
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

// evaluate runs the function on every report and checks the results.
func (f *Function) evaluate(e *function.Function) []Finding {
	if len(f.Reports) == 0 {
		return nil
	}
	var results []function.Operand
	for i := range f.Reports {
		v, err := e.Eval(varsOf(&f.Reports[i]))
		if err != nil {
			return []Finding{f.finding(Error, "function-fails",
				fmt.Sprintf("the function cannot be evaluated on %s: %v", f.Reports[i].Name(), err), f.consequence(),
				"Compare numbers with numbers, quote text, and keep zero out of divisors: max(x, 1)")}
		}
		results = append(results, v)
	}
	if f.isGoodness() {
		return append(f.scores(results), f.highestAtZero(e, results)...)
	}
	if slices.ContainsFunc(results, function.Operand.Truth) {
		return nil
	}
	return []Finding{f.finding(Warning, "filter-refuses-all",
		fmt.Sprintf("the function refuses all of its %s now, for a volume of 1 GiB", format.Count(len(results), "array")),
		`while that is so, no volume is placed on them, and the user reads "No valid backend was found"`,
		"Relax the limit, or make it a goodness_function, which ranks and never refuses; see the values with poolcast --dry-run")}
}

// scores finds scores that GoodnessWeigher cannot use or that are all equal.
func (f *Function) scores(results []function.Operand) []Finding {
	var outside, distinct []string
	for i, v := range results {
		number, ok := v.Float()
		if !ok {
			return []Finding{f.finding(Error, "goodness-not-a-number",
				"the result of the function is "+v.String()+", which is not a number",
				"GoodnessWeigher stops with an exception, so no volume can be created anywhere",
				"Let it end in a number from 0 to 100")}
		}
		if _, isBool := v.Bool(); !isBool && (number < 0 || number > 100) {
			outside = append(outside, f.Reports[i].Name()+" "+v.String())
		}
		distinct = append(distinct, v.String())
	}
	distinct = unique(distinct)
	switch {
	case len(outside) > 0:
		return []Finding{f.finding(Warning, "goodness-out-of-range",
			"the result is not between 0 and 100: "+format.List(outside),
			"GoodnessWeigher counts such a score as 0, so the best array may become the worst",
			"Bound it: max(0, min(100, …))")}
	case len(results) > 1 && len(distinct) == 1:
		return []Finding{f.finding(Note, "goodness-constant",
			fmt.Sprintf("the function scores all %s %s now", format.Count(len(results), "array"), distinct[0]),
			"equal scores decide nothing, and of equal backends the scheduler takes the one whose report it received first",
			"Check whether it stays so under load; integer division and truncated floats are the usual reasons")}
	}
	return nil
}

// highestAtZero tries what the Cinder driver reports of an array without a
// performance sample: zeros.
func (f *Function) highestAtZero(e *function.Function, now []function.Operand) []Finding {
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
		atZero := rate(e, &r)
		if atZero <= score(now[i]) {
			return nil
		}
		best = max(best, atZero)
	}
	return []Finding{f.finding(Warning, "goodness-highest-at-zero",
		fmt.Sprintf("the function scores %s for an array that reports zeros for %s, more than for any array now",
			format.Significant(best, 4), format.List(keys)),
		"the Cinder driver reports zeros for an array without a performance sample, so an array that cannot be measured gets every volume",
		fmt.Sprintf(`%s = (capabilities.metrics_status == "ok") ? (%s) : 0`, f.Option, strings.TrimSpace(f.Text)))}
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
