package format

import (
	"math"
	"strconv"
	"strings"
)

// Missing stands in a table for a number that was not measured. It is never a
// zero.
const Missing = "-"

// Whole prints a number without its fraction, rounded.
func Whole(f float64) string { return strconv.FormatFloat(math.Round(f), 'f', 0, 64) }

// Decimal prints a number with one decimal.
func Decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// Significant prints a number in as many significant digits, without trailing
// zeros. A number with more digits before the point is printed whole.
func Significant(f float64, digits int) string {
	if math.Abs(f) >= math.Pow10(digits) {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', digits, 64)
}

// Percent prints a share, such as 0.5 as "50 %".
func Percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 0, 64) + " %" }

// Count prints a number with its noun: "1 array", "3 arrays".
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// listed is the number of names that a list shows.
const listed = 4

// List joins names as in a sentence: "a, b, c and 2 more".
func List(names []string) string {
	last := len(names) - 1
	switch {
	case last < 0:
		return "none"
	case last == 0:
		return names[0]
	case len(names) > listed:
		return strings.Join(names[:listed-1], ", ") + " and " + strconv.Itoa(len(names)-listed+1) + " more"
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Finite returns nil for NaN and the infinities, which JSON does not have.
func Finite(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}
