package cinder

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/poolcast/poolcast/collector/capability"
)

// Cinder leans on Python's own str.split(), float() and friends. They differ
// from Go's in details that an operator can meet: a non-breaking space pasted
// from a web page, an underscore in a number, "inf".

// isSpace is Python's str.isspace for one character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// fields is Python's str.split().
func fields(s string) []string { return strings.FieldsFunc(s, isSpace) }

// trim is Python's str.strip().
func trim(s string) string { return strings.TrimFunc(s, isSpace) }

// isTrueWord is oslo_utils.strutils.bool_from_string for text.
func isTrueWord(s string) bool {
	return isOneOf(trim(s), [...]string{"1", "t", "true", "on", "y", "yes"})
}

// isFalseWord is what strutils knows as false; every other word that is not true
// is false as well, unless asked strictly.
func isFalseWord(s string) bool {
	return isOneOf(trim(s), [...]string{"0", "f", "false", "off", "n", "no"})
}

func isOneOf(s string, words [6]string) bool {
	for _, word := range words {
		if len(s) == len(word) && strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

// isTrue is bool_from_string for any value. Python prints a list with its
// brackets and a float with its point, so neither is ever a true word.
func isTrue(v capability.Value) bool {
	switch v.Kind() {
	case capability.Bool:
		b, _ := v.Bool()
		return b
	case capability.Int:
		i, ok := v.Int()
		return ok && i == 1
	case capability.String:
		s, _ := v.Str()
		return isTrueWord(s)
	}
	return false
}

// numberOf is Python's float(). ok is false for text that is no number, which
// Cinder forgives; err is set for what has no number at all, which it does not.
func numberOf(v capability.Value) (f float64, ok bool, err error) {
	switch v.Kind() {
	case capability.Int, capability.Float:
		f, ok = v.Float()
		return f, ok, nil
	case capability.Bool:
		if b, _ := v.Bool(); b {
			return 1, true, nil
		}
		return 0, true, nil
	case capability.String:
		s, _ := v.Str()
		f, ok = parseFloat(s)
		return f, ok, nil
	}
	return 0, false, fmt.Errorf("%s is not a number", v.Kind())
}

// parseFloat is Python's float() of text.
func parseFloat(s string) (float64, bool) {
	s, ok := plainNumber(s)
	if !ok {
		return 0, false
	}
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 {
		return 0, false
	}
	if strings.EqualFold(unsigned, "nan") {
		return math.NaN(), true
	}
	if !strings.EqualFold(unsigned, "inf") && !strings.EqualFold(unsigned, "infinity") && !isDecimal(unsigned) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || errors.Is(err, strconv.ErrRange)
}

// isDecimal reports whether s is an unsigned decimal number: digits with an
// optional point and exponent, and nothing that only Go would read.
func isDecimal(s string) bool {
	rest, whole := skipDigits(s)
	fraction := 0
	if strings.HasPrefix(rest, ".") {
		rest, fraction = skipDigits(rest[1:])
	}
	if whole+fraction == 0 {
		return false
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	rest, exponent := skipDigits(rest)
	return rest == "" && exponent > 0
}

func skipDigits(s string) (rest string, n int) {
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[n:], n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// plainNumber trims a number and brings it to ASCII digits without
// underscores. It is not ok if an underscore does not stand between digits or
// a character cannot be part of any number.
func plainNumber(s string) (string, bool) {
	s = trim(s)
	for i := range len(s) {
		if s[i] == '_' || s[i] >= utf8.RuneSelf {
			return rewriteNumber(s)
		}
	}
	return s, s != ""
}

func rewriteNumber(s string) (string, bool) {
	var b strings.Builder
	previous := rune(0)
	for _, r := range s {
		if r >= utf8.RuneSelf {
			d, ok := digitValue(r)
			if !ok {
				return "", false
			}
			r = '0' + d
		}
		digit := r >= '0' && r <= '9'
		if r == '_' && (previous < '0' || previous > '9') || previous == '_' && !digit {
			return "", false
		}
		if r != '_' {
			b.WriteRune(r)
		}
		previous = r
	}
	return b.String(), previous != '_'
}

// digitValue returns what a decimal digit of any script counts. Each script's
// ten digits follow one another, from zero.
func digitValue(r rune) (rune, bool) {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10, true
		}
	}
	return 0, false
}
