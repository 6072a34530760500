package cinder

import (
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

type queryFunc = func(args []capability.Value) (capability.Value, error)

// queryOperator returns the operator of that name, nil if there is none.
func queryOperator(name string) queryFunc {
	switch name {
	case "=":
		return comparing(func(a, b capability.Value) (bool, error) { return python.Equal(a, b), nil })
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

func falsy(v capability.Value) bool { return !python.Bool(v) }

func anyTrue(values []capability.Value) bool { return slices.ContainsFunc(values, python.Bool) }

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
		c, err := python.Compare(a, b)
		return accepts(c), err
	})
}

func memberOf(args []capability.Value) (capability.Value, error) {
	found := len(args) > 1 && slices.ContainsFunc(args[1:], func(v capability.Value) bool { return python.Equal(args[0], v) })
	return capability.OfBool(found), nil
}

func negated(args []capability.Value) (capability.Value, error) {
	out := make([]capability.Value, len(args))
	for i := range args {
		out[i] = capability.OfBool(!python.Bool(args[i]))
	}
	return capability.OfList(out...), nil
}
