package function_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/function"
)

func TestUntrueParts(t *testing.T) {
	values := map[string]capability.Value{
		"capabilities.volumes": capability.OfInt(912), "volume.size": capability.OfInt(700),
		"capabilities.name": capability.OfString("a) and (b"),
	}
	for text, want := range map[string]string{
		"capabilities.volumes < 800": "capabilities.volumes < 800 = False [capabilities.volumes]",
		"(capabilities.volumes < 800) and (volume.size < 500)": "capabilities.volumes < 800 = False [capabilities.volumes]" +
			" | volume.size < 500 = False [volume.size]",
		"(capabilities.volumes < 800) and (volume.size < 900)":          "capabilities.volumes < 800 = False [capabilities.volumes]",
		"((1 < 2) && (volume.size < 500)) && ( capabilities.volumes<1)": "volume.size < 500 = False [volume.size] | capabilities.volumes<1 = False [capabilities.volumes]",
		"(0) and (volume.size)":                                  "0 = 0 []",
		"((volume.size < 5) or (volume.size > 800)) and (1 > 2)": "(volume.size < 5) or (volume.size > 800) = False [volume.size] | 1 > 2 = False []",
		"((volume.size < 5) and (1 > 2)) or (1 > 3)":             "((volume.size < 5) and (1 > 2)) or (1 > 3) = False [volume.size]",
		"(capabilities.name == 'a) and (c') and (1 > 2)":         "capabilities.name == 'a) and (c' = False [capabilities.name] | 1 > 2 = False []",
		"\tnot (volume.size < 900)":                              "not (volume.size < 900) = False [volume.size]",
		"volume.size < 900":                                      "",
		"(volume.oops < 900) and (1 > 2)":                        "", // it fails
	} {
		f, err := function.Compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		slots := make([]function.Operand, len(f.Names()))
		for i, name := range f.Names() {
			if v, ok := values[name.String()]; ok {
				slots[i] = function.OperandOf(v)
			}
		}
		var got []string
		for _, p := range f.Untrue(slots) {
			var names []string
			for _, slot := range p.Slots {
				names = append(names, f.Names()[slot].String())
			}
			got = append(got, fmt.Sprintf("%s = %s %v", p.Text, p.Value, names))
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("%s\n got  %s\n want %s", text, strings.Join(got, " | "), want)
		}
	}
}
