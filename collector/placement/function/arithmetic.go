package function

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Python's integers and texts have no limit. Here a result beyond these sizes is an
// error; no placement depends on one.
const (
	maxBits   = 1 << 16
	maxLength = 1 << 16
)

var (
	errTooLarge  = errors.New("the number grows too large")
	errTooLong   = errors.New("the text or list grows too long")
	errDivision  = errors.New("division by zero")
	errComplex   = errors.New("a root of a negative number is not a real number")
	errFloatSize = errors.New("the integer is too large for a float")
	errOverflow  = errors.New("the result is too large for a float")
)

func mismatch(verb string, a, b Operand) error {
	return fmt.Errorf("cannot %s %s and %s", verb, a.describe(), b.describe())
}

func bounded(i *big.Int) (Operand, error) {
	if i.BitLen() > maxBits {
		return Operand{}, errTooLarge
	}
	return ofBig(i), nil
}

// floats converts both operands, as Python does when one of them is a float.
func floats(a, b Operand) (x, y float64, err error) {
	x, ok := a.toFloat()
	y, ok2 := b.toFloat()
	if !ok || !ok2 {
		return 0, 0, errFloatSize
	}
	return x, y, nil
}

func add(a, b Operand) (Operand, error) {
	if a.isSmall() && b.isSmall() {
		x, y := a.int64(), b.int64()
		if sum := x + y; (sum > x) == (y > 0) {
			return ofInt(sum), nil
		}
	}
	switch {
	case a.kind == text && b.kind == text:
		return joinTexts(a.box.text, b.box.text)
	case a.kind == list:
		return extend(a, b)
	case !a.isNumber() || !b.isNumber():
		return Operand{}, mismatch("add", a, b)
	case a.isWhole() && b.isWhole():
		return bounded(new(big.Int).Add(a.bigInt(), b.bigInt()))
	}
	x, y, err := floats(a, b)
	return ofFloat(x + y), err
}

func joinTexts(a, b string) (Operand, error) {
	if len(a)+len(b) > maxLength {
		return Operand{}, errTooLong
	}
	return ofText(a + b), nil
}

// extend is Python's += on a list, which appends the characters of a text.
func extend(a, b Operand) (Operand, error) {
	var more []Operand
	switch b.kind {
	case list:
		more = b.box.list
	case text:
		for _, r := range b.box.text {
			more = append(more, ofText(string(r)))
		}
	default:
		return Operand{}, mismatch("add", a, b)
	}
	if len(a.box.list)+len(more) > maxLength {
		return Operand{}, errTooLong
	}
	return ofList(append(a.box.list[:len(a.box.list):len(a.box.list)], more...)), nil
}

func subtract(a, b Operand) (Operand, error) {
	if a.isSmall() && b.isSmall() {
		x, y := a.int64(), b.int64()
		if difference := x - y; (difference < x) == (y > 0) {
			return ofInt(difference), nil
		}
	}
	switch {
	case !a.isNumber() || !b.isNumber():
		return Operand{}, mismatch("subtract", a, b)
	case a.isWhole() && b.isWhole():
		return bounded(new(big.Int).Sub(a.bigInt(), b.bigInt()))
	}
	x, y, err := floats(a, b)
	return ofFloat(x - y), err
}

func multiply(a, b Operand) (Operand, error) {
	if a.isSmall() && b.isSmall() {
		if product, ok := multiplySmall(a.int64(), b.int64()); ok {
			return ofInt(product), nil
		}
	}
	switch {
	case a.isWhole() && b.isWhole():
		if a.bigInt().BitLen()+b.bigInt().BitLen() > maxBits+1 {
			return Operand{}, errTooLarge
		}
		return bounded(new(big.Int).Mul(a.bigInt(), b.bigInt()))
	case a.isNumber() && b.isNumber():
		x, y, err := floats(a, b)
		return ofFloat(x * y), err
	case a.isWhole():
		return repeat(b, a)
	}
	return repeat(a, b)
}

func multiplySmall(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (x < 0) != (y < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// repeat is Python's text or list times an integer, empty if that is negative. An
// integer of more than 64 bits is an error before anything else is checked.
func repeat(a, times Operand) (Operand, error) {
	if a.kind != text && a.kind != list || !times.isWhole() {
		return Operand{}, mismatch("multiply", a, times)
	}
	if !times.isSmall() {
		return Operand{}, errTooLarge
	}
	n := int(min(max(times.int64(), 0), maxLength+1))
	if a.kind == text {
		if len(a.box.text)*n > maxLength {
			return Operand{}, errTooLong
		}
		return ofText(strings.Repeat(a.box.text, n)), nil
	}
	if len(a.box.list)*n > maxLength {
		return Operand{}, errTooLong
	}
	return ofList(slices.Repeat(a.box.list, n)), nil
}

// divide is a / float(b): a text that is a number may be the divisor.
func divide(a, b Operand) (Operand, error) {
	if b.kind == text {
		if f, ok := python.ParseFloat(b.box.text); ok {
			b = ofFloat(f)
		}
	}
	if !a.isNumber() || !b.isNumber() {
		return Operand{}, mismatch("divide", a, b)
	}
	x, y, err := floats(a, b)
	switch {
	case err != nil:
		return Operand{}, err
	case y == 0:
		return Operand{}, errDivision
	}
	return ofFloat(x / y), nil
}

func power(a, b Operand) (Operand, error) {
	switch {
	case !a.isNumber() || !b.isNumber():
		return Operand{}, mismatch("raise", a, b)
	case a.isWhole() && b.isWhole() && b.bigInt().Sign() >= 0:
		return powerWhole(a.bigInt(), b.bigInt())
	}
	x, y, err := floats(a, b)
	if err != nil {
		return Operand{}, err
	}
	return powerFloat(x, y)
}

func powerWhole(x, y *big.Int) (Operand, error) {
	if x.BitLen() <= 1 && y.BitLen() > 2 { // of -1, 0 and 1 only the parity counts
		y = big.NewInt(2 + int64(y.Bit(0)))
	}
	if !y.IsInt64() || int64(x.BitLen()-1)*min(y.Int64(), maxBits+1) > maxBits {
		return Operand{}, errTooLarge
	}
	return bounded(new(big.Int).Exp(x, y, nil))
}

// powerFloat is Python's float.__pow__, which raises where C returns a NaN or
// an infinity of finite operands.
func powerFloat(x, y float64) (Operand, error) {
	finite := !math.IsInf(x, 0) && !math.IsInf(y, 0)
	switch {
	case finite && x == 0 && y < 0:
		return Operand{}, errDivision
	case finite && x < 0 && y != math.Floor(y):
		return Operand{}, errComplex
	}
	z := math.Pow(x, y)
	if math.IsInf(z, 0) && finite {
		return Operand{}, errOverflow
	}
	return ofFloat(z), nil
}

func absolute(a Operand) (Operand, error) {
	switch a.kind {
	case float:
		return ofFloat(math.Abs(a.float64())), nil
	case boolean, integer:
		if i := a.int64(); i >= 0 {
			return ofInt(i), nil
		}
		return subtract(ofInt(0), a)
	case bigInt:
		return ofBig(new(big.Int).Abs(a.box.int)), nil
	}
	return Operand{}, fmt.Errorf("cannot take abs of %s", a.describe())
}

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
		return c.accepts(compareOrdered(a.box.text, b.box.text)), nil
	case a.kind == list && b.kind == list:
		return c.holdsForLists(a.box.list, b.box.list)
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
