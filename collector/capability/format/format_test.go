package format

import (
	"math"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Whole(2.5), "3"},
		{Whole(-0.6), "-1"},
		{Whole(1e7), "10000000"},
		{Decimal(2), "2.0"},
		{Decimal(2.25), "2.2"},
		{Significant(0.123456, 3), "0.123"},
		{Significant(7.6, 3), "7.6"},
		{Significant(120, 3), "120"},
		{Significant(1234.5678, 3), "1235"},
		{Significant(1234.5678, 6), "1234.57"},
		{Significant(-12345678, 4), "-12345678"},
		{Significant(0, 4), "0"},
		{Significant(math.Inf(1), 4), "+Inf"},
		{Percent(1.0 / 3), "33 %"},
		{Count(1, "array"), "1 array"},
		{Count(0, "array"), "0 arrays"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if Finite(math.NaN()) != nil || Finite(math.Inf(-1)) != nil || *Finite(2) != 2 {
		t.Error("Finite returns what JSON does not have, or drops a number")
	}
}

func TestList(t *testing.T) {
	for n, want := range []string{"none", "a", "a and b", "a, b and c", "a, b, c and d", "a, b, c and 2 more"} {
		if got := List([]string{"a", "b", "c", "d", "e"}[:n]); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestNearest(t *testing.T) {
	keys := []string{
		"san_ip", "pure_api_token", "poll_interval", "poll_timeout",
		"CapabilitiesFilter", "gold", "load_percent",
	}
	for name, want := range map[string]string{
		"san_pi": "san_ip", "pure_api_tokne": "pure_api_token", "pollinterval": "poll_interval", "poll_timeuot": "poll_timeout",
		"CapabilityFilter": "CapabilitiesFilter", "capabilitiesfilter": "CapabilitiesFilter", "golt": "gold", "Load_Percent": "load_percent",
		"san_ip": "", "san_login": "", "color": "", "": "", "pi": "", "good": "gold", "load": "",
	} {
		if got := Nearest(name, keys); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := Nearest(strings.Repeat("a", 1<<20), []string{strings.Repeat("b", 1<<20)}); got != "" {
		t.Error("two long texts without a common letter are called similar")
	}
}
