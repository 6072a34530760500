//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// openAPI is one specification file, as far as answers are concerned: types,
// allOf, references, and names that are not in it.
type openAPI struct{ root map[string]any }

func readOpenAPI(file string) (*openAPI, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &openAPI{}
	return s, yaml.Unmarshal(text, &s.root)
}

func dig(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (s *openAPI) has(method, path string) bool { return dig(s.root, "paths", path, method) != nil }

// validate returns what is wrong with a 200 answer.
func (s *openAPI) validate(method, path string, value any) []string {
	schema := dig(s.root, "paths", path, method, "responses", "200", "content", "application/json", "schema")
	if schema == nil {
		return []string{"the specification has no schema for this answer"}
	}
	return s.check("answer", schema, value)
}

// resolve follows references to the schema itself.
func (s *openAPI) resolve(v any) map[string]any {
	m, _ := v.(map[string]any)
	for {
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		m, _ = dig(s.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	}
}

// properties gathers those of a schema and of all that it is composed of.
func (s *openAPI) properties(schema map[string]any) map[string]any {
	all := map[string]any{}
	for _, keyword := range []string{"allOf", "oneOf", "anyOf"} {
		parts, _ := schema[keyword].([]any)
		for _, part := range parts {
			maps.Copy(all, s.properties(s.resolve(part)))
		}
	}
	own, _ := schema["properties"].(map[string]any)
	maps.Copy(all, own)
	return all
}

// kind is the type of a schema, looked for in what it is composed of as well.
func (s *openAPI) kind(schema map[string]any) string {
	if kind, ok := schema["type"].(string); ok {
		return kind
	}
	for _, keyword := range []string{"allOf", "oneOf", "anyOf"} {
		parts, _ := schema[keyword].([]any)
		for _, part := range parts {
			if kind := s.kind(s.resolve(part)); kind != "" {
				return kind
			}
		}
	}
	if schema["properties"] != nil {
		return "object"
	}
	return ""
}

func (s *openAPI) check(where string, of, value any) []string {
	schema := s.resolve(of)
	if value == nil { // the files never say nullable, recorded answers are full of nulls
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		return s.checkObject(where, schema, v)
	case []any:
		if kind := s.kind(schema); kind != "array" {
			return []string{fmt.Sprintf("%s is a list, want %s", where, kind)}
		}
		var faults []string
		for i, element := range v {
			faults = append(faults, s.check(fmt.Sprintf("%s[%d]", where, i), schema["items"], element)...)
		}
		return faults
	}
	return s.checkScalar(where, schema, value)
}

func (s *openAPI) checkObject(where string, schema, v map[string]any) []string {
	if kind := s.kind(schema); kind != "object" {
		return []string{fmt.Sprintf("%s is an object, want %q", where, kind)}
	}
	known := s.properties(schema)
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		property, ok := known[name]
		if !ok {
			faults = append(faults, fmt.Sprintf("%s.%s is not in the specification", where, name))
			continue
		}
		faults = append(faults, s.check(where+"."+name, property, v[name])...)
	}
	return faults
}

func (s *openAPI) checkScalar(where string, schema map[string]any, value any) []string {
	kind := s.kind(schema)
	n, isNumber := value.(float64)
	_, isText := value.(string)
	_, isBool := value.(bool)
	good := kind == "integer" && isNumber && n == math.Trunc(n) ||
		kind == "number" && isNumber || kind == "string" && isText || kind == "boolean" && isBool
	if !good {
		return []string{fmt.Sprintf("%s is %v, want %s", where, value, kind)}
	}
	return s.checkBounds(where, schema, n, isNumber)
}

func (s *openAPI) checkBounds(where string, schema map[string]any, n float64, isNumber bool) []string {
	for keyword, sign := range map[string]float64{"minimum": 1, "maximum": -1} {
		bound, ok := asFloat(schema[keyword])
		if ok && isNumber && (n-bound)*sign < 0 {
			return []string{fmt.Sprintf("%s is %v, beyond the %s of %v", where, n, keyword, bound)}
		}
	}
	return nil
}

func asFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// The check itself is worth nothing if it lets faults through.
func TestOpenAPICheckFindsFaults(t *testing.T) {
	spec := &openAPI{}
	err := yaml.Unmarshal([]byte(`
paths:
  /p:
    get: {responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/Answer"}}}}}}
components:
  schemas:
    Base: {type: object, properties: {id: {type: string}}}
    Item:
      allOf:
        - $ref: "#/components/schemas/Base"
        - type: object
          properties: {size: {type: integer, minimum: 1}, ratio: {type: number}, live: {type: boolean}}
    Answer: {type: object, properties: {items: {type: array, items: {$ref: "#/components/schemas/Item"}}}}
`), &spec.root)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		`{"items": [{"id": "a", "size": 5, "ratio": 0.5, "live": true}, {"id": null}]}`: 0,
		`{"items": [{"id": 5}]}`:                            1,
		`{"items": [{"size": 0.5}, {"size": 0}]}`:           2,
		`{"items": [{"live": "yes", "colour": "red"}]}`:     2,
		`{"items": {"id": "a"}}`:                            1,
		`{"items": ["a"], "more": true}`:                    2,
		`{"items": [[{"id": "a"}], {"id": {"name": "a"}}]}`: 2,
	} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if faults := spec.validate("get", "/p", value); len(faults) != want {
			t.Errorf("%s: %d faults, want %d: %q", text, len(faults), want, faults)
		}
	}
	if faults := spec.validate("get", "/q", nil); len(faults) != 1 {
		t.Errorf("an unknown path: %q", faults)
	}
}
