package capability

import (
	"encoding/json"
	"math"
	"testing"
)

func TestValueKeepsDigits(t *testing.T) {
	for _, in := range []string{
		`null`, `true`, `1`, `1.0`, `1.50`, `-0`, `1e3`, `123456789012345678901234567890`,
		`"a < b & c"`, `[1,2.0,"x",null]`, `{"a":{"b":[]},"z":0.1}`,
	} {
		var v Value
		if err := json.Unmarshal([]byte(in), &v); err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		out, err := v.MarshalJSON()
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		if string(out) != in {
			t.Errorf("%s was written as %s", in, out)
		}
		var again Value
		if err := json.Unmarshal(out, &again); err != nil || !v.Equal(again) {
			t.Errorf("%s differs after a round trip (%v)", in, err)
		}
	}
}

func TestValueFromInvalidJSON(t *testing.T) {
	for _, in := range []string{``, `{`, `NaN`, `1 2`, `{"a":1}}`, `{'a':1}`, `1e999`} {
		var v Value
		if err := v.UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("%q was read as %v", in, v)
		}
	}
	if _, err := OfFloat(math.NaN()).MarshalJSON(); err == nil {
		t.Error("NaN was written as JSON")
	}
}

func TestFormatFloatPrintsAsPython(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", 20: "20.0", 0.35: "0.35", 1e15: "1000000000000000.0", 1e16: "1e+16",
		1e-4: "0.0001", 1e-5: "1e-05", -2.5: "-2.5", 1.0 / 3: "0.3333333333333333",
	} {
		if got := FormatFloat(f); got != want {
			t.Errorf("FormatFloat(%g) = %s, Python prints %s", f, got, want)
		}
	}
}

func TestIntegersAndFloatsDiffer(t *testing.T) {
	if OfInt(1).Equal(OfFloat(1)) {
		t.Error("1 equals 1.0, but str(1) and str(1.0) differ")
	}
	if got := OfInt(1).String() + " " + OfFloat(1).String() + " " + OfBool(true).String(); got != "1 1.0 True" {
		t.Errorf("printed %q", got)
	}
}

func FuzzParseSet(f *testing.F) {
	f.Add([]byte(`{"a": 1, "b": [1.0, {"c": null}]}`))
	f.Add([]byte(`{"a": 1e400}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSet(data)
		if err != nil {
			return
		}
		out, err := s.MarshalJSON()
		if err != nil {
			t.Fatalf("%q was not written: %v", data, err)
		}
		again, err := ParseSet(out)
		if err != nil || !s.Equal(again) {
			t.Fatalf("%q was written as %q (%v)", data, out, err)
		}
	})
}
