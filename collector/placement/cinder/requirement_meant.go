package cinder

import (
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// writtenOperator is an operator as people write it, with Cinder's for numbers and
// for text.
type writtenOperator struct{ written, number, text string }

// writtenOperators lists longer ones first. Cinder has no "less than" for numbers.
func writtenOperators() []writtenOperator {
	return []writtenOperator{
		{"<is>", "==", "s=="},
		{"<in>", "==", "<in>"},
		{"<or>", "==", "<or>"},
		{"s==", "==", "s=="},
		{"s!=", "!=", "s!="},
		{"s<=", "<=", "s<="},
		{"s>=", ">=", "s>="},
		{"<=", "<=", "s<="},
		{"=<", "<=", "s<="},
		{">=", ">=", "s>="},
		{"=>", ">=", "s>="},
		{"==", "==", "s=="},
		{"!=", "!=", "s!="},
		{"<>", "!=", "s!="},
		{"s<", "<=", "s<"},
		{"s>", ">=", "s>"},
		{"<", "<=", "s<"},
		{">", ">=", "s>"},
		{"=", "==", "s=="},
	}
}

// leadingOperator splits a condition as people write it: "<is>True", "<800",
// "=> 5". Without an operator, written is "".
func leadingOperator(text string) (op writtenOperator, operand string) {
	text = python.Trim(text)
	for _, s := range writtenOperators() {
		if len(text) >= len(s.written) && strings.EqualFold(text[:len(s.written)], s.written) {
			return s, python.Trim(text[len(s.written):])
		}
	}
	return writtenOperator{number: "==", text: "s=="}, text
}

// HasOperator reports whether a text begins with an operator, also one that Cinder
// does not have.
func HasOperator(text string) bool {
	op, _ := leadingOperator(text)
	return op.written != ""
}

// Meant is what to write instead of a text in which Cinder finds no operator, or one
// that cannot compare its operand with v, so that it is compared as it was meant:
// "<is> True" instead of "<is>True", "True" or "<is> <is>True". It is "" where v meets
// the requirement, where Cinder reads the text as it was meant, and where no operator
// can compare the two.
func (r *Requirement) Meant(v capability.Value) string {
	if list, ok := v.List(); ok {
		for i := range list {
			if text := r.Meant(list[i]); text != "" {
				return text
			}
		}
		return ""
	}
	ok, err := r.match(v)
	switch {
	case r.op == opNull, ok && err == nil, r.op != opPlain && !r.trapped(v), r.comparesNumbers():
		return ""
	}
	text := meant(r.text, v)
	fixed := CompileRequirement(text)
	if _, err := fixed.match(v); err != nil || text == r.text || text == "" || fixed.trapped(v) {
		return ""
	}
	return text
}

// meant writes a condition for a value. Of an operator that follows another one, as in
// "<is> <is>True", the second is the one that was meant.
func meant(condition string, v capability.Value) string {
	op, operand := leadingOperator(condition)
	if op.written != "" && HasOperator(operand) {
		return meant(operand, v)
	}
	switch v.Kind() {
	case capability.Bool:
		return op.boolean(operand)
	case capability.Int, capability.Float:
		return op.numeric(operand)
	case capability.String:
		s, _ := v.Str()
		if _, ok := python.ParseFloat(s); ok && op.written != "" {
			if text := op.numeric(operand); text != "" {
				return text
			}
		}
		return op.textual(operand)
	case capability.Map:
		if op.written == "<in>" && oneWord(operand) {
			return "<in> " + operand
		}
	}
	return ""
}

// Respell writes a condition as Cinder reads it, for a capability of unknown type:
// "<=800" is "<= 800", "==True" is "<is> True".
func Respell(text string) string {
	op, operand := leadingOperator(text)
	for _, respelt := range []string{op.numeric(operand), op.boolean(operand), op.textual(operand)} {
		if respelt != "" {
			return respelt
		}
	}
	return text
}

func (s writtenOperator) numeric(operand string) string {
	if _, ok := python.ParseFloat(operand); !ok || !oneWord(operand) {
		return ""
	}
	return s.number + " " + operand
}

func (s writtenOperator) boolean(operand string) string {
	yes := python.IsTrueWord(operand)
	if !yes && !python.IsFalseWord(operand) {
		return ""
	}
	switch {
	case s.number == "!=" && yes:
		return "<is> False"
	case s.number == "!=":
		return "<is> True"
	case s.number == "==":
		return "<is> " + operand
	}
	return ""
}

func (s writtenOperator) textual(operand string) string {
	switch {
	case s.written == "" || operand == "":
		return ""
	case s.text == "<or>":
		return choicesOf(operand)
	case oneWord(operand):
		return s.text + " " + operand
	case s.text == "s==" && !HasOperator(operand):
		return operand // plain text is compared as a whole
	}
	return ""
}

// choicesOf writes "FC<or>iSCSI" with blanks, and "FC iSCSI" or "FC, iSCSI" with an
// operator before each choice.
func choicesOf(operand string) string {
	choices := strings.Split(strings.ReplaceAll(operand, "<OR>", "<or>"), "<or>")
	if len(choices) == 1 {
		choices = python.Fields(strings.ReplaceAll(operand, ",", " "))
	}
	var b strings.Builder
	for _, choice := range choices {
		if choice = python.Trim(choice); !oneWord(choice) {
			return ""
		}
		b.WriteString(" <or> " + choice)
	}
	return strings.TrimPrefix(b.String(), " ")
}

func oneWord(s string) bool { return len(python.Fields(s)) == 1 }
