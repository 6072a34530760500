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
	if !r.trapped(v) {
		return ""
	}
	return r.explainOperator(v) + r.instead(v)
}

// explainOperator is for an operator that cannot compare its operand with a value of
// this kind.
func (r *Requirement) explainOperator(v capability.Value) string {
	_, isText := v.Str()
	switch r.op {
	case opEqual, opNotEqual, opAtMost, opAtLeast:
		if !r.isNumber {
			return "cannot meet " + strconv.Quote(r.text) + ": " + r.operand + " is not a number"
		}
		return "is not a number, which " + r.word + " needs"
	case opIs:
		return "is compared with false, as which Cinder reads " + r.operand
	case opIn:
		return "is " + kindName(v) + ", and has no members for <in>"
	case opOr:
		if isText {
			return "is not " + strings.Join(r.choices, " or ") + ": Cinder reads every second word as another <or>"
		}
	case opTextEqual:
		if isText {
			return "is not " + r.operand + ": Cinder compares one word"
		}
	}
	return "is " + kindName(v) + ", and " + strconv.Quote(r.text) + " compares text"
}

// trapped reports whether no value of this kind can meet the requirement, or whether
// Cinder does not read all of it. A capability that meets it is not trapped.
func (r *Requirement) trapped(v capability.Value) bool {
	s, isText := v.Str()
	words := python.Fields(r.text)
	switch r.op {
	case opEqual, opNotEqual, opAtMost, opAtLeast:
		_, isNumber := python.ParseFloat(s)
		return !r.isNumber || isText && !isNumber
	case opIs:
		return !r.isTrue && !python.IsFalseWord(r.operand)
	case opIn:
		return v.Kind() == capability.Bool || v.Kind() == capability.Int || v.Kind() == capability.Float
	case opOr:
		return !isText || r.skipsWords(words)
	case opTextEqual:
		return !isText || len(words) > 2
	case opTextLess, opTextAtMost, opTextGreater, opTextAtLeast:
		return !isText
	}
	return false
}

// skipsWords reports whether a word that <or> skips is not another <or>.
func (r *Requirement) skipsWords(words []string) bool {
	for i := 2; i < len(words); i += 2 {
		if words[i] != r.word {
			return true
		}
	}
	return false
}

// instead is the advice that follows an explanation, or "".
func (r *Requirement) instead(v capability.Value) string {
	if text := r.Meant(v); text != "" {
		return ": write " + strconv.Quote(text) + " instead of " + quoteUnlessWord(r.text)
	}
	return ""
}

// kindName is the kind of a value in an explanation.
func kindName(v capability.Value) string {
	switch v.Kind() {
	case capability.Bool:
		return "a boolean"
	case capability.Int, capability.Float:
		return "a number"
	case capability.List:
		return "a list"
	case capability.Map:
		return "an object"
	}
	return "a text"
}

// explainPlain is for the most frequent mistakes: a boolean or a number compared
// with a plain text, and an operator that Cinder does not find because no blank
// follows it.
func (r *Requirement) explainPlain(v capability.Value) string {
	kind := v.Kind()
	isPlain := kind == capability.Bool || kind == capability.Int || kind == capability.Float
	instead := r.instead(v)
	switch {
	case instead != "" && HasOperator(r.text):
		return "is compared with a text, because Cinder finds no operator in it" + instead
	case instead != "" && isPlain:
		return "is " + kindName(v) + ", which text never equals" + instead
	case isPlain:
		return "is " + kindName(v) + ", which the text " + quoteUnlessWord(r.text) + " never equals"
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
