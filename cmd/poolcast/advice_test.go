package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// TestAdviceIsApplied follows the advice of place on conditions that no backend meets,
// after which some backend meets them, and check advises the same. The values are those
// of the examples: total_volumes 301 to 303.
func TestAdviceIsApplied(t *testing.T) {
	for _, c := range []struct{ key, written, advice string }{
		// operators without a blank
		{"multiattach", "<is>True", "<is> True"},
		{"multiattach", "<IS>true", "<is> true"},
		{"multiattach", "==True", "<is> True"},
		{"multiattach", "!=False", "<is> True"},
		{"total_volumes", "<=800", "<= 800"},
		{"total_volumes", "<800", "<= 800"},
		{"total_volumes", "=<800", "<= 800"},
		{"total_volumes", ">=100", ">= 100"},
		{"total_volumes", ">100", ">= 100"},
		{"total_volumes", "=>100", ">= 100"},
		{"total_volumes", "==302", "== 302"},
		{"total_volumes", "!=302", "!= 302"},
		{"total_volumes", "<>302", "!= 302"},
		{"total_volumes", "<is>302", "== 302"},
		{"total_volumes", "<in>302", "== 302"},
		{"total_volumes", "<or>302", "== 302"},
		{"total_volumes", "s==302", "== 302"},
		{"storage_protocol", "<in>iSCSI", "<in> iSCSI"},
		{"storage_protocol", "s==iSCSI", "s== iSCSI"},
		{"storage_protocol", "==iSCSI", "s== iSCSI"},
		{"storage_protocol", "<is>iSCSI", "s== iSCSI"},
		{"storage_protocol", "s!=FC", "s!= FC"},
		{"storage_protocol", "!=FC", "s!= FC"},
		{"storage_protocol", "s>=a", "s>= a"},
		{"storage_protocol", "s>a", "s> a"},
		{"storage_protocol", "s<z", "s< z"},
		{"storage_protocol", "s<=z", "s<= z"},
		{"storage_protocol", "<or>FC<or>iSCSI", "<or> FC <or> iSCSI"},
		{"storage_protocol", "<or>FC, iSCSI", "<or> FC <or> iSCSI"},
		{"vendor_name", "==Pure Storage", "Pure Storage"},
		// no operator, or one that cannot compare
		{"multiattach", "True", "<is> True"},
		{"multiattach", "<is> <is>True", "<is> True"},
		{"multiattach", "== True", "<is> True"},
		{"multiattach", "s== True", "<is> True"},
		{"multiattach", "<in> True", "<is> True"},
		{"total_volumes", "302", "== 302"},
		{"total_volumes", "< 800", "<= 800"},
		{"total_volumes", "> 100", ">= 100"},
		{"total_volumes", "== <=800", "<= 800"},
		{"total_volumes", "s== 302", "== 302"},
		{"total_volumes", "s<= 800", "<= 800"},
		{"total_volumes", "<in> 302", "== 302"},
		{"total_volumes", "<or> 302", "== 302"},
		{"storage_protocol", "== iSCSI", "s== iSCSI"},
		{"storage_protocol", "<or> FC iSCSI", "<or> FC <or> iSCSI"},
		{"vendor_name", "s== Pure Storage", "Pure Storage"},
	} {
		stdout, stderr, code := onExamples(t, "place", "--size", "1", "--property", c.key+"="+c.written)
		if code != exit.NoFit && code != exit.Config {
			t.Errorf("%s=%s: ended with %d: %s%s", c.key, c.written, code, stdout, stderr)
		}
		if got := adviceOfPlace(t, stdout+stderr); got != c.advice {
			t.Errorf("%s=%s: place advises %q, want %q: %s%s", c.key, c.written, got, c.advice, stdout, stderr)
		}
		if got := adviceOfCheck(t, c.key, c.written); got != c.key+"="+c.advice {
			t.Errorf("%s=%s: check advises %q, want %q", c.key, c.written, got, c.key+"="+c.advice)
		}
		if stdout, _, code := onExamples(t, "place", "--size", "1", "--property", c.key+"="+c.advice); code != exit.OK {
			t.Errorf("%s=%s: with %q it ended with %d: %s", c.key, c.written, c.advice, code, stdout)
		}
		if again := adviceOfCheck(t, c.key, c.advice); again != "" {
			t.Errorf("%s=%s: check of %q advises %q", c.key, c.written, c.advice, again)
		}
	}
}

// adviceOfPlace is what place advises to write, or "".
func adviceOfPlace(t *testing.T, printed string) string {
	t.Helper()
	found := regexp.MustCompile(`write ("(?:[^"\\]|\\.)*") instead of`).FindStringSubmatch(strings.Join(strings.Fields(printed), " "))
	if found == nil {
		return ""
	}
	value, err := strconv.Unquote(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// adviceOfCheck is the property that check advises to set for a type with one extra
// spec, or "".
func adviceOfCheck(t *testing.T, key, value string) string {
	t.Helper()
	types, err := json.Marshal([]map[string]any{{"Name": "gold", "Properties": map[string]string{key: value}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "types.json")
	if err := os.WriteFile(file, types, 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, _ := onExamples(t, "check", "--no-bus", "--types", file, "--output", "json")
	var result struct {
		Findings []struct {
			Where, Fix string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	for _, f := range result.Findings {
		found := regexp.MustCompile(`volume type set --property (?:'([^']*)'|(\S+)) gold`).FindStringSubmatch(f.Fix)
		if f.Where == "type gold" && found != nil {
			return found[1] + found[2]
		}
	}
	return ""
}

// TestAdvisedKeyIsApplied follows the advice on a misspelt key.
func TestAdvisedKeyIsApplied(t *testing.T) {
	for written, want := range map[string]string{"total_volume": "total_volumes", "storage_protcol": "storage_protocol", "multi_attach": "multiattach"} {
		stdout, _, code := onExamples(t, "place", "--size", "1", "--property", written+"=<or> <= 800")
		found := regexp.MustCompile(`did you mean (\w+)\?`).FindStringSubmatch(strings.Join(strings.Fields(stdout), " "))
		if code != exit.NoFit || found == nil || found[1] != want {
			t.Errorf("%s: ended with %d: %s", written, code, stdout)
			continue
		}
		if advised := adviceOfCheck(t, written, "<= 800"); advised != want+"=<= 800" {
			t.Errorf("%s: check advises %q", written, advised)
		}
		stdout, _, _ = onExamples(t, "place", "--size", "1", "--property", found[1]+"=<= 5")
		if strings.Contains(stdout, "is not reported") {
			t.Errorf("%s is not reported either: %s", found[1], stdout)
		}
	}
}
