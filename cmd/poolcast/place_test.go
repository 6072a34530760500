package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// onExamples runs a command on the example configuration and saved reports.
func onExamples(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append(args, "--config-file", "../../examples/cinder.conf", "--reports", "../../examples/reports.json"))
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		errs.WriteString(err.Error())
	}
	return out.String(), errs.String(), exitCode(err)
}

func TestPlaceExplains(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"place-strict":   {[]string{"place", "--size", "100", "--property", "capabilities:total_volumes=<= 301", "--seed", "1"}, exit.OK},
		"place-none":     {[]string{"place", "--size", "100", "--property", "capabilities:total_volumes=<= 6", "--seed", "1"}, exit.NoFit},
		"place-prefer":   {[]string{"place", "--size", "100", "--property", "capabilities:total_volumes=<= 6", "--policy", "prefer", "--seed", "1"}, exit.OK},
		"place-zone":     {[]string{"place", "--size", "100", "--availability-zone", "dc2", "--seed", "1"}, exit.NoFit},
		"place-many":     {[]string{"place", "--size", "100", "--count", "5", "--seed", "1"}, exit.OK},
		"place-json":     {[]string{"place", "--size", "100", "--seed", "1", "--output", "json"}, exit.OK},
		"place-old-list": {[]string{"place", "--size", "1", "--types", "testdata/types-old.json", "--type", "gold", "--seed", "1"}, exit.OK},
		"pools":          {[]string{"pools"}, exit.OK},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := onExamples(t, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, stderr)
			}
			golden(t, name+".golden", stdout)
		})
	}
}

func TestPlaceReadsCondensedProperty(t *testing.T) {
	stdout, stderr, code := onExamples(t, "place", "--size", "100", "--property", "capabilities:total_volumes<=301")
	if code != exit.OK || !strings.Contains(stdout, "is not <= 301") {
		t.Errorf("ended with %d: %s", code, stdout)
	}
	for _, want := range []string{"would store", `"capabilities:total_volumes<"`, "--property capabilities:total_volumes='<= 301'"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the warning lacks %s: %s", want, stderr)
		}
	}
}

// TestPlaceAdvice follows the advice on a condition that no backend meets, after
// which some backend meets it.
func TestPlaceAdvice(t *testing.T) {
	advice := regexp.MustCompile(`write ("(?:[^"\\]|\\.)*") instead of`)
	for _, property := range []string{"multiattach=<is>True", "multiattach=True", "total_volumes=<=301", "total_volumes=<301", "vendor_name===Pure Storage", "storage_protocol=<or>FC<or>iSCSI"} {
		stdout, _, code := onExamples(t, "place", "--size", "1", "--property", property)
		found := advice.FindStringSubmatch(strings.Join(strings.Fields(stdout), " "))
		if code != exit.NoFit || found == nil {
			t.Errorf("%s: ended with %d and without advice: %s", property, code, stdout)
			continue
		}
		value, err := strconv.Unquote(found[1])
		if err != nil {
			t.Fatal(err)
		}
		key, _, _ := strings.Cut(property, "=")
		if stdout, _, code := onExamples(t, "place", "--size", "1", "--property", key+"="+value); code != exit.OK {
			t.Errorf("%s: with %q it ended with %d: %s", property, value, code, stdout)
		}
	}
}

func TestPlaceReadsCondensedPropertyOfAnyType(t *testing.T) {
	for _, property := range []string{"multiattach==True", "total_volumes<301", "total_volumes!=5", "storage_protocol==iSCSI"} {
		stdout, stderr, code := onExamples(t, "place", "--size", "1", "--property", property)
		if code != exit.OK || !strings.Contains(stderr, "taken to mean") {
			t.Errorf("%s ended with %d: %s %s", property, code, stdout, stderr)
		}
	}
}

func TestPlaceUsageErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"--size is missing":       {"place"},
		"1 or more":               {"place", "--size", "-4"},
		"want key=value":          {"place", "--size", "1", "--property", "novalue"},
		"--type needs --types":    {"place", "--size", "1", "--type", "gold"},
		"it has gold":             {"place", "--size", "1", "--types", "testdata/types-old.json", "--type", "glod"},
		"want one of strict":      {"place", "--size", "1", "--policy", "mild"},
		"1 to 10000":              {"place", "--size", "1", "--count", "0"},
		"openstack volume type l": {"place", "--size", "1", "--types", "place_test.go", "--type", "gold"},
	} {
		if _, stderr, code := onExamples(t, args...); code != exit.Usage || !strings.Contains(stderr, want) {
			t.Errorf("%v ended with %d and %q, want 2 and %q", args, code, stderr, want)
		}
	}
}

// TestPlaceIsRepeatable: monitoring compares decisions, and this one is not random.
// Conditions are printed as they were given.
func TestPlaceIsRepeatable(t *testing.T) {
	args := []string{"place", "--size", "100", "--property", "total_volumes=<= 301", "--output", "json"}
	one, _, _ := onExamples(t, args...)
	two, _, _ := onExamples(t, args...)
	if one != two || strings.Contains(one, "seed") || !strings.Contains(one, `"<= 301"`) {
		t.Errorf("the decisions are\n%s\n%s", one, two)
	}
	t.Setenv("OS_DEFAULT__SCHEDULER_DEFAULT_WEIGHERS", "ChanceWeigher")
	if random, stderr, _ := onExamples(t, args...); !strings.Contains(random, `"seed": `) {
		t.Errorf("a random decision has no seed to repeat it with:\n%s%s", random, stderr)
	}
	if again, _, _ := onExamples(t, append(args, "--seed", "7")...); !strings.Contains(again, `"seed": 7`) {
		t.Errorf("the seed is not the one given:\n%s", again)
	}
}

func TestHelpListsFlagValues(t *testing.T) {
	for args, want := range map[string]string{
		"place --help":    "--policy strict|prefer",
		"--help":          "--on-stale keep|down|drop",
		"rehearse --help": "--log-level trace|debug|info|warn|error",
		"diff --help":     "--log-format text|json",
		"pools --help":    "--output table|json",
	} {
		stdout, _, _ := newWorkspace(t).run(strings.Fields(args)...)
		if !strings.Contains(stdout, want) {
			t.Errorf("%s lacks %s:\n%s", args, want, stdout)
		}
	}
}
