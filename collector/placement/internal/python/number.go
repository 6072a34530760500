package python

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

// Float is float(). ok is false for text that is not a number, which Cinder
// accepts as no match; err is set for a kind that has no number, which fails
// Cinder's request.
func Float(v capability.Value) (f float64, ok bool, err error) {
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
		f, ok = ParseFloat(s)
		return f, ok, nil
	}
	return 0, false, fmt.Errorf("%s is not a number", v.Kind())
}

// ParseFloat is float() of text.
func ParseFloat(s string) (float64, bool) {
	s, ok := PlainNumber(s)
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

// isDecimal reports whether s is an unsigned decimal number as Python reads it:
// digits with an optional point and exponent. Go accepts more.
func isDecimal(s string) bool {
	rest, whole := SkipDigits(s)
	fraction := 0
	if strings.HasPrefix(rest, ".") {
		rest, fraction = SkipDigits(rest[1:])
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
	rest, exponent := SkipDigits(rest)
	return rest == "" && exponent > 0
}

// SkipDigits returns what follows the leading digits, and their number.
func SkipDigits(s string) (rest string, n int) {
	for n < len(s) && IsDigit(s[n]) {
		n++
	}
	return s[n:], n
}

// IsDigit reports whether c is an ASCII digit.
func IsDigit(c byte) bool { return c >= '0' && c <= '9' }

// PlainNumber trims a number and converts it to ASCII digits without
// underscores. It is not ok if an underscore does not stand between digits or
// a character cannot be part of any number.
func PlainNumber(s string) (string, bool) {
	s = Trim(s)
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

// digitValue returns the value of a decimal digit of any script. Each script's
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

// Number returns a value that Python can calculate with: booleans count as 0
// and 1.
func Number(v capability.Value) (float64, bool) {
	if v.Kind() == capability.String {
		return 0, false
	}
	f, ok, err := Float(v)
	return f, ok && err == nil
}

// ToFloat is float(), with an error also for text that is not a number.
func ToFloat(v capability.Value) (float64, error) {
	f, ok, err := Float(v)
	if err == nil && !ok {
		err = fmt.Errorf("%q is not a number", v.String())
	}
	return f, err
}

// Round2 is round(x, 2): the exact binary value is rounded, so 2.675
// becomes 2.67.
func Round2(x float64) float64 {
	scaled := x * 100
	whole := math.RoundToEven(scaled)
	if math.Abs(scaled) < 1<<40 && math.Abs(math.Abs(scaled-whole)-0.5) > 1e-3 {
		return whole / 100 // far enough from a tie for the product's own rounding not to matter
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	var buf [352]byte
	exact, err := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], x, 'f', 2, 64)), 64)
	if err != nil {
		return x
	}
	return exact
}
