package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
)

// rehearse runs the command on the examples.
func rehearse(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append([]string{"--config-file", "../../examples/cinder.conf", "rehearse", "--source", "../../examples/reports.json"}, args...))
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// TestRehearseTranscript compares the printed form with a golden file.
func TestRehearseTranscript(t *testing.T) {
	const golden = "testdata/rehearse.txt"
	printed, err := rehearse(t, "--size", "2048", "--rate", "0.05")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(printed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), printed); diff != "" {
		t.Errorf("the output changed (-kept +printed); look at it, then write it anew with -update\n%s", diff)
	}
}

// TestRehearseMaintenance takes one array out and adds an empty one.
func TestRehearseMaintenance(t *testing.T) {
	args := []string{"--size", "2048", "--rate", "0.05", "--without", "flasharray_x_01", "--with", "flasharray_x_02", "--settings", "current,stochastic"}
	printed, err := rehearse(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "rehearse-maintenance.golden", printed)
	printed, err = rehearse(t, append(args, "--output", "json")...)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Change rehearsal.Change }
	if err := json.Unmarshal([]byte(printed), &got); err != nil {
		t.Fatal(err)
	}
	if c := got.Change; c.All != 40 || c.Rest != 40 || c.Taken != 40 || c.Flood.Now.Volumes != 40 || c.Flood.Now.First != 40 {
		t.Errorf("change: %+v", c)
	}
}

func TestRehearseJSON(t *testing.T) {
	printed, err := rehearse(t, "--size", "2048", "--rate", "0.05", "--settings", "fixed-ratio,current", "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Outcomes []struct {
			Setting string                   `json:"setting"`
			Arrays  []rehearsal.ArrayOutcome `json:"arrays"`
		} `json:"outcomes"`
	}
	if err := json.Unmarshal([]byte(printed), &got); err != nil {
		t.Fatal(err)
	}
	volumes := map[string][]int64{}
	for _, o := range got.Outcomes {
		for _, a := range o.Arrays {
			volumes[o.Setting] = append(volumes[o.Setting], a.Volumes)
		}
	}
	if diff := cmp.Diff(map[string][]int64{"current": {40, 0, 0}, "fixed-ratio": {9, 13, 18}}, volumes); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	if got.Outcomes[0].Setting != "current" {
		t.Errorf("the first setting is %s", got.Outcomes[0].Setting)
	}
	after, _ := got.Outcomes[0].Arrays[0].After[capability.KeyProvisionedCapacity].Float()
	if want := 307200.0 + 40*2048; after != want {
		t.Errorf("the first array has %v GiB provisioned afterwards, want %v", after, want)
	}
}

// TestRehearseIsRepeatable: a seed is printed only where something is drawn.
func TestRehearseIsRepeatable(t *testing.T) {
	for settings, seeded := range map[string]bool{"current,capacity": false, "current,stochastic": true, "two-choices": true} {
		args := []string{"--size", "100", "--count", "5", "--settings", settings, "--property", "total_volumes=<= 302", "--output", "json"}
		one, err := rehearse(t, args...)
		two, _ := rehearse(t, args...)
		if err != nil || one != two || strings.Contains(one, `"seed": 1`) != seeded || !strings.Contains(one, `"<= 302"`) {
			t.Errorf("%s: %v\n%s\n%s", settings, err, one, two)
		}
	}
}

func TestRehearseExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		text string
	}{
		{"--size 100 --count 3", exit.OK, ""},
		{"--size 99999999", exit.NoFit, "no create finds a backend"},
		{"--size 100 --availability-zone dc9", exit.NoFit, "cinder-api refuses it before the scheduler is asked (InvalidAvailabilityZone)"},
		{"", exit.Usage, "--size is missing"},
		{"--size 100 --rate 0 --schedulers 0", exit.Usage, "rate 0: want creates per second, such as 0.5\nschedulers 0"},
		{"--size 100 --without flasharray_x_09", exit.Usage, "no report of such a backend; there are flasharray_x_01, flasharray_x_02 and flasharray_x_03; did you mean flasharray_x_0"},
		{"--size 100 --with nothing", exit.Usage, "--with nothing: no report of such a backend"},
		{"--size 100 --count 2 --without flasharray_x_01 --with flasharray_x_02", exit.OK, ""},
		{"--size 100 --ratio 0.5", exit.Usage, "--ratio 0.5: want 1 or more"},
		{"--size 100 --settings fastest", exit.Usage, `--settings: unknown setting "fastest"; known are [current`},
	} {
		_, err := rehearse(t, strings.Fields(c.args)...)
		if got := exitCode(err); got != c.code {
			t.Errorf("rehearse %s: exit code %d, want %d (%v)", c.args, got, c.code, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("rehearse %s: %v, want %q", c.args, err, c.text)
		}
	}
}
