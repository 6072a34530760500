package openapi_test

import (
	"net/http"
	"testing"

	"github.com/poolcast/poolcast/integration/openapi"
)

func faults(t *testing.T, text string, o openapi.Options, path string, code int, body string) []string {
	t.Helper()
	spec, err := openapi.Parse([]byte("openapi: 3.0.3\ninfo: {title: test, version: \"1\"}\n"+text), o)
	if err != nil {
		t.Fatal(err)
	}
	return spec.Faults(http.MethodGet, path, code, "application/json", []byte(body))
}

func TestFaultsStrict(t *testing.T) {
	const spec = `
paths:
  /p:
    get: {responses: {"200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Answer"}}}}}}
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
`
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
		if found := faults(t, spec, openapi.Options{}, "/p", 200, text); len(found) != want {
			t.Errorf("%s: %d faults, want %d: %q", text, len(found), want, found)
		}
	}
	if found := faults(t, spec, openapi.Options{}, "/p", 500, "{}"); len(found) != 1 {
		t.Errorf("a status that is not described: %q", found)
	}
}

func TestFaultsOptionalAndNullable(t *testing.T) {
	const spec = `
paths:
  /p:
    get: {responses: {"200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Answer"}}}}}}
components:
  schemas:
    Base: {type: object, properties: {id: {type: string}}}
    Item:
      allOf:
        - $ref: "#/components/schemas/Base"
        - type: object
          properties: {size: {type: integer, minimum: 1}, ratio: {type: number}, live: {type: boolean}}
    Answer: {type: object, properties: {items: {type: array, items: {$ref: "#/components/schemas/Item"}}}}
`
	for text, want := range map[string]int{
		`{"items": [{"id": "a", "size": 5, "ratio": 0.5, "live": true}, {"id": null}]}`: 0,
		`{"items": [{"id": 5}]}`:                            1,
		`{"items": [{"size": 0.5}, {"size": 0}]}`:           3, // 0.5 is no integer and too small
		`{"items": [{"live": "yes", "colour": "red"}]}`:     2,
		`{"items": {"id": "a"}}`:                            1,
		`{"items": ["a"], "more": true}`:                    2,
		`{"items": [[{"id": "a"}], {"id": {"name": "a"}}]}`: 2,
	} {
		if found := faults(t, spec, openapi.Options{OptionalAndNullable: true}, "/p", 200, text); len(found) != want {
			t.Errorf("%s: %d faults, want %d: %q", text, len(found), want, found)
		}
	}
	if found := faults(t, spec, openapi.Options{OptionalAndNullable: true}, "/q", 200, "null"); len(found) != 1 {
		t.Errorf("an unknown path: %q", found)
	}
}
