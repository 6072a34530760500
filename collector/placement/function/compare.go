package function

import (
	"math"
	"math/big"
)

// comparison is an operator between two operands.
type comparison uint8

const (
	equal comparison = iota
	unequal
	less
	lessOrEqual
	greater
	greaterOrEqual
)

func comparisonOf(op string) comparison {
	switch op {
	case "<":
		return less
	case "<=":
		return lessOrEqual
	case ">":
		return greater
	case ">=":
		return greaterOrEqual
	case "==":
		return equal
	}
	return unequal
}

func (c comparison) holds(a, b Operand) (bool, error) {
	if a.isSmall() && b.isSmall() {
		return c.accepts(compareOrdered(a.int64(), b.int64())), nil
	}
	switch {
	case a.isNumber() && b.isNumber():
		return c.accepts(compareNumbers(a, b)), nil
	case a.kind == text && b.kind == text:
		return c.accepts(compareOrdered(a.big.text, b.big.text)), nil
	case a.kind == list && b.kind == list:
		return c.holdsForLists(a.big.list, b.big.list)
	case c == equal || c == unequal:
		return c == unequal, nil
	}
	return false, mismatch("compare", a, b)
}

// unordered is the outcome of comparing with NaN.
const unordered = 2

func (c comparison) accepts(order int) bool {
	switch c {
	case equal:
		return order == 0
	case unequal:
		return order != 0
	case less:
		return order == -1
	case lessOrEqual:
		return order == -1 || order == 0
	case greater:
		return order == 1
	}
	return order == 1 || order == 0
}

func compareOrdered[T int64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return unordered
}

// compareNumbers compares exactly: Python does not round a large integer to a
// float to compare the two.
func compareNumbers(a, b Operand) int {
	switch {
	case a.kind == float && b.kind == float:
		return compareOrdered(a.float64(), b.float64())
	case a.kind == float:
		return compareFloatWhole(a.float64(), b)
	case b.kind == float:
		if order := compareFloatWhole(b.float64(), a); order != unordered {
			return -order
		}
		return unordered
	}
	return a.bigInt().Cmp(b.bigInt())
}

func compareFloatWhole(f float64, i Operand) int {
	const exact = 1 << 53
	switch {
	case math.IsNaN(f):
		return unordered
	case math.IsInf(f, 0):
		return compareOrdered(f, 0)
	case i.isSmall() && i.int64() > -exact && i.int64() < exact:
		return compareOrdered(f, float64(i.int64()))
	}
	return big.NewFloat(f).Cmp(new(big.Float).SetInt(i.bigInt()))
}

// holdsForLists compares the first members that differ, else the lengths.
func (c comparison) holdsForLists(a, b []Operand) (bool, error) {
	for i := range min(len(a), len(b)) {
		if same, err := equal.holds(a[i], b[i]); err != nil || !same {
			if c == equal || c == unequal || err != nil {
				return c == unequal, err
			}
			return c.holds(a[i], b[i])
		}
	}
	return c.accepts(compareOrdered(int64(len(a)), int64(len(b)))), nil
}
