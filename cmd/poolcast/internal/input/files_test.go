package input

import (
	"bytes"
	"strings"
	"testing"
)

func TestStandardInputIsBounded(t *testing.T) {
	if _, err := Read(t.Context(), bytes.NewReader(make([]byte, maxBytes+1)), "-"); err == nil || !strings.Contains(err.Error(), "is too large") {
		t.Errorf("standard input without an end: %v", err)
	}
}

func TestVolumeTypesInEachForm(t *testing.T) {
	for name, text := range map[string]string{
		"list":     `[{"ID":"1","Name":"gold","Is Public":true,"Properties":{"a":"b"}}]`,
		"old list": `[{"Name":"gold","Properties":"a='b'"}]`,
		"show":     `{"access_project_ids":null,"id":"1","name":"gold","properties":{"a":"b"},"qos_specs_id":null}`,
		"API list": ` {"volume_types":[{"id":"1","name":"gold","extra_specs":{"a":"b"}}]}`,
		"API":      `{"volume_type":{"id":"1","name":"gold","extra_specs":{"a":"b"}}}`,
	} {
		types, err := parseVolumeTypes([]byte(text))
		if err != nil || len(types) != 1 || types[0].Name != "gold" || len(types[0].ExtraSpecs) != 1 || *types[0].ExtraSpecs[0].Value != "b" {
			t.Errorf("%s: %+v, %v", name, types, err)
		}
	}
	for text, want := range map[string]string{
		``:                                   "it is empty",
		`+----+`:                             "it is a table: add -f json",
		`{"pools":[]}`:                       "a JSON object with the keys pools",
		`{}`:                                 "with the keys none",
		`[{"Name":"gold"}]`:                  "made with --long",
		`{"volume_types":[{"name":"gold"}]}`: "to administrators only",
		`[{"Properties":{}}]`:                "entry 1 has no name",
	} {
		if _, err := parseVolumeTypes([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzVolumeTypes(f *testing.F) {
	f.Add([]byte(`{"volume_types":[{"name":"gold","extra_specs":{"a":"b"}}]}`))
	f.Add([]byte(`[{"Name":"gold","Properties":{"a":"b","c":null}}]`))
	f.Add([]byte(`[{"Name":"gold","Properties":"a='b', c='<= 5', d='it''s'"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		types, err := parseVolumeTypes(data)
		if err != nil {
			return
		}
		for _, v := range types {
			if v.Name == "" {
				t.Error("a type without a name is taken")
			}
		}
	})
}
