package function

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

type operandKind uint8

const (
	absent operandKind = iota
	unusable
	boolean
	integer
	float
	bigInt // an integer beyond 64 bits
	text
	list
)

// Operand is a value of a function. It is immutable, and small
// enough to be passed in registers. The zero Operand means that there is no
// value; reading it is an error.
type Operand struct {
	kind operandKind
	bits uint64 // of a boolean, integer or float
	box  *boxed // of everything else
}

// boxed is the part of an operand that does not fit in 64 bits.
type boxed struct {
	text string // or why the value cannot be used
	list []Operand
	int  *big.Int
}

// OperandOf converts a capability as Cinder does: what Python's int() accepts becomes
// an integer, so that true is 1, "12" is 12 and 0.99 is 0; other text is a float if
// Python's float() accepts it, else text without its quotes. A null, a list or an
// object cannot be used, which is an error when a function reads it.
func OperandOf(v capability.Value) Operand {
	switch v.Kind() {
	case capability.Bool:
		if b, _ := v.Bool(); b {
			return ofInt(1)
		}
		return ofInt(0)
	case capability.Int:
		if i, ok := v.Int(); ok {
			return ofInt(i)
		}
		return operandOfText(v.String())
	case capability.Float:
		f, _ := v.Float()
		return truncated(f)
	case capability.String:
		s, _ := v.Str()
		return operandOfText(s)
	}
	return Operand{kind: unusable, box: &boxed{text: v.Kind().String()}}
}

// truncated is Python's int() of a float.
func truncated(f float64) Operand {
	switch {
	case math.IsNaN(f):
		return ofFloat(f)
	case math.IsInf(f, 0):
		return Operand{kind: unusable, box: &boxed{text: "infinite number"}}
	case math.Abs(f) < 1<<62:
		return ofInt(int64(f))
	}
	i, _ := big.NewFloat(f).Int(nil)
	return ofBig(i)
}

// maxIntDigits is sys.int_info.default_max_str_digits: what Python's int()
// does not read.
const maxIntDigits = 4300

// operandOfText is how Cinder reads a word, a number or a quoted text of a function,
// and a capability that is text.
func operandOfText(s string) Operand {
	if i, ok := parseInt(s); ok {
		return i
	}
	if f, ok := python.ParseFloat(s); ok {
		return ofFloat(f)
	}
	return ofText(strings.Map(dropQuotes, s))
}

func dropQuotes(r rune) rune {
	if r == '"' || r == '\'' {
		return -1
	}
	return r
}

// parseInt is Python's int() of text.
func parseInt(s string) (Operand, bool) {
	s, ok := python.PlainNumber(s)
	if !ok {
		return Operand{}, false
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return ofInt(i), true
	}
	digits := s
	if s[0] == '+' || s[0] == '-' {
		digits = s[1:]
	}
	rest, n := python.SkipDigits(digits)
	if rest != "" || n == 0 || n > maxIntDigits {
		return Operand{}, false
	}
	i, ok := new(big.Int).SetString(s, 10)
	return ofBig(i), ok
}

func ofInt(i int64) Operand     { return Operand{kind: integer, bits: uint64(i)} }
func ofFloat(f float64) Operand { return Operand{kind: float, bits: math.Float64bits(f)} }
func ofText(s string) Operand   { return Operand{kind: text, box: &boxed{text: s}} }

func ofList(l []Operand) Operand { return Operand{kind: list, box: &boxed{list: l}} }

func ofBool(b bool) Operand {
	if b {
		return Operand{kind: boolean, bits: 1}
	}
	return Operand{kind: boolean}
}

// ofBig keeps integers in 64 bits where they fit.
func ofBig(i *big.Int) Operand {
	if i.IsInt64() {
		return ofInt(i.Int64())
	}
	return Operand{kind: bigInt, box: &boxed{int: i}}
}

func (o Operand) int64() int64     { return int64(o.bits) }
func (o Operand) float64() float64 { return math.Float64frombits(o.bits) }

// isSmall reports whether o is a boolean or an integer of 64 bits.
func (o Operand) isSmall() bool { return o.kind == integer || o.kind == boolean }

// isWhole reports whether o is one of Python's integers, which booleans are.
func (o Operand) isWhole() bool { return o.isSmall() || o.kind == bigInt }

func (o Operand) isNumber() bool { return o.kind == float || o.isWhole() }

// bigInt returns a whole number at any size. It must not be changed.
func (o Operand) bigInt() *big.Int {
	if o.kind == bigInt {
		return o.box.int
	}
	return big.NewInt(o.int64())
}

// toFloat converts a number; ok is false for an integer too large for it.
func (o Operand) toFloat() (f float64, ok bool) {
	switch o.kind {
	case float:
		return o.float64(), true
	case bigInt:
		f, _ := new(big.Float).SetInt(o.box.int).Float64()
		return f, !math.IsInf(f, 0)
	}
	return float64(o.int64()), true
}

// Bool returns the boolean, and whether the operand is one. Cinder's
// GoodnessWeigher reads true as 100.
func (o Operand) Bool() (b, ok bool) { return o.bits == 1, o.kind == boolean }

// Float returns the number, and whether the operand is one. A boolean is 0 or
// 1; an integer beyond the range of a float is infinite.
func (o Operand) Float() (float64, bool) {
	if !o.isNumber() {
		return 0, false
	}
	f, _ := o.toFloat()
	return f, true
}

// Truth is Python's bool(): whether a filter function with this result passes.
func (o Operand) Truth() bool {
	switch o.kind {
	case boolean, integer:
		return o.bits != 0
	case float:
		return o.float64() != 0
	case text:
		return o.box.text != ""
	case list:
		return len(o.box.list) > 0
	}
	return o.kind == bigInt
}

// String returns the operand as Python prints it.
func (o Operand) String() string {
	switch o.kind {
	case boolean, integer, float:
		return o.scalar().String()
	case bigInt:
		return o.box.int.String()
	case text:
		return o.box.text
	case list:
		parts := make([]string, len(o.box.list))
		for i, member := range o.box.list {
			parts[i] = member.repr()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case unusable:
		return "(" + o.box.text + ")"
	}
	return "(absent)"
}

func (o Operand) repr() string {
	if o.kind == text {
		return python.Quote(o.box.text)
	}
	return o.String()
}

func (o Operand) scalar() capability.Value {
	switch o.kind {
	case boolean:
		return capability.OfBool(o.bits == 1)
	case float:
		return capability.OfFloat(o.float64())
	}
	return capability.OfInt(o.int64())
}

// describe names an operand in an error message.
func (o Operand) describe() string {
	switch o.kind {
	case boolean:
		return "boolean " + o.String()
	case integer, bigInt, float:
		return "number " + shorten(o.String())
	case text:
		return "text " + shorten(o.repr())
	case list:
		return "a list"
	}
	return o.String()
}

func shorten(s string) string {
	const limit = 40
	if len(s) > limit {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:limit], ""), len(s))
	}
	return s
}
