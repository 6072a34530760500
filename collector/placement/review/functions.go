package review

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// Function is a filter_function or goodness_function and what the backends
// report that have it.
type Function struct {
	Option  string // filter_function or goodness_function
	Text    string
	Where   string
	Reports []capability.Report
}

// Functions judges each function by itself and on the reports it will be
// evaluated on.
func Functions(functions []Function) []Finding {
	var all []Finding
	for i := range functions {
		all = append(all, functions[i].review()...)
	}
	return all
}

func (f *Function) review() []Finding {
	e, err := function.Compile(f.Text)
	if err != nil {
		return []Finding{f.syntax(err)}
	}
	found := f.traps(e)
	absent := slices.ContainsFunc(found, func(f Finding) bool { return f.Code == "absent-key" })
	if Count(found, Error) == 0 && !absent && !asksForMore(e) {
		found = append(found, f.evaluate(e)...)
	}
	return append(found, f.absences(e, found)...)
}

func (f *Function) finding(s Severity, code string) Finding {
	return Finding{Severity: s, Topic: FunctionTopic, Code: code, Where: f.Where}
}

func (f *Function) isGoodness() bool { return f.Option == capability.KeyGoodnessFunction }

// consequence is what Cinder does with a function that cannot be evaluated.
func (f *Function) consequence() string {
	if f.isGoodness() {
		return "GoodnessWeigher then scores the backend 0, and only a line in the scheduler's log says so"
	}
	return "DriverFilter then refuses the backend for every volume, and the user reads \"No valid backend was found\""
}

func (f *Function) syntax(err error) Finding {
	out := f.finding(Error, "function-syntax")
	out.What = "Cinder cannot read the function: " + err.Error()
	if x, ok := errors.AsType[*function.Error](err); ok {
		out.What = fmt.Sprintf("Cinder cannot read the function: %s in column %d of %q", x.Problem, x.Column, x.Text)
		out.Do = upper(x.Hint)
	}
	out.Why = "Cinder accepts it at the start and fails at the first volume: " + f.consequence()
	return out
}

// asksForMore reports whether the function reads what only a request tells,
// beyond the size.
func asksForMore(e *function.Function) bool {
	return slices.ContainsFunc(e.Names(), func(n function.Name) bool {
		return n.Scope == function.ScopeExtra || n.Scope == function.ScopeQoS || n.Scope == function.ScopeVolume && n.Key != "size"
	})
}

// traps tells each trap once, with the backends that it waits on.
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
			groups[at].backends = append(groups[at].backends, backendName(&f.Reports[i]))
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
			out.What += " (on " + join(g.backends) + ")"
		}
		found = append(found, out)
	}
	return found
}

func (f *Function) trap(t function.Trap, set capability.Set) Finding {
	out := f.finding(Error, "")
	out.Why = f.consequence()
	switch t.Kind {
	case function.UnknownScope:
		out.Code = "unknown-scope"
		out.What = fmt.Sprintf("%s has no value: Cinder fills capabilities, stats, volume, extra and qos only", t.Word)
		out.Do = "Write " + nearScope(t.Name)
	case function.BareWord:
		out.Code = "bare-word"
		out.What = fmt.Sprintf("%s in column %d is read as text, not as a capability", t.Word, t.Column)
		out.Why = "a text compared with a number is an error, and a text is never what an array reports: " + f.consequence()
		out.Do = fmt.Sprintf("Write capabilities.%s, or %q in quotes if the text is meant", t.Word, t.Word)
	case function.NoValue:
		return f.unknown(out, t, set)
	case function.Unusable:
		out.Code = "unusable-value"
		out.What = fmt.Sprintf("%s is %s, and Cinder's evaluator computes with numbers and text only", t.Word, kindWithArticle(t.Value))
		out.Do = "Leave it out of the function, or ask for it in the volume type, where lists and null can be compared"
	case function.Truncated:
		return f.truncated(out, t)
	default:
		return f.misread(out, t)
	}
	return out
}

// misread are the traps of the grammar.
func (f *Function) misread(out Finding, t function.Trap) Finding {
	switch t.Kind {
	case function.NoFunction:
		out.Code = "unknown-function"
		out.What = fmt.Sprintf("%s in column %d stands before an operand, and so is read as a function", t.Word, t.Column)
		out.Do = "Use min, max or abs, or put an operator between the two"
	case function.Junction:
		out.Code = "word-as-function"
		out.What = fmt.Sprintf("the word %q in column %d follows a name, and so is read as a function", t.Word, t.Column)
		out.Do = "Write && or ||, or put the left side in parentheses"
	case function.SplitWord:
		out.Code = "split-word"
		out.What = fmt.Sprintf("%s in column %d is read as not, and then %s", t.Word, t.Column, t.Word[len("not"):])
		out.Do = "Report the value under a name that does not begin with not"
	case function.Ignored:
		out.Severity, out.Code = Warning, "ignored-operand"
		out.What = fmt.Sprintf("what follows %q in column %d is never evaluated", t.Word, t.Column)
		out.Why = "Cinder's evaluator looks at the first two operands of and and or, and at the first ? and : only"
		out.Do = "Put two operands at a time in parentheses: (a && b) && c"
	}
	return out
}

func (f *Function) unknown(out Finding, t function.Trap, set capability.Set) Finding {
	if k, known := capability.LookupKey(t.Name.Key); known && t.Name.Scope == function.ScopeCapabilities {
		out.Severity, out.Code = Warning, "absent-key"
		out.What = t.Word + " is not reported now: " + orText(k.Absent, "cinder-volume adds it")
		if k.OnRequest {
			out.Severity = Error
			out.What = t.Word + " is reported only on request"
			out.Do = "Write live_capabilities = " + t.Name.Key + " into [poolcast]"
			return out
		}
		out.Do = "Use a key that is always reported, or mend what keeps it away"
		return out
	}
	out.Code = "unknown-key"
	out.What = t.Word + " is reported by no array"
	if near := placement.Nearest(t.Name.Key, set.SortedKeys()); near != "" {
		out.What += "; did you mean " + near + "?"
		out.Do = "Write " + t.Name.Scope + "." + near
		return out
	}
	out.Do = "Look the name up in poolcast --dry-run, or set it in extra_capabilities"
	return out
}

func (f *Function) truncated(out Finding, t function.Trap) Finding {
	out.Severity, out.Code = Warning, "truncated-float"
	out.What = fmt.Sprintf("%s is %s, and Cinder reads %s", t.Word, t.Value, t.Read)
	out.Why = "the evaluator cuts every float to an integer, so different arrays look alike"
	out.Do = "Use an integer in a smaller unit"
	switch t.Name.Key {
	case capability.KeyAvgLatency:
		out.Do = "Use capabilities.usec_per_read_op and capabilities.usec_per_write_op, which are integers in microseconds"
	case capability.KeyDataReduction, capability.KeyTotalReduction, capability.KeyDedupeRatio, capability.KeyMaxOverSubscription:
		out.Do = "Use capabilities.data_reduction_percent, which is an integer"
	}
	return out
}

// absences notes the keys that may be missing some day, of those that were not
// complained about.
func (f *Function) absences(e *function.Function, found []Finding) []Finding {
	var keys []string
	for _, n := range e.Names() {
		k, known := capability.LookupKey(n.Key)
		told := slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.What, n.String()) })
		if known && n.Scope == function.ScopeCapabilities && k.Absent != "" && !told {
			keys = append(keys, n.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	out := f.finding(Note, "nullable-key")
	k, _ := capability.LookupKey(keys[0])
	out.What = fmt.Sprintf("the function needs %s, which can be missing: %s", join(keys), k.Absent)
	out.Why = f.consequence()
	return []Finding{out}
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func nearScope(n function.Name) string {
	scopes := []string{function.ScopeCapabilities, function.ScopeStats, function.ScopeVolume, function.ScopeExtra, function.ScopeQoS}
	if near := placement.Nearest(n.Scope, scopes); near != "" {
		return near + "." + n.Key
	}
	return "capabilities." + n.Key
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

func upper(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
