package advice

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
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
	e, err := cinder.CompileExpression(f.Text)
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
	out.Problem = "Cinder cannot read the function: " + err.Error()
	if x, ok := errors.AsType[*cinder.ExpressionError](err); ok {
		out.Problem = fmt.Sprintf("Cinder cannot read the function: %s in column %d of %q", x.Problem, x.Column, x.Text)
		out.Fix = upper(x.Hint)
	}
	out.Reason = "Cinder accepts it at the start and fails at the first volume: " + f.consequence()
	return out
}

// asksForMore reports whether the function reads what only a request tells,
// beyond the size.
func asksForMore(e *cinder.Expression) bool {
	return slices.ContainsFunc(e.Names(), func(n cinder.Name) bool {
		return n.Scope == cinder.ScopeExtra || n.Scope == cinder.ScopeQoS || n.Scope == cinder.ScopeVolume && n.Key != "size"
	})
}

// traps tells each trap once, with the backends that it waits on.
func (f *Function) traps(e *cinder.Expression) []Finding {
	type group struct {
		trap     cinder.Trap
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
		for _, t := range e.Review(cinder.Vars{}) {
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

func (f *Function) trap(t cinder.Trap, set capability.Set) Finding {
	out := f.finding(Error, "")
	out.Reason = f.consequence()
	switch t.Kind {
	case cinder.UnknownScope:
		out.Code = "unknown-scope"
		out.Problem = fmt.Sprintf("%s has no value: Cinder fills capabilities, stats, volume, extra and qos only", t.Word)
		out.Fix = "Write " + nearScope(t.Name)
	case cinder.BareWord:
		out.Code = "bare-word"
		out.Problem = fmt.Sprintf("%s in column %d is read as text, not as a capability", t.Word, t.Column)
		out.Reason = "a text compared with a number is an error, and a text is never what an array reports: " + f.consequence()
		out.Fix = fmt.Sprintf("Write capabilities.%s, or %q in quotes if the text is meant", t.Word, t.Word)
	case cinder.NoValue:
		return f.unknown(out, t, set)
	case cinder.Unusable:
		out.Code = "unusable-value"
		out.Problem = fmt.Sprintf("%s is %s, and Cinder's evaluator computes with numbers and text only", t.Word, kindWithArticle(t.Value))
		out.Fix = "Leave it out of the function, or ask for it in the volume type, where lists and null can be compared"
	case cinder.Truncated:
		return f.truncated(out, t)
	default:
		return f.misread(out, t)
	}
	return out
}

// misread are the traps of the grammar.
func (f *Function) misread(out Finding, t cinder.Trap) Finding {
	switch t.Kind {
	case cinder.NoFunction:
		out.Code = "unknown-function"
		out.Problem = fmt.Sprintf("%s in column %d stands before an operand, and so is read as a function", t.Word, t.Column)
		out.Fix = "Use min, max or abs, or put an operator between the two"
	case cinder.Junction:
		out.Code = "word-as-function"
		out.Problem = fmt.Sprintf("the word %q in column %d follows a name, and so is read as a function", t.Word, t.Column)
		out.Fix = "Write && or ||, or put the left side in parentheses"
	case cinder.SplitWord:
		out.Code = "split-word"
		out.Problem = fmt.Sprintf("%s in column %d is read as not, and then %s", t.Word, t.Column, t.Word[len("not"):])
		out.Fix = "Report the value under a name that does not begin with not"
	case cinder.Ignored:
		out.Severity, out.Code = Warning, "ignored-operand"
		out.Problem = fmt.Sprintf("what follows %q in column %d is never evaluated", t.Word, t.Column)
		out.Reason = "Cinder's evaluator looks at the first two operands of and and or, and at the first ? and : only"
		out.Fix = "Put two operands at a time in parentheses: (a && b) && c"
	}
	return out
}

func (f *Function) unknown(out Finding, t cinder.Trap, set capability.Set) Finding {
	if k, known := capability.LookupKey(t.Name.Key); known && t.Name.Scope == cinder.ScopeCapabilities {
		out.Severity, out.Code = Warning, "absent-key"
		out.Problem = t.Word + " is not reported now: " + orText(k.Absent, "cinder-volume adds it")
		if k.OnRequest {
			out.Severity = Error
			out.Problem = t.Word + " is reported only on request"
			out.Fix = "Write live_capabilities = " + t.Name.Key + " into [poolcast]"
			return out
		}
		out.Fix = "Use a key that is always reported, or mend what keeps it away"
		return out
	}
	out.Code = "unknown-key"
	out.Problem = t.Word + " is reported by no array"
	if near := format.Nearest(t.Name.Key, set.SortedKeys()); near != "" {
		out.Problem += "; did you mean " + near + "?"
		out.Fix = "Write " + t.Name.Scope + "." + near
		return out
	}
	out.Fix = "Look the name up in poolcast --dry-run, or set it in extra_capabilities"
	return out
}

func (f *Function) truncated(out Finding, t cinder.Trap) Finding {
	out.Severity, out.Code = Warning, "truncated-float"
	out.Problem = fmt.Sprintf("%s is %s, and Cinder reads %s", t.Word, t.Value, t.Read)
	out.Reason = "the evaluator cuts every float to an integer, so different arrays look alike"
	out.Fix = "Use an integer in a smaller unit"
	switch t.Name.Key {
	case capability.KeyAvgLatency:
		out.Fix = "Use capabilities.usec_per_read_op and capabilities.usec_per_write_op, which are integers in microseconds"
	case capability.KeyDataReduction, capability.KeyTotalReduction, capability.KeyDedupeRatio, capability.KeyMaxOverSubscription:
		out.Fix = "Use capabilities.data_reduction_percent, which is an integer"
	}
	return out
}

// absences notes the keys that may be missing some day, of those that were not
// complained about.
func (f *Function) absences(e *cinder.Expression, found []Finding) []Finding {
	var keys []string
	for _, n := range e.Names() {
		k, known := capability.LookupKey(n.Key)
		told := slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.Problem, n.String()) })
		if known && n.Scope == cinder.ScopeCapabilities && k.Absent != "" && !told {
			keys = append(keys, n.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	out := f.finding(Note, "nullable-key")
	k, _ := capability.LookupKey(keys[0])
	out.Problem = fmt.Sprintf("the function needs %s, which can be missing: %s", format.List(keys), k.Absent)
	out.Reason = f.consequence()
	return []Finding{out}
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func nearScope(n cinder.Name) string {
	scopes := []string{cinder.ScopeCapabilities, cinder.ScopeStats, cinder.ScopeVolume, cinder.ScopeExtra, cinder.ScopeQoS}
	if near := format.Nearest(n.Scope, scopes); near != "" {
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
