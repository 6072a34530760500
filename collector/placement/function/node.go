package function

import "fmt"

// node is a part of a compiled function. Evaluation walks over nodes instead of
// running a byte code: for the few nodes of a goodness function that is as fast, and
// each rule of Cinder is in one method.
type node interface {
	eval(slots []Operand) (Operand, *fault)
	offset() int
}

// place is the offset of a node's operator or operand in the text.
type place int

func (p place) offset() int { return int(p) }

type constant struct {
	place
	value Operand
	word  bool // an unquoted word, which may be meant as a name
}

func (c *constant) eval([]Operand) (Operand, *fault) { return c.value, nil }

type variable struct {
	place
	name Name
	slot int
}

func (v *variable) eval(slots []Operand) (Operand, *fault) {
	if v.slot < len(slots) {
		if o := slots[v.slot]; o.kind > unusable {
			return o, nil
		}
	}
	return Operand{}, v.refuse(slots)
}

func (v *variable) refuse(slots []Operand) *fault {
	if v.slot >= len(slots) || slots[v.slot].kind == absent {
		return failAt(v.offset(), fmt.Errorf("%s has no value", v.name))
	}
	return failAt(v.offset(), fmt.Errorf("%s is of no use: Cinder's evaluator cannot read its %s", v.name, slots[v.slot].box.text))
}

func buildOperand(token string, at int) node {
	isWord := isWordByte(token[0])
	if name, ok := isName(token); ok && isWord {
		return &variable{place: place(at), name: name}
	}
	return &constant{place: place(at), value: operandOfText(token), word: isWord}
}

// unary applies a function of one operand.
type unary struct {
	place
	apply func(Operand) (Operand, error)
	x     node
}

func (u *unary) eval(slots []Operand) (Operand, *fault) {
	x, f := u.x.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	v, err := u.apply(x)
	if err != nil {
		return Operand{}, failAt(u.offset(), err)
	}
	return v, nil
}

func buildSign(terms []term) node {
	factor := int64(1)
	if terms[0].op == "-" {
		factor = -1
	}
	apply := func(x Operand) (Operand, error) { return multiply(ofInt(factor), x) }
	return &unary{place: place(terms[0].at), apply: apply, x: terms[0].x}
}

func buildNot(terms []term) node {
	apply := func(x Operand) (Operand, error) { return ofBool(!x.Truth()), nil }
	return &unary{place: place(terms[0].at), apply: apply, x: terms[0].x}
}

// step is one operator of a fold with its right operand.
type step struct {
	place
	apply func(a, b Operand) (Operand, error)
	x     node
}

// fold applies operators from left to right.
type fold struct {
	place
	first node
	steps []step
}

func (n *fold) eval(slots []Operand) (Operand, *fault) {
	v, f := n.first.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	for i := range n.steps {
		s := &n.steps[i]
		x, f := s.x.eval(slots)
		if f != nil {
			return Operand{}, f
		}
		var err error
		if v, err = s.apply(v, x); err != nil {
			return Operand{}, failAt(s.offset(), err)
		}
	}
	return v, nil
}

func buildFold(terms []term, apply func(op string) func(a, b Operand) (Operand, error)) node {
	n := &fold{place: place(terms[0].at), first: terms[0].x}
	for _, t := range terms[1:] {
		n.steps = append(n.steps, step{place: place(t.at), apply: apply(t.op), x: t.x})
	}
	return n
}

func buildSum(terms []term) node {
	return buildFold(terms, func(op string) func(a, b Operand) (Operand, error) {
		if op == "-" {
			return subtract
		}
		return add
	})
}

func buildProduct(terms []term) node {
	return buildFold(terms, func(op string) func(a, b Operand) (Operand, error) {
		if op == "/" {
			return divide
		}
		return multiply
	})
}

func buildPower(terms []term) node {
	return buildFold(terms, func(string) func(a, b Operand) (Operand, error) { return power })
}

// link is one comparison of a chain.
type link struct {
	place
	op comparison
	x  node
}

// compared is a chain such as 1 < x <= 5: true if every neighbouring pair
// compares. What follows a pair that does not is not evaluated.
type compared struct {
	place
	first node
	links []link
}

func (n *compared) eval(slots []Operand) (Operand, *fault) {
	a, f := n.first.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	for i := range n.links {
		l := &n.links[i]
		b, f := l.x.eval(slots)
		if f != nil {
			return Operand{}, f
		}
		ok, err := l.op.holds(a, b)
		if err != nil {
			return Operand{}, failAt(l.offset(), err)
		}
		if !ok {
			return ofBool(false), nil
		}
		a = b
	}
	return ofBool(true), nil
}

func buildComparison(terms []term) node {
	n := &compared{place: place(terms[0].at), first: terms[0].x}
	for _, t := range terms[1:] {
		n.links = append(n.links, link{place: place(t.at), op: comparisonOf(t.op), x: t.x})
	}
	return n
}

// choice is a ? b : c. Only the chosen arm is evaluated. Cinder's grammar
// accepts further "? d : e" and its evaluator ignores them.
type choice struct {
	place
	condition, yes, no node
	ignored            []term
}

func (n *choice) eval(slots []Operand) (Operand, *fault) {
	c, f := n.condition.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	if c.Truth() {
		return n.yes.eval(slots)
	}
	return n.no.eval(slots)
}

func buildTernary(terms []term) node {
	return &choice{
		place: place(terms[0].at), condition: terms[0].x,
		yes: terms[1].x, no: terms[2].x, ignored: terms[3:],
	}
}

// junction is a && b or a || b. Both sides are evaluated, so an error in
// either is an error; the result is one of the operands, not a boolean.
// Cinder's grammar accepts a third operand and its evaluator ignores it.
type junction struct {
	place
	and         bool
	left, right node
	spans       [2]span // of left and right
	ignored     []term
}

func (n *junction) eval(slots []Operand) (Operand, *fault) {
	a, f := n.left.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	b, f := n.right.eval(slots)
	if f != nil {
		return Operand{}, f
	}
	if a.Truth() == n.and {
		return b, nil
	}
	return a, nil
}

func buildAnd(terms []term) node { return buildJunction(true, terms) }
func buildOr(terms []term) node  { return buildJunction(false, terms) }

func buildJunction(and bool, terms []term) node {
	return &junction{
		place: place(terms[1].at), and: and,
		left: terms[0].x, right: terms[1].x, ignored: terms[2:],
		spans: [2]span{{terms[0].at, terms[0].end}, {terms[1].at + len(terms[1].op), terms[1].end}},
	}
}
