package cinder

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

type queryFunc = func(args []capability.Value) (capability.Value, error)

// queryOperator returns the operator of that name, nil if there is none.
func queryOperator(name string) queryFunc {
	switch name {
	case "=":
		return comparing(func(a, b capability.Value) (bool, error) { return pythonEqual(a, b), nil })
	case "<":
		return ordering(func(c int) bool { return c < 0 })
	case ">":
		return ordering(func(c int) bool { return c > 0 })
	case "<=":
		return ordering(func(c int) bool { return c <= 0 })
	case ">=":
		return ordering(func(c int) bool { return c >= 0 })
	case "in":
		return memberOf
	case "not":
		return negated
	case "or":
		return func(args []capability.Value) (capability.Value, error) { return capability.OfBool(anyTrue(args)), nil }
	case "and":
		return func(args []capability.Value) (capability.Value, error) {
			return capability.OfBool(!slices.ContainsFunc(args, falsy)), nil
		}
	}
	return nil
}

func falsy(v capability.Value) bool { return !truthy(v) }

func anyTrue(values []capability.Value) bool { return slices.ContainsFunc(values, truthy) }

// comparing compares the first argument with each of the others. One argument
// alone compares with nothing, which is false.
func comparing(holds func(a, b capability.Value) (bool, error)) queryFunc {
	return func(args []capability.Value) (capability.Value, error) {
		all := len(args) > 1
		for i := 1; i < len(args); i++ {
			ok, err := holds(args[0], args[i])
			if err != nil {
				return capability.Value{}, err
			}
			all = all && ok
		}
		return capability.OfBool(all), nil
	}
}

func ordering(accepts func(c int) bool) queryFunc {
	return comparing(func(a, b capability.Value) (bool, error) {
		c, err := pythonCompare(a, b)
		return accepts(c), err
	})
}

func memberOf(args []capability.Value) (capability.Value, error) {
	found := len(args) > 1 && slices.ContainsFunc(args[1:], func(v capability.Value) bool { return pythonEqual(args[0], v) })
	return capability.OfBool(found), nil
}

func negated(args []capability.Value) (capability.Value, error) {
	out := make([]capability.Value, len(args))
	for i := range args {
		out[i] = capability.OfBool(!truthy(args[i]))
	}
	return capability.OfList(out...), nil
}

// pythonEqual is Python's a == b: 1, 1.0 and True are the same.
func pythonEqual(a, b capability.Value) bool {
	x, xIsNumber := asNumber(a)
	y, yIsNumber := asNumber(b)
	if xIsNumber || yIsNumber {
		return xIsNumber && yIsNumber && x == y && exactlyEqual(a, b)
	}
	if a.Kind() != b.Kind() {
		return false
	}
	if l, ok := a.List(); ok {
		m, _ := b.List()
		return slices.EqualFunc(l, m, pythonEqual)
	}
	if s, ok := a.Set(); ok {
		t, _ := b.Set()
		return equalSets(s, t)
	}
	return a.Equal(b)
}

// exactlyEqual tells integers apart that are one float.
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
		if w, ok := t[key]; !ok || !pythonEqual(v, w) {
			return false
		}
	}
	return true
}

// pythonCompare orders two values; an error means that Python has no order for
// them.
func pythonCompare(a, b capability.Value) (int, error) {
	x, xIsNumber := asNumber(a)
	y, yIsNumber := asNumber(b)
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
		if !pythonEqual(l[i], m[i]) {
			return pythonCompare(l[i], m[i])
		}
	}
	return cmp.Compare(len(l), len(m)), nil
}
