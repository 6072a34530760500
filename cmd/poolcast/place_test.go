package main

import (
	"bytes"
	"os"
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
	root.SetArgs(append(args, "--config-file", "../../examples/cinder.conf", "--source", "../../examples/reports.json"))
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
		"place-strict": {[]string{"place", "--size", "100", "--property", "capabilities:total_volumes=<= 301", "--seed", "1"}, exit.OK},
		"place-none":   {[]string{"place", "--size", "100", "--property", "capabilities:total_volumes=<= 6", "--seed", "1"}, exit.NoFit},
		"place-prefer": {[]string{"place", "--size", "100", "--property", "capabilities:total_volumes=<= 6", "--policy", "prefer", "--seed", "1"}, exit.OK},
		"place-zone":   {[]string{"place", "--size", "100", "--availability-zone", "dc2", "--seed", "1"}, exit.NoFit},
		"place-all": {
			[]string{"place", "--size", "9999999", "--availability-zone", "dc2", "--property", "total_volumes=<= 302", "--property", "multiattach=<is>True"}, exit.NoFit,
		},
		"place-many":     {[]string{"place", "--size", "100", "--count", "5", "--seed", "1"}, exit.OK},
		"place-json":     {[]string{"place", "--size", "100", "--seed", "1", "--output", "json"}, exit.OK},
		"place-old-list": {[]string{"place", "--size", "1", "--types", "testdata/types-old.json", "--type", "gold", "--seed", "1"}, exit.OK},
		"place-extend":   {[]string{"place", "--extend", "flasharray_x_01", "--from-size", "100", "--size", "20000000"}, exit.NoFit},
		"place-migrate":  {[]string{"place", "--migrate-from", "flasharray_x_03", "--to", "flasharray_x_01", "--size", "100"}, exit.OK},
		"place-retype": {[]string{
			"place", "--retype-of", "flasharray_x_03", "--size", "100", "--types", "testdata/types-zones.json", "--type", "few",
			"--from-type", "anywhere", "--migration-policy", "on-demand",
		}, exit.OK},
		"place-retype-never": {[]string{"place", "--retype-of", "flasharray_x_03", "--size", "100", "--types", "testdata/types-zones.json", "--type", "few", "-o", "json"}, exit.NoFit},
		"place-refused-json": {[]string{"place", "--size", "100", "--types", "testdata/types-zones.json", "--type", "elsewhere", "-o", "json"}, exit.NoFit},
		"place-clone":        {[]string{"place", "--clone-of", "flasharray_x_03", "--size", "100"}, exit.OK},
		"place-hint":         {[]string{"place", "--size", "100", "--hint", "different_host=flasharray_x_01", "--qos", "maxIOPS=500"}, exit.OK},
		"pools":              {[]string{"pools"}, exit.OK},
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
		"it is no JSON":           {"place", "--size", "1", "--types", "place_test.go", "--type", "gold"},
		"--qos maxIOPS: want key": {"place", "--size", "1", "--qos", "maxIOPS"},
		"with one of the names":   {"place", "--size", "1", "--hint", "near=x"},
		"there is no backend":     {"place", "--size", "1", "--hint", "same_host=x"},
		"add --os-cloud":          {"place", "--size", "1", "--hint", "same_host=5f5a43e0-3e6b-4a7a-9d0e-3a5d2b8f6c1d"},
		"choose one":              {"place", "--size", "1", "--clone-of", "x", "--extend", "y"},
		"give both":               {"place", "--size", "1", "--to", "flasharray_x_01"},
		"needs --from-size":       {"place", "--size", "1", "--extend", "flasharray_x_01"},
		"needs the new type":      {"place", "--size", "1", "--retype-of", "flasharray_x_01"},
		"a volume that exists":    {"place", "--size", "2", "--extend", "flasharray_x_01", "--from-size", "1", "--count", "2"},
		"need --retype-of":        {"place", "--size", "1", "--migration-policy", "on-demand"},
		"about a new one":         {"place", "--size", "2", "--extend", "flasharray_x_01", "--from-size", "1", "--availability-zone", "dc1"},
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
	one, _, _ = onExamples(t, append(args, "--seed", "3")...)
	two, _, _ = onExamples(t, append(args, "--seed", "4")...)
	if one != two || strings.Contains(one, `"seed"`) {
		t.Errorf("nothing is drawn where one backend fits, and the decisions are\n%s\n%s", one, two)
	}
	args = []string{"place", "--size", "100", "--output", "json"}
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
		"pools --help":    "--output table|wide|json",
	} {
		stdout, _, _ := newWorkspace(t).run(strings.Fields(args)...)
		if !strings.Contains(stdout, want) {
			t.Errorf("%s lacks %s:\n%s", args, want, stdout)
		}
	}
}

func TestPlaceUsesDefaultType(t *testing.T) {
	types := t.TempDir() + "/types.json"
	if err := os.WriteFile(types, []byte(`{"volume_types":[{"name":"__DEFAULT__","extra_specs":{"capabilities:total_volumes":"<= 301"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, code := onExamples(t, "place", "--size", "1", "--types", types)
	if code != exit.OK || !strings.Contains(stdout, "is not <= 301") || !strings.Contains(stdout, "no type was requested: __DEFAULT__ by default_volume_type") {
		t.Errorf("ended with %d: %s", code, stdout)
	}
	stdout, _, _ = onExamples(t, "place", "--size", "1", "--types", types, "--property", "media=x")
	if strings.Contains(stdout, "default_volume_type") {
		t.Errorf("a request with extra specs has the default type: %s", stdout)
	}
}

// TestPlaceReadsVolumeProperties uses functions that read what cinder-api fills in, and
// what only flags can give.
func TestPlaceReadsVolumeProperties(t *testing.T) {
	reports := t.TempDir() + "/reports.json"
	for function, c := range map[string]struct {
		args []string
		code int
		text string
	}{
		"volume.multiattach == 0":           {nil, exit.OK, "would take it"},
		"volume.multiattach == 1":           {[]string{"--property", "multiattach=<is> True"}, exit.OK, "would take it"},
		"volume.status == 'creating'":       {nil, exit.OK, "would take it"},
		"volume.availability_zone == 'dc1'": {nil, exit.OK, "would take it"},
		"qos.maxIOPS > 100":                 {[]string{"--qos", "maxIOPS=500"}, exit.OK, "would take it"},
		"volume.project_id == 'a'":          {nil, exit.NoFit, "give it with --volume-property project_id=VALUE"},
		"volume.user_id == 'a'":             {[]string{"--volume-property", "user_id=a"}, exit.OK, "would take it"},
	} {
		text := `[{"host":"ctl1@a1","backend":"a1","volume_backend_name":"gold","availability_zone":"dc1","collected_at":"2026-11-22T18:33:01Z",
			"status":"ok","capabilities":{"volume_backend_name":"gold","total_capacity_gb":1000.0,"free_capacity_gb":900.0,"multiattach":true,
			"provisioned_capacity_gb":0.0,"filter_function":` + strconv.Quote(function) + `}}]`
		if err := os.WriteFile(reports, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		root := newRootCommand()
		root.SetArgs(append([]string{"place", "--size", "1", "--config-file", "../../examples/mixed.conf", "--source", reports}, c.args...))
		root.SetOut(&out)
		root.SetErr(&out)
		err := root.ExecuteContext(t.Context())
		if got := strings.Join(strings.Fields(out.String()), " "); exitCode(err) != c.code || !strings.Contains(got, c.text) {
			t.Errorf("%s: ended with %d: %s", function, exitCode(err), got)
		}
	}
}
