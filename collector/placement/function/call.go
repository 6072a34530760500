package function

import (
	"errors"
	"fmt"
)

// sequence is a, b, c: the arguments of a function, or a list by itself. Of
// its members only the last may spread: "1, (2, 3)" is one list of three.
type sequence struct {
	place
	members []node
}

func (n *sequence) eval(slots []Operand) (Operand, *fault) {
	all := make([]Operand, 0, len(n.members))
	for i, member := range n.members {
		v, f := member.eval(slots)
		if f != nil {
			return Operand{}, f
		}
		if v.kind == list && i == len(n.members)-1 {
			all = append(all, v.box.list...)
		} else {
			all = append(all, v)
		}
	}
	return ofList(all), nil
}

func buildComma(terms []term) node {
	n := &sequence{place: place(terms[0].x.offset()), members: []node{terms[0].x}}
	// The grammar nests to the right: "a, b, c" arrives as a and "b, c".
	if rest, ok := terms[1].x.(*sequence); ok {
		n.members = append(n.members, rest.members...)
	} else {
		n.members = append(n.members, terms[1].x)
	}
	return n
}

// call is min, max or abs of what follows the name, with or without parentheses. Any
// other name is an error when the call is evaluated.
type call struct {
	place
	function string
	x        node
}

func buildCall(terms []term) node {
	return &call{place: place(terms[0].at), function: terms[0].op, x: terms[0].x}
}

func (n *call) eval(slots []Operand) (Operand, *fault) {
	switch n.function {
	case "min":
		return n.extreme(slots, less)
	case "max":
		return n.extreme(slots, greater)
	case "abs":
		return n.abs(slots)
	}
	return Operand{}, failAt(n.offset(), n.unknown())
}

// known reports whether there is such a function.
func (n *call) known() bool { return n.function == "min" || n.function == "max" || n.function == "abs" }

// beforeJunction reports whether what looks like the function's operand is the
// word "and" or "or", and so the function is really an operand of that.
func (n *call) beforeJunction() bool {
	inner, ok := n.x.(*call)
	return ok && isJunctionWord(inner.function)
}

func (n *call) unknown() error {
	const hint = "write && or ||, or put the left side in parentheses"
	switch {
	case isJunctionWord(n.function):
		return &hinted{fmt.Sprintf("the word %q after a name is read as a function", n.function), hint}
	case n.beforeJunction():
		return &hinted{fmt.Sprintf("%s followed by the word %q is read as a function", n.function, n.x.(*call).function), hint}
	}
	return &hinted{fmt.Sprintf("%s is not a function", n.function), "there are min, max and abs"}
}

func isJunctionWord(s string) bool {
	return s == "and" || s == "or" || s == "AND" || s == "OR" || s == "not" || s == "NOT"
}

// extremum keeps the first of the best values, as Python's min and max do.
type extremum struct {
	better comparison
	best   Operand
	any    bool
}

func (e *extremum) take(v Operand) error {
	if !e.any {
		e.best, e.any = v, true
		return nil
	}
	better, err := e.better.holds(v, e.best)
	if better {
		e.best = v
	}
	return err
}

func (n *call) extreme(slots []Operand, better comparison) (Operand, *fault) {
	e := extremum{better: better}
	args, ok := n.x.(*sequence)
	if !ok {
		return n.extremeOf(slots, e)
	}
	for i, member := range args.members {
		v, f := member.eval(slots)
		if f != nil {
			return Operand{}, f
		}
		if err := e.takeArgument(v, i == len(args.members)-1); err != nil {
			return Operand{}, failAt(member.offset(), err)
		}
	}
	return e.best, nil
}

func (n *call) extremeOf(slots []Operand, e extremum) (Operand, *fault) {
	v, f := n.x.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	take := e.takeMembers
	if v.kind == list && len(v.box.list) != 1 {
		take = e.takeList
	} else if v.kind == list {
		v = v.box.list[0]
	}
	if err := take(v); err != nil {
		return Operand{}, failAt(n.offset(), err)
	}
	if !e.any {
		return Operand{}, failAt(n.offset(), errors.New("there are no arguments"))
	}
	return e.best, nil
}

func (e *extremum) takeArgument(v Operand, last bool) error {
	if last && v.kind == list {
		return e.takeList(v)
	}
	return e.take(v)
}

func (e *extremum) takeList(v Operand) error {
	for _, member := range v.box.list {
		if err := e.take(member); err != nil {
			return err
		}
	}
	return nil
}

// takeMembers handles a single argument, which Python iterates over: text has
// characters.
func (e *extremum) takeMembers(v Operand) error {
	switch v.kind {
	case list:
		return e.takeList(v)
	case text:
		for _, r := range v.box.text {
			if err := e.take(ofText(string(r))); err != nil {
				return err
			}
		}
		return nil
	}
	return &hinted{problem: "one argument is not enough", hint: "give min and max two or more"}
}

func (n *call) abs(slots []Operand) (Operand, *fault) {
	v, f := n.x.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	if v.kind == list && len(v.box.list) == 1 {
		v = v.box.list[0]
	}
	v, err := absolute(v)
	if err != nil {
		return Operand{}, failAt(n.offset(), err)
	}
	return v, nil
}
