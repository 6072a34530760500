package cinder

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// truthy is Python's bool(v).
func truthy(v capability.Value) bool {
	switch v.Kind() {
	case capability.Bool:
		b, _ := v.Bool()
		return b
	case capability.Int, capability.Float:
		f, _ := v.Float()
		return f != 0
	case capability.String:
		return v.String() != ""
	case capability.List:
		l, _ := v.List()
		return len(l) > 0
	case capability.Map:
		s, _ := v.Set()
		return len(s) > 0
	}
	return false
}

// asNumber returns a value that Python can calculate with: booleans count as 0
// and 1.
func asNumber(v capability.Value) (float64, bool) {
	if b, ok := v.Bool(); ok {
		if b {
			return 1, true
		}
		return 0, true
	}
	return v.Float()
}

// toFloat is Python's float(v).
func toFloat(v capability.Value) (float64, error) {
	if f, ok := asNumber(v); ok {
		return f, nil
	}
	if s, ok := v.Str(); ok {
		return floatOfText(s)
	}
	return 0, fmt.Errorf("%s is not a number", v.Kind())
}

// floatOfText is Python's float(s): blanks around the number and single
// underscores between digits are fine, hexadecimal is not.
func floatOfText(s string) (float64, error) {
	text := strings.TrimSpace(s)
	if strings.ContainsAny(text, "xXpP") {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	text, ok := dropUnderscores(text)
	if !ok {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return f, nil
}

func dropUnderscores(s string) (string, bool) {
	if !strings.Contains(s, "_") {
		return s, true
	}
	for i := range len(s) {
		if s[i] == '_' && (i == 0 || i == len(s)-1 || !isDecimalDigit(s[i-1]) || !isDecimalDigit(s[i+1])) {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}

func isDecimalDigit(c byte) bool { return c >= '0' && c <= '9' }

// round2 is Python's round(x, 2): the exact binary value is rounded, so 2.675
// becomes 2.67.
func round2(x float64) float64 {
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
