package function

import (
	"math"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Trap is a part of a function that Cinder does not read as it is written.
type Trap struct {
	Kind   TrapKind
	Column int    // counted in characters from 1
	Name   Name   // of the variable; zero for a bare word
	Word   string // as it is written
	// Value is what the variable stands for; null if there is none.
	Value capability.Value
	// Read is the value as the evaluator reads it, if it can.
	Read string
}

// TrapKind says which trap it is.
type TrapKind uint8

// The traps.
const (
	// UnknownScope is a variable outside the scopes that Cinder fills.
	UnknownScope TrapKind = iota
	// NoValue is a variable that is not reported.
	NoValue
	// Unusable is a null, a list or an object, which cannot be computed with.
	Unusable
	// Truncated is a float that is cut to an integer and loses more than 1 %.
	Truncated
	// BareWord is a word without quotes and scope, which is read as text.
	BareWord
	// NoFunction is a name before an operand that is not min, max or abs.
	NoFunction
	// Junction is an and, or, or not after a name, which makes functions of
	// both.
	Junction
	// SplitWord is a name that begins with not, which is read as a negation.
	SplitWord
	// Ignored is what follows the second operand of && or ||, or the third of
	// a ? b : c: it is parsed, and never evaluated.
	Ignored
)

// Review lists the traps of the function with these variables, in the order of the
// text, each once. A scope that is nil is not reviewed, because its variables depend
// on the request.
func (f *Function) Review(vars Vars) []Trap {
	var traps []Trap
	seen := map[string]bool{}
	walk(f.root, func(n node) {
		t, found := review(n, vars)
		at := n.offset()
		if !found {
			t, at, found = f.reviewShape(n)
		}
		if found && !seen[t.Word] {
			seen[t.Word] = true
			t.Column = column(f.text, at)
			traps = append(traps, t)
		}
	})
	return traps
}

// reviewShape finds traps of the grammar, for any variables.
func (f *Function) reviewShape(n node) (t Trap, at int, found bool) {
	at = n.offset()
	switch n := n.(type) {
	case *call:
		return reviewCall(n), at, !n.known() && !n.beforeJunction()
	case *unary:
		word := f.wordAt(at)
		return Trap{Kind: SplitWord, Word: word}, at, len(word) > len("not") && strings.EqualFold(word[:len("not")], "not")
	case *choice:
		return reviewIgnored(n.ignored, at)
	case *junction:
		return reviewIgnored(n.ignored, at)
	}
	return Trap{}, at, false
}

func reviewCall(n *call) Trap {
	t := Trap{Kind: NoFunction, Word: n.function}
	if isJunctionWord(n.function) {
		t.Kind = Junction
	}
	return t
}

func reviewIgnored(terms []term, at int) (Trap, int, bool) {
	if len(terms) == 0 {
		return Trap{}, at, false
	}
	return Trap{Kind: Ignored, Word: terms[0].op}, terms[0].at, true
}

// wordAt is the run of letters, underscores and points at an offset.
func (f *Function) wordAt(at int) string {
	return f.text[at:max(at, scanWord(f.text, at))]
}

func review(n node, vars Vars) (Trap, bool) {
	switch n := n.(type) {
	case *constant:
		return Trap{Kind: BareWord, Word: n.value.String()}, n.word && n.value.kind == text
	case *variable:
		t := Trap{Name: n.name, Word: n.name.String()}
		if !isScope(n.name.Scope) {
			t.Kind = UnknownScope
			return t, true
		}
		set := vars[n.name.Scope]
		if set == nil {
			return t, false
		}
		return reviewValue(t, set)
	}
	return Trap{}, false
}

func reviewValue(t Trap, set capability.Set) (Trap, bool) {
	v, there := set[t.Name.Key]
	if !there {
		t.Kind = NoValue
		return t, true
	}
	t.Value = v
	o := OperandOf(v)
	if o.kind <= unusable {
		t.Kind = Unusable
		return t, true
	}
	t.Kind, t.Read = Truncated, o.String()
	return t, v.Kind() == capability.Float && loses(v, o)
}

// loses reports whether the evaluator changes a float by more than 1 %.
func loses(v capability.Value, o Operand) bool {
	f, _ := v.Float()
	read, ok := o.toFloat()
	return ok && math.Abs(f-read) > math.Abs(f)/100
}

func isScope(name string) bool {
	switch name {
	case ScopeCapabilities, ScopeStats, ScopeVolume, ScopeExtra, ScopeQoS:
		return true
	}
	return false
}

// walk visits a node and all below it, in the order of the text.
func walk(n node, visit func(node)) {
	visit(n)
	for _, child := range children(n) {
		walk(child, visit)
	}
}

func children(n node) []node {
	switch n := n.(type) {
	case *unary:
		return []node{n.x}
	case *call:
		return []node{n.x}
	case *sequence:
		return n.members
	case *fold:
		all := []node{n.first}
		for i := range n.steps {
			all = append(all, n.steps[i].x)
		}
		return all
	case *compared:
		all := []node{n.first}
		for i := range n.links {
			all = append(all, n.links[i].x)
		}
		return all
	case *choice:
		return []node{n.condition, n.yes, n.no}
	case *junction:
		return []node{n.left, n.right}
	}
	return nil
}
