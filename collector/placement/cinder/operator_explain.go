package cinder

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Explain says why a capability does not meet the requirement, in the words of
// whoever wrote it: "total_volumes 912 is not <= 800". It does not check that
// the value is refused.
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
	return shown + " is not " + quoteIfOdd(r.text)
}

// explainTrap names the cases in which no value of this kind can ever pass.
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

// explainPlain helps with the most frequent mistakes: a boolean or a number
// compared with a plain text, and an operator that Cinder does not find because
// no blank follows it.
func (r *Requirement) explainPlain(v capability.Value) string {
	what := map[capability.Kind]string{capability.Bool: "a boolean", capability.Int: "a number", capability.Float: "a number"}[v.Kind()]
	text, odd := r.Meant(v), HasOperator(r.text)
	switch {
	case text != "" && odd:
		return "is compared with a text, because Cinder finds no operator in it: write " + strconv.Quote(text) + " instead of " + quoteIfOdd(r.text)
	case text != "" && what != "":
		return "is " + what + ", which text never equals: write " + strconv.Quote(text) + " instead of " + quoteIfOdd(r.text)
	case what != "":
		return "is " + what + ", which the text " + quoteIfOdd(r.text) + " never equals"
	}
	return ""
}

// quoteIfOdd leaves a plain word alone and quotes what would confuse in the
// middle of a sentence.
func quoteIfOdd(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return python.IsSpace(r) || !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
