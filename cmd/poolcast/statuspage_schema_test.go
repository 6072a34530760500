package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// apiSpec is an OpenAPI description, as far as ours uses it.
type apiSpec struct{ root map[string]any }

func parseSpec(t *testing.T, text string) *apiSpec {
	t.Helper()
	s := &apiSpec{}
	if err := yaml.Unmarshal([]byte(text), &s.root); err != nil {
		t.Fatalf("read the description: %v", err)
	}
	return s
}

func dig(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// resolve follows references to what they stand for.
func (s *apiSpec) resolve(v any) map[string]any {
	m, _ := v.(map[string]any)
	for {
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		m, _ = dig(s.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	}
}

// faults says where an answer to GET path differs from the description.
func (s *apiSpec) faults(path string, code int, kind string, body []byte) []string {
	answer := s.resolve(dig(s.root, "paths", path, "get", "responses", fmt.Sprint(code)))
	schema := dig(answer, "content", kind, "schema")
	if schema == nil {
		return []string{fmt.Sprintf("%s: %d as %s is not described", path, code, kind)}
	}
	if kind != "application/json" {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{err.Error()}
	}
	return s.check(path, schema, value)
}

func (s *apiSpec) check(where string, of, value any) []string {
	schema := s.resolve(of)
	if value == nil {
		if schema["nullable"] == true {
			return nil
		}
		return []string{where + " is null"}
	}
	var found []string
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		found = append(found, s.check(where, part, value)...)
	}
	if kind, ok := schema["type"].(string); ok && !isOf(kind, schema, value) {
		return append(found, fmt.Sprintf("%s is %v, want %s", where, value, kind))
	}
	found = append(found, outOfBounds(where, schema, value)...)
	switch v := value.(type) {
	case []any:
		for i, element := range v {
			found = append(found, s.check(fmt.Sprintf("%s[%d]", where, i), schema["items"], element)...)
		}
	case map[string]any:
		found = append(found, s.checkObject(where, schema, v)...)
	}
	return found
}

func (s *apiSpec) checkObject(where string, schema, v map[string]any) (found []string) {
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			found = append(found, fmt.Sprintf("%s has no %s", where, name))
		}
	}
	known, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		property, ok := known[name]
		if !ok {
			property = schema["additionalProperties"]
		}
		switch property {
		case true:
		case nil, false:
			if schema["allOf"] == nil {
				found = append(found, where+"."+name+" is not described")
			}
		default:
			found = append(found, s.check(where+"."+name, property, v[name])...)
		}
	}
	return found
}

func isOf(kind string, schema map[string]any, value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return kind == "object"
	case []any:
		return kind == "array"
	case bool:
		return kind == "boolean"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case string:
		_, err := time.Parse(time.RFC3339Nano, v)
		return kind == "string" && (schema["format"] != "date-time" || err == nil)
	}
	return false
}

func outOfBounds(where string, schema map[string]any, value any) []string {
	if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, value) {
		return []string{fmt.Sprintf("%s is %v, want one of %v", where, value, allowed)}
	}
	n, ok := value.(float64)
	low, isLow := schema["minimum"].(int)
	high, isHigh := schema["maximum"].(int)
	if ok && (isLow && n < float64(low) || isHigh && n > float64(high)) {
		return []string{fmt.Sprintf("%s is %v, beyond its bounds", where, value)}
	}
	return nil
}

// The check itself is worth nothing if it lets faults through.
func TestSpecCheckFindsFaults(t *testing.T) {
	spec := parseSpec(t, `
paths:
  /p:
    get: {responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/Answer"}}}}}}
components:
  schemas:
    Inner: {type: object, additionalProperties: false, required: [id], properties: {id: {type: string}}}
    Answer:
      type: object
      additionalProperties: false
      required: [size]
      properties:
        size: {type: integer, minimum: 1}
        at: {type: string, format: date-time}
        kind: {type: string, enum: [a, b]}
        inner: {nullable: true, allOf: [{$ref: "#/components/schemas/Inner"}]}
        list: {type: array, items: {type: boolean}}
        free: {type: object, additionalProperties: true}
`)
	for text, want := range map[string]int{
		`{"size": 1, "at": "2025-01-01T00:00:00Z", "kind": "a", "inner": {"id": "x"}, "list": [true], "free": {"y": 1}}`: 0,
		`{"size": 1, "inner": null}`:            0,
		`{}`:                                    1,
		`{"size": null}`:                        1,
		`{"size": 0}`:                           1,
		`{"size": 1.5}`:                         1,
		`{"size": 1, "colour": "red"}`:          1,
		`{"size": 1, "kind": "c"}`:              1,
		`{"size": 1, "at": "noon"}`:             1,
		`{"size": 1, "inner": {"name": "x"}}`:   2,
		`{"size": 1, "list": ["yes", 1, true]}`: 2,
		`[]`:                                    1,
	} {
		if found := spec.faults("/p", 200, "application/json", []byte(text)); len(found) != want {
			t.Errorf("%s: %d faults, want %d: %q", text, len(found), want, found)
		}
	}
	if found := spec.faults("/p", 500, "application/json", []byte("{}")); len(found) != 1 {
		t.Errorf("an answer that is not described: %q", found)
	}
}
