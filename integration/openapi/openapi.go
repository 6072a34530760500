package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Options say what a description leaves out.
type Options struct {
	// OptionalAndNullable lets every property be absent or null, for descriptions
	// that never say nullable.
	OptionalAndNullable bool
}

// Spec is a description.
type Spec struct {
	doc     *openapi3.T
	options Options
	closed  map[*openapi3.Schema]*openapi3.Schema
}

// Parse reads a description in YAML or JSON.
func Parse(text []byte, o Options) (*Spec, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("read OpenAPI description: %w", err)
	}
	return &Spec{doc: doc, options: o, closed: map[*openapi3.Schema]*openapi3.Schema{}}, nil
}

// Paths are all that the description has.
func (s *Spec) Paths() []string { return s.doc.Paths.Keys() }

// Has says whether the description has an operation.
func (s *Spec) Has(method, path string) bool { return s.operation(method, path) != nil }

func (s *Spec) operation(method, path string) *openapi3.Operation {
	item := s.doc.Paths.Value(path)
	if item == nil {
		return nil
	}
	return item.GetOperation(method)
}

// Faults returns where a response differs from the description. The body is
// looked at if it is JSON.
func (s *Spec) Faults(method, path string, code int, contentType string, body []byte) []string {
	schema := s.response(method, path, code, contentType)
	if schema == nil {
		return []string{fmt.Sprintf("%s: %d as %s is not described", path, code, contentType)}
	}
	if contentType != "application/json" {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{fmt.Sprintf("%s: %v", path, err)}
	}
	var faults []string
	for _, err := range flatten(s.close(schema).Value.VisitJSON(value, openapi3.MultiErrors())) {
		faults = append(faults, describe(path, err))
	}
	return faults
}

func (s *Spec) response(method, path string, code int, contentType string) *openapi3.SchemaRef {
	operation := s.operation(method, path)
	if operation == nil {
		return nil
	}
	response := operation.Responses.Status(code)
	if response == nil || response.Value.Content[contentType] == nil {
		return nil
	}
	return response.Value.Content[contentType].Schema
}

// close returns a copy of a schema in which a property that is not named is a
// fault. References are followed once, because schemas may contain themselves.
func (s *Spec) close(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	if ref == nil || ref.Value == nil {
		return ref
	}
	if done, ok := s.closed[ref.Value]; ok {
		return &openapi3.SchemaRef{Value: done}
	}
	out := merged(ref.Value)
	s.closed[ref.Value] = out
	for name, property := range out.Properties {
		out.Properties[name] = s.close(property)
	}
	out.Items = s.close(out.Items)
	if out.AdditionalProperties.Schema != nil {
		out.AdditionalProperties.Schema = s.close(out.AdditionalProperties.Schema)
	} else if out.AdditionalProperties.Has == nil {
		out.AdditionalProperties.Has = new(bool)
	}
	if s.options.OptionalAndNullable {
		out.Nullable, out.Required = true, nil
	}
	return &openapi3.SchemaRef{Value: out}
}

// merged is a copy of a schema with all that it is composed of, instead of the
// composition: which of several alternatives a value meets is not looked at.
func merged(schema *openapi3.Schema) *openapi3.Schema {
	out := *schema
	out.AllOf, out.OneOf, out.AnyOf = nil, nil, nil
	out.Properties = openapi3.Schemas{}
	for _, part := range slices.Concat(schema.AllOf, schema.OneOf, schema.AnyOf) {
		m := merged(part.Value)
		maps.Copy(out.Properties, m.Properties)
		if out.Type == nil {
			out.Type, out.Enum, out.Format, out.Items = m.Type, m.Enum, m.Format, m.Items
			out.Min, out.Max, out.AdditionalProperties = m.Min, m.Max, m.AdditionalProperties
		}
		if slices.Contains(schema.AllOf, part) {
			out.Required = append(slices.Clone(out.Required), m.Required...)
		}
	}
	maps.Copy(out.Properties, schema.Properties)
	if out.Type == nil && len(out.Properties) > 0 {
		out.Type = &openapi3.Types{openapi3.TypeObject}
	}
	return &out
}

// flatten lists the errors of a nested value.
func flatten(err error) []error {
	var all openapi3.MultiError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &all):
		return []error{err}
	}
	var list []error
	for _, one := range all {
		list = append(list, flatten(one)...)
	}
	return list
}

func describe(path string, err error) string {
	var fault *openapi3.SchemaError
	if !errors.As(err, &fault) {
		return path + ": " + err.Error()
	}
	where := strings.Join(append([]string{path}, fault.JSONPointer()...), ".")
	return fmt.Sprintf("%s: %s, the value is %v", where, fault.Reason, fault.Value)
}
