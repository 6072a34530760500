package python

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// Bool is bool().
func Bool(v capability.Value) bool {
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

// IsTrue is bool_from_string for any value. Python prints a list with its
// brackets and a float with its point, so neither is ever a true word.
func IsTrue(v capability.Value) bool {
	switch v.Kind() {
	case capability.Bool:
		b, _ := v.Bool()
		return b
	case capability.Int:
		i, ok := v.Int()
		return ok && i == 1
	case capability.String:
		s, _ := v.Str()
		return IsTrueWord(s)
	}
	return false
}

// Equal is a == b: 1, 1.0 and True are the same.
func Equal(a, b capability.Value) bool {
	x, xIsNumber := Number(a)
	y, yIsNumber := Number(b)
	if xIsNumber || yIsNumber {
		return xIsNumber && yIsNumber && x == y && exactlyEqual(a, b)
	}
	if a.Kind() != b.Kind() {
		return false
	}
	if l, ok := a.List(); ok {
		m, _ := b.List()
		return slices.EqualFunc(l, m, Equal)
	}
	if s, ok := a.Set(); ok {
		t, _ := b.Set()
		return equalSets(s, t)
	}
	return a.Equal(b)
}

// exactlyEqual distinguishes integers that convert to the same float.
func exactlyEqual(a, b capability.Value) bool {
	i, aIsInt := a.Int()
	j, bIsInt := b.Int()
	return !aIsInt || !bIsInt || i == j
}

func equalSets(s, t capability.Set) bool {
	if len(s) != len(t) {
		return false
	}
	for key, v := range s {
		if w, ok := t[key]; !ok || !Equal(v, w) {
			return false
		}
	}
	return true
}

// Compare orders two values; an error means that Python has no order for
// them.
func Compare(a, b capability.Value) (int, error) {
	x, xIsNumber := Number(a)
	y, yIsNumber := Number(b)
	if xIsNumber && yIsNumber {
		i, iok := a.Int()
		j, jok := b.Int()
		if iok && jok {
			return cmp.Compare(i, j), nil
		}
		return cmp.Compare(x, y), nil
	}
	s, sIsText := a.Str()
	t, tIsText := b.Str()
	if sIsText && tIsText {
		return strings.Compare(s, t), nil
	}
	l, lIsList := a.List()
	m, mIsList := b.List()
	if lIsList && mIsList {
		return compareLists(l, m)
	}
	return 0, fmt.Errorf("compare %s %s with %s %s: there is no order between them", a.Kind(), a, b.Kind(), b)
}

func compareLists(l, m []capability.Value) (int, error) {
	for i := range min(len(l), len(m)) {
		if !Equal(l[i], m[i]) {
			return Compare(l[i], m[i])
		}
	}
	return cmp.Compare(len(l), len(m)), nil
}
