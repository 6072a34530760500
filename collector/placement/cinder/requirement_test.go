package cinder

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func value(t *testing.T, text string) capability.Value {
	t.Helper()
	var v capability.Value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestRequirementMatchesAsCinder(t *testing.T) {
	for _, c := range []struct {
		value, requirement string
		want               string // true, false or error
	}{
		{`912`, "<= 800", "false"},
		{`800`, "<= 800", "true"},
		{`"800.0"`, "== 8e2", "true"},
		{`"1_000"`, "= 1000", "true"},
		{`" 5 "`, ">= ٥", "true"},
		{`"inf"`, ">= 1", "true"},
		{`"0x10"`, ">= 1", "false"},
		{`5`, "!= five", "false"},
		{`true`, "== 1", "true"},
		{`[1]`, "== 1", "error"},
		{`5`, "> 4", "false"},
		{`"> 4"`, "> 4", "true"},
		{`1`, "1", "false"},
		{`true`, "True", "false"},
		{`true`, "<is> True", "true"},
		{`"yes"`, "<is>  t  ", "true"},
		{`0`, "<is> invalid", "true"},
		{`1.0`, "<is> True", "false"},
		{`"<is>True"`, "<is>True", "true"},
		{`"iSCSI"`, "<or> FC <or> iSCSI", "true"},
		{`"iSCSI"`, "<or> FC iSCSI", "false"},
		{`"iSCSI"`, "<or>", "error"},
		{`"FA-X50R4"`, "<in> X50", "true"},
		{`["a","b"]`, "<in> b", "true"},
		{`{"a":1}`, "<in> a", "true"},
		{`5`, "<in> 5", "error"},
		{`"b"`, "s> a", "true"},
		{`5`, "s< a", "error"},
		{`5`, "s== 5", "false"},
		{`5`, "s!= 5", "true"},
		{`null`, "s!= 5", "false"},
		{`"x"`, "s==", "false"},
		{`""`, "", "true"},
		{`"a b"`, "s== a b", "false"},
	} {
		r := CompileRequirement(c.requirement)
		got, err := r.match(value(t, c.value))
		verdict := map[bool]string{true: "true", false: "false"}[got]
		if err != nil {
			verdict = "error"
		}
		if verdict != c.want {
			t.Errorf("%s against %q is %s (%v), Cinder has %s", c.value, c.requirement, verdict, err, c.want)
		}
	}
}

func TestNullRequirementNeedsNull(t *testing.T) {
	r := NullRequirement()
	if ok, _ := r.match(capability.Value{}); !ok {
		t.Error("null does not meet null")
	}
	if ok, _ := r.match(capability.OfString("None")); ok {
		t.Error(`"None" meets null`)
	}
}

func TestMatchCapabilityNeedsOneMember(t *testing.T) {
	r := CompileRequirement("iscsi")
	if ok, err := r.MatchCapability(capability.OfStrings("iSCSI", "iscsi")); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestRequirementExplain(t *testing.T) {
	for _, c := range []struct{ key, value, requirement, want string }{
		{"total_volumes", `912`, "<= 800", "total_volumes 912 is not <= 800"},
		{"storage_protocol", `["iSCSI","iscsi"]`, "FC", "storage_protocol ['iSCSI', 'iscsi'] is not FC"},
		{"storage_protocol", `"NVMe"`, "<or> FC <or> iSCSI", "storage_protocol NVMe is not FC or iSCSI"},
		{"multiattach", `true`, "True", `multiattach True is a boolean, which text never equals: write "<is> True" instead of True`},
		{"replication_enabled", `false`, "<is> True", "replication_enabled False is not true"},
		{"array_model", `"FA-C60"`, "<in> X", "array_model FA-C60 does not contain X"},
		{"total_volumes", `5`, "<= many", `total_volumes 5 cannot meet "<= many": many is not a number`},
		{"array_name", `"a"`, "s!= a", "array_name a is a"},
		{"multiattach", `true`, "<is> <is>True", `multiattach True is compared with false, as which Cinder reads <is>True: write "<is> True" instead of "<is> <is>True"`},
		{"multiattach", `true`, "== True", `multiattach True cannot meet "== True": True is not a number: write "<is> True" instead of "== True"`},
		{"total_volumes", `5`, "s== 5", `total_volumes 5 is a number, and "s== 5" compares text: write "== 5" instead of "s== 5"`},
		{"total_volumes", `5`, "<in> 5", `total_volumes 5 is a number, and has no members for <in>: write "== 5" instead of "<in> 5"`},
		{"storage_protocol", `"iSCSI"`, "<or> FC iSCSI", `storage_protocol iSCSI is not FC: Cinder reads every second word as another <or>: write "<or> FC <or> iSCSI" instead of "<or> FC iSCSI"`},
		{"vendor_name", `"Pure Storage"`, "s== Pure Storage", `vendor_name Pure Storage is not Pure: Cinder compares one word: write "Pure Storage" instead of "s== Pure Storage"`},
		{"array_model", `"X"`, ">= 5", "array_model X is not a number, which >= needs"},
		{"replication_type", `[]`, "<in> a", "replication_type is an empty list"},
	} {
		r := CompileRequirement(c.requirement)
		if got := r.Explain(c.key, value(t, c.value)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	values := []capability.Value{capability.OfInt(5), capability.OfString("12.5"), capability.OfBool(true), capability.OfStrings("a", "b")}
	for _, text := range []string{"<= 800", "== 5", "<is> True", "<or> a <or> b", "plain"} {
		r := CompileRequirement(text)
		n := testing.AllocsPerRun(100, func() {
			for _, v := range values {
				_, _ = r.MatchCapability(v)
			}
		})
		if n != 0 {
			t.Errorf("%q allocates %v times", text, n)
		}
	}
}

func FuzzRequirement(f *testing.F) {
	f.Add("<= 800", `912`)
	f.Add("<or> a <or>", `["a", null]`)
	f.Add("== _1__0e٣", `"1_0"`)
	f.Add("<is> <is>True", `true`)
	f.Add("<or>a, b", `"b"`)
	f.Add("s== 5", `5`)
	f.Fuzz(func(t *testing.T, requirement, text string) {
		var v capability.Value
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		r := CompileRequirement(requirement)
		_, _ = r.MatchCapability(v)
		if r.String() != requirement {
			t.Fatalf("%q is printed as %q", requirement, r.String())
		}
		if why := r.Explain("key", v); !strings.HasPrefix(why, "key ") {
			t.Fatalf("%q explains %q", requirement, why)
		}
		_, isList := v.List()
		advice := r.Meant(v)
		if advice == "" || isList {
			return
		}
		fixed := CompileRequirement(advice)
		if again := fixed.Meant(v); again != "" {
			t.Fatalf("%q against %s advises %q, which advises %q", requirement, v, advice, again)
		}
		if ok, err := r.MatchCapability(v); ok && err == nil {
			t.Fatalf("%s meets %q, and there is the advice %q", v, requirement, advice)
		}
		if _, err := fixed.MatchCapability(v); err != nil {
			t.Fatalf("%q against %s advises %q, which fails: %v", requirement, v, advice, err)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	r := CompileRequirement("<= 800")
	v := capability.OfInt(912)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = r.MatchCapability(v)
	}
}

// adviceCase is a text in which Cinder finds no operator, with what to write
// instead, and whether the value is what was meant. A test in the folder
// integration evaluates the same cases with Cinder.
type adviceCase struct {
	Value   capability.Value `json:"value"`
	Written string           `json:"written"`
	Advice  string           `json:"advice"` // "" if there is none
	Fits    bool             `json:"fits"`
}

// TestMeantOperators applies each advice: what is to be written must be met by
// a value that was meant, and by no other.
func TestMeantOperators(t *testing.T) {
	data, err := os.ReadFile("testdata/advice/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []adviceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		r := CompileRequirement(c.Written)
		got := r.Meant(c.Value)
		if got != c.Advice {
			t.Errorf("%s against %q: the advice is %q, want %q", c.Value, c.Written, got, c.Advice)
		}
		if got == "" {
			continue
		}
		if ok, _ := r.MatchCapability(c.Value); ok {
			t.Errorf("%s meets %q, and there is an advice", c.Value, c.Written)
		}
		fixed := CompileRequirement(got)
		if ok, err := fixed.MatchCapability(c.Value); err != nil || ok != c.Fits {
			t.Errorf("%s against the advice %q is %v (%v), want %v", c.Value, got, ok, err, c.Fits)
		}
		if why := r.Explain("key", c.Value); !strings.Contains(why, strconv.Quote(got)+" instead of ") {
			t.Errorf("%s against %q is explained as %s", c.Value, c.Written, why)
		}
	}
}
