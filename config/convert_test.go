package config

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "10.0.0.1:8443": "10.0.0.1:8443", "array.example.com": "array.example.com",
		"2001:db8::1": "[2001:db8::1]", "[2001:db8::1]": "[2001:db8::1]", "[2001:db8::1]:8443": "[2001:db8::1]:8443",
	} {
		a, err := parseAddress(text)
		if err != nil || a.String() != want {
			t.Errorf("%s: got %s (%v), want %s", text, a, err, want)
		}
	}
	for _, text := range []string{"https://h", "h/api", "h:0", "h:65536", ":80", "a b", "[::1", "a@b", "a:b:c", "h:8o"} {
		if a, err := parseAddress(text); err == nil {
			t.Errorf("%q was read as %s", text, a)
		}
	}
}

func TestParseCommand(t *testing.T) {
	for text, want := range map[string]string{
		`a b  c`: "a|b|c", `"a b" c`: "a b|c", `a 'b "c" d'`: `a|b "c" d`, `a\ b "c\"d"`: `a b|c"d`,
		`'a\b'`: `a\b`, ``: "", `a ""`: "a|", `a$b`: "a$b",
	} {
		words, err := parseCommand(text)
		if got := strings.Join(words, "|"); err != nil || got != want {
			t.Errorf("%s: got %s (%v), want %s", text, got, err, want)
		}
	}
	if _, err := parseCommand(`a "b`); err == nil {
		t.Error("an open quote was accepted")
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]string{"5": "5s", "\t90": "1m30s", "1m30s": "1m30s", "250ms": "250ms"} {
		if d, err := parseDuration(text); err != nil || d.String() != want {
			t.Errorf("%s: got %s (%v), want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"", "-1", "5 s", "soon", "9223372036854775807"} {
		if d, err := parseDuration(text); err == nil {
			t.Errorf("%q was read as %s", text, d)
		}
	}
}
