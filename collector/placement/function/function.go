package function

import (
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Function is a filter_function or goodness_function, compiled. It is
// immutable and may be used by any number of goroutines.
//
// The language is that of cinder/scheduler/evaluator/evaluator.py: numbers,
// quoted text, names such as capabilities.load_percent, + - * / ^, comparisons
// that may be chained, ! && || (also as words), a ? b : c, and min, max, abs.
// The traps are Cinder's own; [Function.Review] points them out.
type Function struct {
	text  string
	root  node
	names []Name
}

// Name is a variable of an expression, such as capabilities.load_percent.
type Name struct {
	Scope string // capabilities, stats, volume, extra or qos
	Key   string
}

// String returns the name as it stands in the expression.
func (n Name) String() string { return n.Scope + "." + n.Key }

// The scopes that Cinder fills (cinder/scheduler/filters/driver_filter.py).
const (
	ScopeCapabilities = "capabilities" // the backend's report
	ScopeStats        = "stats"        // what the scheduler keeps of the backend
	ScopeVolume       = "volume"       // properties of the volume asked for
	ScopeExtra        = "extra"        // extra specs of its type
	ScopeQoS          = "qos"          // QoS specs of its type
)

// Compile compiles a filter or goodness function. The error is an
// [*Error] that says where Cinder's parser gives up, and why.
//
// Whatever can only go wrong with particular values, such as a name that no
// backend reports or a comparison of text with a number, is an error of
// [Function.Run] instead, as it is in Cinder.
func Compile(text string) (*Function, error) {
	text = expandTabs(text)
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	e := &Function{text: text, root: root}
	walk(root, e.assignSlot)
	return e, nil
}

// assignSlot numbers the variables in the order in which they are read.
func (e *Function) assignSlot(n node) {
	v, ok := n.(*variable)
	if !ok {
		return
	}
	for i, name := range e.names {
		if name == v.name {
			v.slot = i
			return
		}
	}
	v.slot = len(e.names)
	e.names = append(e.names, v.name)
}

// String returns the text, its tabs expanded to spaces as Cinder's parser
// does. Columns in errors count in this text.
func (e *Function) String() string { return e.text }

// Names lists the variables that the expression mentions, each once. The
// index of a name is its slot. The slice must not be changed.
func (e *Function) Names() []Name { return e.names }

// Run evaluates the expression. The value of Names()[i] is slots[i]: resolve
// the names once, keep the slots of a report for as long as the report, and a
// run needs no map. A zero Operand stands for a name without a value, and so
// does a slot beyond the end.
//
// It does not allocate while the values are booleans, floats and integers of
// 64 bits. The error is an [*Error].
func (e *Function) Run(slots []Operand) (Operand, error) {
	v, err := e.root.eval(slots)
	if err != nil {
		return Operand{}, e.locate(err)
	}
	return v, nil
}

// Vars holds the variables by scope. A scope that is missing has no keys.
type Vars map[string]capability.Set

// Slots resolves the names of the expression, in the order [Function.Run]
// wants.
func (e *Function) Slots(vars Vars) []Operand {
	slots := make([]Operand, len(e.names))
	for i, name := range e.names {
		if v, ok := vars[name.Scope][name.Key]; ok {
			slots[i] = OperandOf(v)
		}
	}
	return slots
}

// Eval resolves the names and runs the expression once.
func (e *Function) Eval(vars Vars) (Operand, error) { return e.Run(e.Slots(vars)) }

// expandTabs is Python's str.expandtabs(), which the parser applies to the
// whole text, quoted or not.
func expandTabs(text string) string {
	if !strings.Contains(text, "\t") {
		return text
	}
	var b strings.Builder
	column := 0
	for _, r := range text {
		switch r {
		case '\t':
			n := 8 - column%8
			b.WriteString(strings.Repeat(" ", n))
			column += n
			continue
		case '\n', '\r':
			column = -1
		}
		b.WriteRune(r)
		column++
	}
	return b.String()
}
