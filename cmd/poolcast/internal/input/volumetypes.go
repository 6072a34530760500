package input

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// VolumeTypes reads a file with volume types, in one of the forms of
// [parseVolumeTypes]. No path means no types.
func VolumeTypes(path string) ([]cinder.VolumeType, error) {
	if path == "" {
		return nil, nil
	}
	data, err := file(path)
	if err != nil {
		return nil, fmt.Errorf("read volume types: %w", err)
	}
	types, err := parseVolumeTypes(data)
	if err != nil {
		return nil, fmt.Errorf("read volume types: %s: %w", path, err)
	}
	return types, nil
}

// wanted are the forms of a file of volume types.
const wanted = "want the output of openstack volume type list --long -f json, of openstack volume type show TYPE -f json, or the body of GET /v3/PROJECT/types"

// typeRow is a volume type as the openstack client lists it (Name, Properties), as it
// shows one (name, properties) or as the API sends it (name, extra_specs). Go's JSON
// decoder ignores the case of keys.
type typeRow struct {
	Name       string          `json:"name"`
	Properties json.RawMessage `json:"properties"`
	ExtraSpecs json.RawMessage `json:"extra_specs"`
}

// typeBody is a body of the API.
type typeBody struct {
	typeRow

	VolumeTypes []typeRow `json:"volume_types"`
	VolumeType  *typeRow  `json:"volume_type"`
}

// parseVolumeTypes reads volume types as the openstack client lists them or shows one,
// or as the API sends them. Older clients print the properties as a text of
// key='value' pairs, newer ones as an object; both are read.
func parseVolumeTypes(data []byte) ([]cinder.VolumeType, error) {
	rows, err := typeRows(data)
	if err != nil {
		return nil, err
	}
	types := make([]cinder.VolumeType, len(rows))
	for i, row := range rows {
		specs := row.Properties
		if specs == nil {
			specs = row.ExtraSpecs
		}
		switch {
		case row.Name == "":
			return nil, fmt.Errorf("entry %d has no name; %s", i+1, wanted)
		case specs == nil:
			return nil, fmt.Errorf("type %s has no properties: a list is made with --long, and the API shows extra specs to administrators only", row.Name)
		}
		types[i].Name = row.Name
		if types[i].ExtraSpecs, err = parseProperties(specs); err != nil {
			return nil, fmt.Errorf("type %s: %w", row.Name, err)
		}
	}
	return types, nil
}

// typeRows finds the types in one of the forms.
func typeRows(data []byte) ([]typeRow, error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if bytes.HasPrefix(trimmed, []byte("[")) {
		var rows []typeRow
		if err := json.Unmarshal(data, &rows); err != nil {
			return nil, fmt.Errorf("%s: %w", wanted, err)
		}
		return rows, nil
	}
	var body typeBody
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("%s: it is %s: %w", wanted, contentKind(trimmed), err)
	}
	switch {
	case body.VolumeTypes != nil:
		return body.VolumeTypes, nil
	case body.VolumeType != nil:
		return []typeRow{*body.VolumeType}, nil
	case body.Name != "" && (body.Properties != nil || body.ExtraSpecs != nil):
		return []typeRow{body.typeRow}, nil
	}
	return nil, fmt.Errorf("%s: it is a JSON object with the keys %s", wanted, keysOf(data))
}

// contentKind names what a file is.
func contentKind(data []byte) string {
	switch {
	case len(data) == 0:
		return "empty"
	case data[0] == '{':
		return "a JSON object that cannot be read"
	case data[0] == '+':
		return "a table: add -f json"
	}
	return "no JSON"
}

// keysOf lists the first keys of a JSON object.
func keysOf(data []byte) string {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || len(object) == 0 {
		return "none"
	}
	return format.List(slices.Sorted(maps.Keys(object)))
}

func parseProperties(raw json.RawMessage) (cinder.ExtraSpecs, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return parsePropertyText(text)
	}
	var specs cinder.ExtraSpecs
	if err := json.Unmarshal(raw, &specs); err != nil {
		return nil, fmt.Errorf("read properties: %w", err)
	}
	return specs, nil
}

// parsePropertyText reads key='value', key='value'. A quote inside a value is
// not escaped by the client, so a value ends at a quote that is followed by the
// end or by the next pair.
func parsePropertyText(text string) (cinder.ExtraSpecs, error) {
	var specs cinder.ExtraSpecs
	for rest := strings.TrimSpace(text); rest != ""; {
		key, after, ok := strings.Cut(rest, "='")
		if !ok {
			return nil, errors.New("read properties: want key='value' pairs")
		}
		value, next, more := strings.Cut(after, "', ")
		if !more {
			if value, ok = strings.CutSuffix(after, "'"); !ok {
				return nil, fmt.Errorf("read properties: the value of %s has no closing quote", key)
			}
			next = ""
		}
		specs = append(specs, cinder.Spec(key, value))
		rest = next
	}
	return specs, nil
}
