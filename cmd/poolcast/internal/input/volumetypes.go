package input

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// VolumeTypes reads a file with the output of openstack volume type list --long -f
// json. No path means no types.
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

// listedType is one row of openstack volume type list --long -f json.
type listedType struct {
	Name       string          `json:"Name"`
	Properties json.RawMessage `json:"Properties"`
}

// parseVolumeTypes reads the output of openstack volume type list --long -f
// json. Older clients print the properties as a text of key='value' pairs,
// newer ones as an object; both are read.
func parseVolumeTypes(data []byte) ([]cinder.VolumeType, error) {
	var rows []listedType
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("want the output of openstack volume type list --long -f json: %w", err)
	}
	types := make([]cinder.VolumeType, len(rows))
	for i, row := range rows {
		if row.Name == "" {
			return nil, fmt.Errorf("entry %d has no Name; want the output of openstack volume type list --long -f json", i+1)
		}
		if row.Properties == nil {
			return nil, fmt.Errorf("type %s has no Properties; the list was made without --long", row.Name)
		}
		specs, err := parseProperties(row.Properties)
		if err != nil {
			return nil, fmt.Errorf("type %s: %w", row.Name, err)
		}
		types[i] = cinder.VolumeType{Name: row.Name, ExtraSpecs: specs}
	}
	return types, nil
}

func parseProperties(raw json.RawMessage) (cinder.ExtraSpecs, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return parsePropertyText(text)
	}
	var specs cinder.ExtraSpecs
	if err := json.Unmarshal(raw, &specs); err != nil {
		return nil, fmt.Errorf("read Properties: %w", err)
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
			return nil, errors.New("read Properties: want key='value' pairs")
		}
		value, next, more := strings.Cut(after, "', ")
		if !more {
			if value, ok = strings.CutSuffix(after, "'"); !ok {
				return nil, fmt.Errorf("read Properties: the value of %s has no closing quote", key)
			}
			next = ""
		}
		specs = append(specs, cinder.Spec(key, value))
		rest = next
	}
	return specs, nil
}
