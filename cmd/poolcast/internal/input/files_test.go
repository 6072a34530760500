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

func FuzzVolumeTypes(f *testing.F) {
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
