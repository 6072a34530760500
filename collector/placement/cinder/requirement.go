package cinder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// operator is the first word of an extra spec's value.
type operator uint8

const (
	opPlain operator = iota // no operator: the whole text must be equal
	opNull                  // no text at all
	opEqual
	opNotEqual
	opAtLeast
	opAtMost
	opIn
	opIs
	opOr
	opTextEqual
	opTextNotEqual
	opTextLess
	opTextAtMost
	opTextGreater
	opTextAtLeast
)

// operatorOf finds an operator by its spelling. "=" means at least, which comes from
// Nova's memory filter.
func operatorOf(word string) operator {
	switch word {
	case "=", ">=":
		return opAtLeast
	case "==":
		return opEqual
	case "!=":
		return opNotEqual
	case "<=":
		return opAtMost
	case "<in>":
		return opIn
	case "<is>":
		return opIs
	case "<or>":
		return opOr
	}
	return textOperatorOf(word)
}

func textOperatorOf(word string) operator {
	switch word {
	case "s==":
		return opTextEqual
	case "s!=":
		return opTextNotEqual
	case "s<":
		return opTextLess
	case "s<=":
		return opTextAtMost
	case "s>":
		return opTextGreater
	case "s>=":
		return opTextAtLeast
	}
	return opPlain
}

// Requirement is the value of one extra spec, compiled: "<= 800",
// "<is> True", "<or> iSCSI <or> FC" or plain text. It is immutable and may be
// used by any number of goroutines. The zero Requirement is plain empty text.
//
// What it accepts is what cinder/scheduler/filters/extra_specs_ops.py accepts.
type Requirement struct {
	text     string
	op       operator
	word     string   // the operator as written
	operand  string   // the one word that the operator compares
	empty    bool     // nothing follows the operator
	number   float64  // operand as a number
	isNumber bool     // whether it is one
	isTrue   bool     // operand as a boolean
	choices  []string // of <or>
}

// CompileRequirement compiles the value of an extra spec. There is no error: a text
// without an operator is compared as a whole.
func CompileRequirement(text string) Requirement {
	r := Requirement{text: text}
	words := python.Fields(text)
	if len(words) == 0 {
		return r
	}
	r.op = operatorOf(words[0])
	if r.op == opPlain {
		return r
	}
	r.word, words = words[0], words[1:]
	if r.empty = len(words) == 0; r.empty {
		return r
	}
	r.operand = words[0]
	r.number, r.isNumber = python.ParseFloat(r.operand)
	r.isTrue = python.IsTrueWord(r.operand)
	if r.op == opOr {
		// Every second word is read as another <or>, whatever it is.
		for i := 0; i < len(words); i += 2 {
			r.choices = append(r.choices, words[i])
		}
	}
	return r
}

// NullRequirement is met only by a capability that is null.
func NullRequirement() Requirement { return Requirement{op: opNull} }

// IsText reports whether Cinder finds no operator in the requirement, and compares the
// whole text.
func (r Requirement) IsText() bool { return r.op == opPlain }

// String returns the requirement as it was written.
func (r Requirement) String() string {
	if r.op == opNull {
		return "None"
	}
	return r.text
}

// match reports whether one value meets the requirement. An error is an exception
// that Cinder does not catch, so that the whole request fails: "<in>" with a number,
// for example, or an "<or>" without a choice. match does not allocate unless it
// returns an error.
func (r *Requirement) match(v capability.Value) (bool, error) {
	switch {
	case r.op == opNull:
		return v.IsNull(), nil
	case r.op == opPlain:
		s, ok := v.Str()
		return ok && s == r.text, nil
	case v.IsNull():
		return false, nil
	case r.op == opOr:
		return r.matchChoice(v)
	case r.empty:
		return false, nil
	}
	switch r.op {
	case opEqual, opNotEqual, opAtLeast, opAtMost:
		return r.matchNumber(v)
	case opIs:
		return python.IsTrue(v) == r.isTrue, nil
	case opIn:
		return r.matchMember(v)
	}
	return r.matchText(v)
}

// MatchCapability reports whether a capability meets the requirement for the
// CapabilitiesFilter: of a list, one member is enough (capabilities_filter.py).
func (r *Requirement) MatchCapability(v capability.Value) (bool, error) {
	list, ok := v.List()
	if !ok {
		return r.match(v)
	}
	for i := range list {
		if ok, err := r.match(list[i]); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (r *Requirement) matchChoice(v capability.Value) (bool, error) {
	if r.empty {
		return false, fmt.Errorf("compare with %q: no choice follows", r.text)
	}
	s, ok := v.Str()
	return ok && slices.Contains(r.choices, s), nil
}

func (r *Requirement) matchNumber(v capability.Value) (bool, error) {
	x, ok, err := python.Float(v)
	switch {
	case err != nil:
		return false, fmt.Errorf("compare with %q: %w", r.text, err)
	case !ok || !r.isNumber:
		return false, nil
	}
	return r.holds(x), nil
}

// comparesNumbers reports whether the requirement compares a number with one.
func (r *Requirement) comparesNumbers() bool {
	return r.isNumber && (r.op == opEqual || r.op == opNotEqual || r.op == opAtLeast || r.op == opAtMost)
}

// holds compares a number, if comparesNumbers.
func (r *Requirement) holds(x float64) bool {
	switch r.op {
	case opEqual:
		return x == r.number
	case opNotEqual:
		return x != r.number
	case opAtMost:
		return x <= r.number
	}
	return x >= r.number
}

func (r *Requirement) matchMember(v capability.Value) (bool, error) {
	switch v.Kind() {
	case capability.String:
		s, _ := v.Str()
		return strings.Contains(s, r.operand), nil
	case capability.List:
		list, _ := v.List()
		return slices.ContainsFunc(list, r.isOperand), nil
	case capability.Map:
		set, _ := v.Set()
		_, ok := set[r.operand]
		return ok, nil
	}
	return false, fmt.Errorf("compare with %q: %s %s has no members", r.text, v.Kind(), v)
}

func (r *Requirement) isOperand(v capability.Value) bool {
	s, ok := v.Str()
	return ok && s == r.operand
}

func (r *Requirement) matchText(v capability.Value) (bool, error) {
	s, ok := v.Str()
	switch {
	case r.op == opTextEqual:
		return ok && s == r.operand, nil
	case r.op == opTextNotEqual:
		return !ok || s != r.operand, nil
	case !ok:
		return false, fmt.Errorf("compare with %q: %s %s is not text", r.text, v.Kind(), v)
	}
	switch r.op {
	case opTextLess:
		return s < r.operand, nil
	case opTextAtMost:
		return s <= r.operand, nil
	case opTextGreater:
		return s > r.operand, nil
	}
	return s >= r.operand, nil
}
