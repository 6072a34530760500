package recording

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func scrubbed(t *testing.T, s *Scrubber, path, body string) string {
	t.Helper()
	out, err := s.Response(path, json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestScrubberKeepsSpellingOfNumbers(t *testing.T) {
	out := scrubbed(t, NewScrubber(), "arrays/space", `{"items":[{"parity":1.0,"capacity":20000000000000001,"space":{"unique":null},"on":true}]}`)
	for _, want := range []string{`"parity": 1.0`, `"capacity": 20000000000000001`, `"unique": null`, `"on": true`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}

func TestScrubberSameReplacement(t *testing.T) {
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
		t.Errorf("the name has two replacements: %s %s", one, two)
	}
	if !strings.Contains(two, s.id(id)) || !strings.Contains(one, "FA-X50R4") || !strings.Contains(two, "2001:db8::") {
		t.Errorf("id, model or address are not as they should be: %s %s", one, two)
	}
	if other := NewScrubber(); other.id(id) == s.id(id) {
		t.Error("two recordings replace an id by the same one")
	}
}

// TestScrubberRemovesIdentifyingTexts uses identifying texts in every field, also
// in those for values that the API defines.
func TestScrubberRemovesIdentifyingTexts(t *testing.T) {
	fields := []string{
		"os", "version", "model", "mode", "status", "type", "service", "resource_type", "replication_transport", "encryption",
		"encryption_mode", "algorithm", "module_version", "manual_eradication", "name", "banner", "id", "serial", "capacity",
		"severity", "state", "category", "mediator", "mediator_status", "direction", "promotion_status", "requested_promotion_state",
		"summary", "description", "issue", "component_name", "component_type", "knowledge_base_url", "expected", "actual",
	}
	plants := []string{
		"PLANT-host17.acme.example", "FA-X50R4 PLANT", "PLANT", "plant", "6.4.10-PLANT", "10.9.8.7", "FA-PLANT9", "ready\nPLANT", "CT0.PLANT",
		"Purity//PLANT", "AES-256-PLANT",
	}
	for _, path := range []string{"arrays", "controllers", "array-connections", "subscriptions", "alerts", "pods", "pod-replica-links/lag"} {
		for _, field := range fields {
			for _, plant := range plants {
				answer, err := json.Marshal(map[string]any{"items": []any{map[string]any{field: plant, "space": map[string]any{field: []string{plant}}}}})
				if err != nil {
					t.Fatal(err)
				}
				out := scrubbed(t, NewScrubber(), path, string(answer))
				if strings.Contains(strings.ToLower(out), "plant") || strings.Contains(out, "10.9.8") {
					t.Errorf("%s of %s: %q became %s", field, path, plant, out)
				}
			}
		}
	}
	out := scrubbed(t, NewScrubber(), "arrays", `{"items":[{"PLANT@keymail.example":1,"plant_bank":{"phone_number":4915112345678},"phone_number":4915112345678,
		"id":4915112345678,"usec_per_read_op":4915112345678e-4915112345678,"host17.plant":"x","capacity":7,"plant":true}]}`)
	for _, gone := range []string{"lant", "LANT", "49151", "phone", "host17"} {
		if strings.Contains(out, gone) {
			t.Errorf("%s is still there: %s", gone, out)
		}
	}
	if !strings.Contains(out, `"capacity": 7`) {
		t.Errorf("a measurement was removed: %s", out)
	}
}

func TestScrubberVersions(t *testing.T) {
	if got := NewScrubber().Versions([]string{"1.19", "2.0", "2.56", "2.X", "PLANT", "2.0-PLANT", "10.9.8.7"}); strings.Join(got, " ") != "1.19 2.0 2.56 2.X" {
		t.Errorf("got %q", got)
	}
}

// TestScrubberKeepsFixtures checks that values that the API defines are kept.
func TestScrubberKeepsFixtures(t *testing.T) {
	known := newVocabulary()
	for _, e := range endpoints {
		path := e.path
		files, err := filepath.Glob("../simulator/fixtures/*/frames/00/" + path + ".json")
		if err != nil || len(files) == 0 {
			t.Fatalf("no fixture of %s: %v", path, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dec := json.NewDecoder(bytes.NewReader(text))
			dec.UseNumber()
			var v any
			if err := dec.Decode(&v); err != nil {
				t.Fatal(err)
			}
			everyField(v, "", func(field string, v any) {
				number, isNumber := v.(json.Number)
				text, isText := v.(string)
				switch {
				case !known.hasKey(field), isNumber && !known.hasNumber(field, number),
					isText && known.texts[field] != nil && !known.hasText(path, field, text):
					t.Errorf("%s: %s %v would be scrubbed", file, field, v)
				}
			})
		}
	}
}

func everyField(v any, field string, visit func(field string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			visit(key, nil)
			everyField(v[key], key, visit)
		}
	case []any:
		for i := range v {
			everyField(v[i], field, visit)
		}
	default:
		visit(field, v)
	}
}

func FuzzResponse(f *testing.F) {
	f.Add(`{"items":[{"name":"x","a":[1,"y"]}]}`)
	f.Fuzz(func(t *testing.T, answer string) {
		out, err := NewScrubber().Response("arrays", json.RawMessage(answer))
		if err == nil && !json.Valid(out) {
			t.Errorf("%q became %q", answer, out)
		}
	})
}
