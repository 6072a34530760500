package cinder

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Explain states why a capability does not meet the requirement, as it was written:
// "total_volumes 912 is not <= 800". It does not check that the value is refused.
func (r *Requirement) Explain(key string, v capability.Value) string {
	shown := key + " " + python.String(v)
	if list, ok := v.List(); ok && len(list) == 0 {
		return key + " is an empty list"
	}
	if why := r.explainTrap(v); why != "" {
		return shown + " " + why
	}
	switch r.op {
	case opNull:
		return shown + " is not null"
	case opOr:
		return shown + " is not " + strings.Join(r.choices, " or ")
	case opIn:
		return shown + " does not contain " + r.operand
	case opIs:
		return shown + " is not " + map[bool]string{true: "true", false: "false"}[r.isTrue]
	case opEqual, opTextEqual, opAtMost, opAtLeast, opTextLess, opTextAtMost, opTextGreater, opTextAtLeast:
		return shown + " is not " + r.word + " " + r.operand
	case opNotEqual, opTextNotEqual:
		return shown + " is " + r.operand
	}
	return shown + " is not " + quoteUnlessWord(r.text)
}

// explainTrap is for the cases in which no value of this kind can pass.
func (r *Requirement) explainTrap(v capability.Value) string {
	switch r.op {
	case opPlain:
		return r.explainPlain(v)
	case opNull:
		return ""
	}
	switch {
	case v.IsNull():
		return "meets no operator"
	case r.empty:
		return "cannot meet " + strconv.Quote(r.text) + ": nothing follows the operator"
	}
	switch r.op {
	case opEqual, opNotEqual, opAtMost, opAtLeast:
		if !r.isNumber {
			return "cannot meet " + strconv.Quote(r.text) + ": " + r.operand + " is not a number"
		}
		if s, ok := v.Str(); ok {
			if _, ok := python.ParseFloat(s); !ok {
				return "is not a number, which " + r.word + " needs"
			}
		}
	}
	return ""
}

// explainPlain is for the most frequent mistakes: a boolean or a number compared
// with a plain text, and an operator that Cinder does not find because no blank
// follows it.
func (r *Requirement) explainPlain(v capability.Value) string {
	what := map[capability.Kind]string{capability.Bool: "a boolean", capability.Int: "a number", capability.Float: "a number"}[v.Kind()]
	text, hasOperator := r.Meant(v), HasOperator(r.text)
	switch {
	case text != "" && hasOperator:
		return "is compared with a text, because Cinder finds no operator in it: write " + strconv.Quote(text) + " instead of " + quoteUnlessWord(r.text)
	case text != "" && what != "":
		return "is " + what + ", which text never equals: write " + strconv.Quote(text) + " instead of " + quoteUnlessWord(r.text)
	case what != "":
		return "is " + what + ", which the text " + quoteUnlessWord(r.text) + " never equals"
	}
	return ""
}

// quoteUnlessWord quotes a text that is empty, or has blanks or unprintable
// characters.
func quoteUnlessWord(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return python.IsSpace(r) || !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

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

// Meant is what to write instead of a text in which Cinder finds no operator, so that
// it is compared with v as it was meant: "<is> True" instead of "<is>True" or "True".
// It is "" where Cinder reads the text as it was meant, or where no operator can
// compare the two.
func (r *Requirement) Meant(v capability.Value) string {
	if r.op != opPlain {
		return ""
	}
	if list, ok := v.List(); ok {
		for i := range list {
			if text := r.Meant(list[i]); text != "" {
				return text
			}
		}
		return ""
	}
	text := r.meant(v)
	fixed := CompileRequirement(text)
	if _, err := fixed.MatchCapability(v); err != nil || text == r.text {
		return ""
	}
	return text
}

func (r *Requirement) meant(v capability.Value) string {
	op, operand := leadingOperator(r.text)
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

// choicesOf writes "FC<or>iSCSI" with blanks.
func choicesOf(operand string) string {
	var b strings.Builder
	for choice := range strings.SplitSeq(strings.ReplaceAll(operand, "<OR>", "<or>"), "<or>") {
		if choice = python.Trim(choice); !oneWord(choice) {
			return ""
		}
		b.WriteString(" <or> " + choice)
	}
	return strings.TrimPrefix(b.String(), " ")
}

func oneWord(s string) bool { return len(python.Fields(s)) == 1 }
