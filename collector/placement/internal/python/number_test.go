package python

import (
	"math"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

// The expected values are those of float() in Python 3.
func TestParseFloat(t *testing.T) {
	for text, want := range map[string]float64{
		"12": 12, " 1_2.5e1 ": 125, "+.5": 0.5, "5.": 5, "-0x": math.NaN(), "inf": math.Inf(1), "-Infinity": math.Inf(-1),
		"1e999": math.Inf(1), "\u0663\u0664": 34, "\U0001D7D9": 1, "\u00a07\u00a0": 7,
	} {
		got, ok := ParseFloat(text)
		if isNumber := !math.IsNaN(want); ok != isNumber || isNumber && got != want {
			t.Errorf("%q is %v (%v), want %v", text, got, ok, want)
		}
	}
	if f, ok := ParseFloat("NaN"); !ok || !math.IsNaN(f) {
		t.Errorf("NaN is %v (%v)", f, ok)
	}
	for _, text := range []string{"", "_1", "1_", "1__2", "--1", "+-1", "1e", "1e+", ".", "0x1p4", "1 2", "½", "nan1"} {
		if f, ok := ParseFloat(text); ok {
			t.Errorf("%q is %v, and Python reads no number", text, f)
		}
	}
}

func TestFloatOfValues(t *testing.T) {
	for _, c := range []struct {
		value  capability.Value
		want   float64
		number bool // Number accepts it
		float  bool // ToFloat accepts it
	}{
		{capability.OfInt(3), 3, true, true},
		{capability.OfFloat(0.5), 0.5, true, true},
		{capability.OfBool(true), 1, true, true},
		{capability.OfBool(false), 0, true, true},
		{capability.OfString("7"), 7, false, true},
		{capability.OfString("seven"), 0, false, false},
		{capability.OfStrings("7"), 0, false, false},
		{capability.Value{}, 0, false, false},
	} {
		f, err := ToFloat(c.value)
		if (err == nil) != c.float || err == nil && f != c.want {
			t.Errorf("ToFloat(%s) is %v (%v), want %v", c.value, f, err, c.want)
		}
		if f, ok := Number(c.value); ok != c.number || ok && f != c.want {
			t.Errorf("Number(%s) is %v (%v), want %v", c.value, f, ok, c.want)
		}
	}
}

// The expected values are those of round(x, 2) in Python 3.
func TestRound2(t *testing.T) {
	for x, want := range map[float64]float64{2.675: 2.67, 0.125: 0.12, 0.375: 0.38, -2.675: -2.67, 1e22: 1e22, 123456789012.345: 123456789012.35} {
		if got := Round2(x); got != want {
			t.Errorf("Round2(%v) is %v, want %v", x, got, want)
		}
	}
	if !math.IsNaN(Round2(math.NaN())) || !math.IsInf(Round2(math.Inf(-1)), -1) {
		t.Error("NaN and infinity are not rounded to themselves")
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{" Yes ": "true", "on": "true", "1": "true", "No": "false", "\tF": "false", "2": "neither", "": "neither"} {
		got := "neither"
		if IsTrueWord(text) {
			got = "true"
		} else if IsFalseWord(text) {
			got = "false"
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if got := strings.Join(Fields("a\u00a0b\x1cc"), ","); got != "a,b,c" {
		t.Errorf("fields are %s", got)
	}
}
