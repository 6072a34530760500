package function

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"

	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Python's integers and texts may grow without end. Here a result beyond
// these sizes is an error; no placement depends on one.
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
		return joinTexts(a.big.text, b.big.text)
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

// extend is Python's += on a list, which takes the characters of a text.
func extend(a, b Operand) (Operand, error) {
	var more []Operand
	switch b.kind {
	case list:
		more = b.big.list
	case text:
		for _, r := range b.big.text {
			more = append(more, ofText(string(r)))
		}
	default:
		return Operand{}, mismatch("add", a, b)
	}
	if len(a.big.list)+len(more) > maxLength {
		return Operand{}, errTooLong
	}
	return ofList(append(a.big.list[:len(a.big.list):len(a.big.list)], more...)), nil
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

// repeat is Python's text or list times an integer; none at all if negative. An
// integer of more than 64 bits is refused before anything else is looked at.
func repeat(a, times Operand) (Operand, error) {
	if a.kind != text && a.kind != list || !times.isWhole() {
		return Operand{}, mismatch("multiply", a, times)
	}
	if !times.isSmall() {
		return Operand{}, errTooLarge
	}
	n := int(min(max(times.int64(), 0), maxLength+1))
	if a.kind == text {
		if len(a.big.text)*n > maxLength {
			return Operand{}, errTooLong
		}
		return ofText(strings.Repeat(a.big.text, n)), nil
	}
	if len(a.big.list)*n > maxLength {
		return Operand{}, errTooLong
	}
	var all []Operand
	for range n {
		all = append(all, a.big.list...)
	}
	return ofList(all), nil
}

// divide is a / float(b): a text that reads as a number will do as divisor.
func divide(a, b Operand) (Operand, error) {
	if b.kind == text {
		if f, ok := python.ParseFloat(b.big.text); ok {
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
// an infinity that its operands do not explain.
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
	case huge:
		return ofBig(new(big.Int).Abs(a.big.int)), nil
	}
	return Operand{}, fmt.Errorf("cannot take abs of %s", a.describe())
}
