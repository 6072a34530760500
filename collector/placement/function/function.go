package function

import (
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Function is a compiled filter_function or goodness_function. It is immutable and
// may be used by any number of goroutines.
type Function struct {
	text  string
	root  node
	names []Name
}

// Name is a variable of a function, such as capabilities.load_percent.
type Name struct {
	Scope string // capabilities, stats, volume, extra or qos
	Key   string
}

// String returns the name as it is written.
func (n Name) String() string { return n.Scope + "." + n.Key }

// The scopes that Cinder fills (cinder/scheduler/filters/driver_filter.py).
const (
	ScopeCapabilities = "capabilities" // the backend's report
	ScopeStats        = "stats"        // what the scheduler keeps of the backend
	ScopeVolume       = "volume"       // properties of the volume to place
	ScopeExtra        = "extra"        // extra specs of its type
	ScopeQoS          = "qos"          // QoS specs of its type
)

// Compile compiles a filter or goodness function. The error is an
// [*Error] with the column at which Cinder's parser fails, and the reason.
//
// What depends on the values, such as a name that a backend does not report or a
// comparison of text with a number, is an error of [Function.Run] instead, as it is
// in Cinder.
func Compile(text string) (*Function, error) {
	text = expandTabs(text)
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	f := &Function{text: text, root: root}
	walk(root, f.assignSlot)
	return f, nil
}

// assignSlot numbers the variables in the order in which they are read.
func (f *Function) assignSlot(n node) {
	v, ok := n.(*variable)
	if !ok {
		return
	}
	for i, name := range f.names {
		if name == v.name {
			v.slot = i
			return
		}
	}
	v.slot = len(f.names)
	f.names = append(f.names, v.name)
}

// String returns the text with its tabs expanded to spaces as Cinder's parser does
// it. Columns in errors are columns of this text.
func (f *Function) String() string { return f.text }

// Names lists the variables of the function, each once. The
// index of a name is its slot. The slice must not be changed.
func (f *Function) Names() []Name { return f.names }

// Run evaluates the function. The value of Names()[i] is slots[i]: resolve the names
// once per report, and a run needs no map. A zero Operand is a name without a value,
// and so is a slot beyond the end.
//
// It does not allocate while the values are booleans, floats and integers of
// 64 bits. The error is an [*Error].
func (f *Function) Run(slots []Operand) (Operand, error) {
	v, err := f.root.eval(slots)
	if err != nil {
		return Operand{}, f.locate(err)
	}
	return v, nil
}

// Vars holds the variables by scope. A scope that is missing has no keys.
type Vars map[string]capability.Set

// slots resolves the names of the function, in the order of [Function.Run].
func (f *Function) slots(vars Vars) []Operand {
	slots := make([]Operand, len(f.names))
	for i, name := range f.names {
		if v, ok := vars[name.Scope][name.Key]; ok {
			slots[i] = OperandOf(v)
		}
	}
	return slots
}

// Eval resolves the names and runs the function once.
func (f *Function) Eval(vars Vars) (Operand, error) { return f.Run(f.slots(vars)) }

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
