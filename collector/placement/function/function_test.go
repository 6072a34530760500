package function

import (
	"errors"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func testVars() Vars {
	return Vars{
		ScopeCapabilities: {
			"load_percent": capability.OfInt(7), "usec_per_write_op": capability.OfInt(153),
			"avg_latency_ms": capability.OfFloat(0.99), "multiattach": capability.OfBool(true),
			"protocol": capability.OfString("iSCSI"), "numeric_text": capability.OfString(" 1_2 "),
			"nothing_known": {}, "replication_type": capability.OfStrings("async"),
		},
		ScopeVolume: {"size": capability.OfInt(5)},
	}
}

// The expected values are the results of Cinder's evaluator.
func TestRunEvaluatesAsCinder(t *testing.T) {
	for expression, want := range map[string]string{
		"1 + 2 * 3 ^ 2":                    "19",
		"7 / 2":                            "3.5",
		"-2 ^ 2":                           "-4",
		"2 ^ 3 ^ 2":                        "512",
		"1 < 2 < 3 <= 3":                   "True",
		"!1 + 1":                           "False",
		"1 and 1 and 0":                    "1",
		"0 ? 1 : 0 ? 5 : 6":                "0",
		"max(1, 2.5, 2)":                   "2.5",
		"min('b', 'a')":                    "a",
		"max('abc')":                       "c",
		"abs(0 - 3) - abs 3":               "0",
		"4 / '2'":                          "2.0",
		"3 * 'ab'":                         "ababab",
		"(1, 2) + 'ab'":                    "[1, 2, 'a', 'b']",
		"- (1, 2)":                         "[]",
		`"it''s"`:                          "its",
		"inf":                              "inf",
		"99999999999999999999 * 10":        "999999999999999999990",
		"capabilities.avg_latency_ms":      "0",
		"capabilities.multiattach == True": "False",
		"capabilities.multiattach == 1":    "True",
		"capabilities.numeric_text + 1":    "13",
		"capabilities.protocol == 'iSCSI' ? 100 : 0":           "100",
		"100 * (1 / max(capabilities.usec_per_write_op, 1))":   "0.6535947712418301",
		"(capabilities.load_percent < 50) and volume.size < 9": "True",
	} {
		e, err := Compile(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		got, err := e.Eval(testVars())
		if err != nil || got.String() != want {
			t.Errorf("%s = %v (%v), Cinder has %s", expression, got, err, want)
		}
	}
}

func TestErrorHasColumnAndHint(t *testing.T) {
	for expression, want := range map[string]string{
		"":                                "column 1: the function is empty",
		"(1 + 2":                          "column 7: a parenthesis is not closed",
		"1 +":                             "column 4: the function ends",
		"volume.size = 5":                 `column 13: unexpected "="; compare with ==`,
		"2 ^ -1":                          "column 5: unexpected sign after ^; put a signed exponent in parentheses",
		"capabilities.p99_usec < 5":       "digit in the name capabilities.p99_usec",
		"volume.size < 1e6":               "units and exponents are not understood",
		"1 ? 2 and 3 : 4":                 "binds tighter than and",
		"5 % 2":                           "there is no remainder operator",
		"volume.size < 5 & 1":             "write &&",
		"'open":                           "check that each quote is closed",
		strings.Repeat("(", 18) + "1":     "runs out of stack",
		strings.Repeat("1+", 1<<15) + "1": "longer than 64 KiB",
		"capabilities.missing + 1":        "column 1: capabilities.missing has no value",
		"1 + capabilities.nothing_known":  "column 5: capabilities.nothing_known is of no use: Cinder's evaluator cannot read its null",
		"capabilities.replication_type":   "cannot read its list",
		"1 / 0":                           "column 3: division by zero",
		"volume.size + 'a'":               "cannot add number 5 and text 'a'",
		"volume.size and volume.size":     `volume.size followed by the word "and" is read as a function; write &&`,
		"sqrt(4)":                         "sqrt is not a function; there are min, max and abs",
		"10.0 ^ 400":                      "too large for a float",
		"(10 ^ 4000) ^ 4000":              "grows too large",
		"'ab' * 1000000":                  "grows too long",
		"(0 - 8) ^ 0.5":                   "not a real number",
		"max(5)":                          "give min and max two or more",
		"'é' < volume.size":               "column 5: cannot compare text 'é' and number 5",
	} {
		e, err := Compile(expression)
		if err == nil {
			_, err = e.Eval(testVars())
		}
		var fault *Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %s", expression, err, want)
		}
	}
}

// TestHintsAreApplied does what each hint says, after which the function has a value.
func TestHintsAreApplied(t *testing.T) {
	for _, c := range []struct{ written, hint, fixed, want string }{
		{"volume.size = 5", "compare with ==", "volume.size == 5", "True"},
		{"2 ^ -1", "put a signed exponent in parentheses: 2 ^ (-1)", "2 ^ (-1)", "0.5"},
		{"1 ? (2) and (3) : 4", "put each part in parentheses", "1 ? ((2) and (3)) : 4", "3"},
		{"volume.size < 1e6", "write 1000000 for 1e6", "volume.size < 1000000", "True"},
		{"(volume.size < 6) & (1 < 2)", "write &&", "(volume.size < 6) && (1 < 2)", "True"},
		{"(volume.size < 5) | (1 < 2)", "write ||", "(volume.size < 5) || (1 < 2)", "True"},
		{"volume.size and volume.size", "write && or ||", "volume.size && volume.size", "5"},
		{"volume.size and volume.size", "or put the left side in parentheses", "(volume.size) and volume.size", "5"},
		{"volume.size or volume.size", "write && or ||", "volume.size || volume.size", "5"},
		{"sqrt(4)", "there are min, max and abs", "abs(4)", "4"},
		{"max(5)", "give min and max two or more", "max(5, 6)", "6"},
		{"'a' 'b'", "check that each quote is closed, and that there is an operator between two texts", "'a' + 'b'", "ab"},
		{"'open", "check that each quote is closed", "'open'", "open"},
		{strings.Repeat("(", 18) + "1" + strings.Repeat(")", 18), "keep it below 15 parentheses", strings.Repeat("(", 14) + "1" + strings.Repeat(")", 14), "1"},
	} {
		e, err := Compile(c.written)
		if err == nil {
			_, err = e.Eval(testVars())
		}
		if fault, ok := errors.AsType[*Error](err); !ok || !strings.Contains(fault.Hint, c.hint) {
			t.Errorf("%s: got %v, want the hint %s", c.written, err, c.hint)
		}
		fixed, err := Compile(c.fixed)
		if err != nil {
			t.Errorf("%s: with the hint %q: %v", c.written, c.hint, err)
			continue
		}
		if v, err := fixed.Eval(testVars()); err != nil || v.String() != c.want {
			t.Errorf("%s: with the hint %q it is %v (%v), want %s", c.written, c.hint, v, err, c.want)
		}
	}
}

func TestNamesAreUniqueInOrder(t *testing.T) {
	e, err := Compile("capabilities.b > volume.size ? capabilities.a : capabilities.b + extra.c")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range e.Names() {
		got = append(got, n.String())
	}
	if want := "capabilities.b volume.size capabilities.a extra.c"; strings.Join(got, " ") != want {
		t.Errorf("names %v, want %s", got, want)
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	e, err := Compile("(capabilities.multiattach && volume.size <= 5) ? 100 - min(capabilities.load_percent, 100) : 0.5 * abs(-3)")
	if err != nil {
		t.Fatal(err)
	}
	slots := e.slots(testVars())
	if n := testing.AllocsPerRun(100, func() { _, _ = e.Run(slots) }); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

func FuzzFunction(f *testing.F) {
	for _, seed := range []string{
		"100 * (1 / max(capabilities.usec_per_write_op, 1))", "!not-2^(3)^0.5", "a.b and c.d", "((1 < 2) and (2 < 1)) && (('a)' == \"b\") or 0)",
		"max((1,2),'x')*3", "1 ? 2 : 3 ? 4 : 5", `"\x4""'`, "9999999999999999999999 ^ 99", "((((((", "not(not(not(1",
	} {
		f.Add(seed)
	}
	vars := testVars()
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Compile(text)
		if err != nil {
			return
		}
		first, err := e.Eval(vars)
		second, again := e.Eval(vars)
		if (err == nil) != (again == nil) || first.String() != second.String() {
			t.Fatalf("%q is %v (%v), then %v (%v)", text, first, err, second, again)
		}
		parts := e.Untrue(e.slots(vars))
		if untrue := err == nil && !first.Truth(); untrue != (len(parts) > 0) {
			t.Fatalf("%q is %v (%v), and its untrue parts are %v", text, first, err, parts)
		}
		for _, p := range parts {
			alone, err := Compile(p.Text)
			if err != nil {
				t.Fatalf("%q has the part %q: %v", text, p.Text, err)
			}
			if v, err := alone.Eval(vars); err != nil || v.String() != p.Value.String() {
				t.Fatalf("%q has the part %q, which is %v in it and %v alone (%v)", text, p.Text, p.Value, v, err)
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	e, err := Compile("100 * (1 / max(capabilities.usec_per_write_op, 1))")
	if err != nil {
		b.Fatal(err)
	}
	slots := e.slots(testVars())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Run(slots); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile("100 * (1 / max(capabilities.usec_per_write_op, 1))"); err != nil {
			b.Fatal(err)
		}
	}
}
