package cinder

import (
	"fmt"
	"math"
	"strconv"

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
	if v.Kind() == capability.String {
		return 0, false
	}
	f, ok, err := numberOf(v)
	return f, ok && err == nil
}

// toFloat is Python's float(v).
func toFloat(v capability.Value) (float64, error) {
	f, ok, err := numberOf(v)
	if err == nil && !ok {
		err = fmt.Errorf("%q is not a number", v.String())
	}
	return f, err
}

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
