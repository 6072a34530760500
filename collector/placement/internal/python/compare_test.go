package python

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func parse(t *testing.T, text string) capability.Value {
	t.Helper()
	var v capability.Value
	if err := v.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// The expected values are those of bool() in Python 3, and of
// oslo_utils.strutils.bool_from_string.
func TestTruth(t *testing.T) {
	for text, want := range map[string]struct{ truth, isTrue bool }{
		`true`: {true, true}, `false`: {}, `1`: {true, true}, `2`: {true, false}, `0.0`: {}, `0.5`: {true, false},
		`""`: {}, `"no"`: {true, false}, `"yes"`: {true, true}, `[]`: {}, `[0]`: {true, false}, `{}`: {}, `{"a":1}`: {true, false}, `null`: {},
	} {
		v := parse(t, text)
		if Bool(v) != want.truth || IsTrue(v) != want.isTrue {
			t.Errorf("%s: Bool %v, IsTrue %v, want %v", text, Bool(v), IsTrue(v), want)
		}
	}
}

// The expected values are those of == and < in Python 3.
func TestEqualAndCompare(t *testing.T) {
	const none = 9 // Python has no order
	for _, c := range []struct {
		a, b  string
		equal bool
		order int
	}{
		{`1`, `1.0`, true, 0},
		{`1`, `true`, true, 0},
		{`9007199254740993`, `9007199254740992`, false, 1},
		{`1`, `"1"`, false, none},
		{`"a"`, `"b"`, false, -1},
		{`[1, 2]`, `[1.0, 2]`, true, 0},
		{`[1, 2]`, `[1, 3]`, false, -1},
		{`[1]`, `[1, 3]`, false, -1},
		{`[1]`, `["x"]`, false, none},
		{`{"a": 1}`, `{"a": true}`, true, none},
		{`{"a": 1}`, `{"b": 1}`, false, none},
		{`{"a": 1}`, `{}`, false, none},
		{`null`, `null`, true, none},
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		if Equal(a, b) != c.equal {
			t.Errorf("%s == %s is %v", c.a, c.b, !c.equal)
		}
		order, err := Compare(a, b)
		if (err != nil) != (c.order == none) || err == nil && order != c.order {
			t.Errorf("%s and %s are in order %d (%v), want %d", c.a, c.b, order, err, c.order)
		}
	}
}
