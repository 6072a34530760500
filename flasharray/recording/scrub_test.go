package recording

import (
	"encoding/json"
	"strings"
	"testing"
)

func scrubbed(t *testing.T, s *Scrubber, path, answer string) string {
	t.Helper()
	out, err := s.Answer(path, json.RawMessage(answer))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestScrubberKeepsNumbersAsSpelled(t *testing.T) {
	out := scrubbed(t, NewScrubber(), "arrays/space", `{"items":[{"parity":1.0,"capacity":20000000000000001,"space":{"unique":null},"on":true}]}`)
	for _, want := range []string{`"parity": 1.0`, `"capacity": 20000000000000001`, `"unique": null`, `"on": true`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}

func TestScrubberReplacesAlikeByAlike(t *testing.T) {
	s := NewScrubber()
	const id = "3F0C9B52-7a41-4d6e-9a0d-5b1e2c7d8f10"
	one := scrubbed(t, s, "arrays", `{"items":[{"name":"Secret-1","id":"`+id+`","banner":"property of ACME","ntp_servers":["ntp.acme.example"],"model":"FA-X50R4"}]}`)
	two := scrubbed(t, s, "array-connections", `{"items":[{"name":"secret-1","remote":{"id":"`+strings.ToLower(id)+`"},"management_address":"2001:db9::7"}]}`)
	for _, gone := range []string{"ecret-1", "ACME", "acme", "db9", "3F0C", "3f0c"} {
		if strings.Contains(one+two, gone) {
			t.Errorf("%q is still there: %s %s", gone, one, two)
		}
	}
	if !strings.Contains(one, `"array-01"`) || !strings.Contains(two, `"array-01"`) {
		t.Errorf("the name has two stand-ins: %s %s", one, two)
	}
	if !strings.Contains(two, s.id(id)) || !strings.Contains(one, "FA-X50R4") || !strings.Contains(two, "2001:db8::") {
		t.Errorf("id, model or address are not as they should be: %s %s", one, two)
	}
	if other := NewScrubber(); other.id(id) == s.id(id) {
		t.Error("two recordings give the same id the same stand-in")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"items":[{"name":"x","a":[1,"y"]}]}`)
	f.Fuzz(func(t *testing.T, answer string) {
		out, err := NewScrubber().Answer("arrays", json.RawMessage(answer))
		if err == nil && !json.Valid(out) {
			t.Errorf("%q became %q", answer, out)
		}
	})
}
