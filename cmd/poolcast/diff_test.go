package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/check"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

func TestDiffIsGolden(t *testing.T) {
	d := newWorkspace(t)
	args := []string{"diff", "--source", "~/reports.json", "--base", "~/pools.json", "--size", "100"}
	stdout, stderr, code := d.run(args...)
	if code != exit.Partial || !strings.Contains(stderr, "there is no base report of ctl1@fa3") {
		t.Errorf("code %d, %s", code, stderr)
	}
	golden(t, "diff.golden", stdout)
	stdout, _, _ = d.run(append(args, "--output", "json")...)
	golden(t, "diff.json.golden", stdout)
}

// diffOutput is what diff --output json prints, as far as tests read it.
type diffOutput struct {
	Backends []check.BackendDiff `json:"backends"`
	Effects  []advice.Effect     `json:"effects"`
}

// TestDiffAddsProvisionedCapacityOnRequest: what is sent follows the overlay's own rule.
func TestDiffAddsProvisionedCapacityOnRequest(t *testing.T) {
	for _, c := range []struct {
		args []string
		want bool
	}{
		{nil, false},
		{[]string{"--fix-provisioned-capacity"}, true},
		{[]string{"--overlay=false"}, false}, // it suspends beside a cinder-volume
	} {
		d := newWorkspace(t)
		stdout, stderr, _ := d.run(append([]string{"diff", "--source=~/reports.json", "--base=~/pools.json", "--output=json"}, c.args...)...)
		var out diffOutput
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Fatalf("%v: %s", err, stderr)
		}
		sent := false
		for _, change := range out.Backends[0].Changes {
			if change.Key == capability.KeyProvisionedCapacity {
				sent = change.Sent
			}
		}
		if sent != c.want {
			t.Errorf("%v: provisioned_capacity_gb is sent: %t", c.args, sent)
		}
	}
}

// TestDiffSuspendsLikeTheAgent: after a failover cinder-volume reports the
// partner, and a running agent sends nothing.
func TestDiffSuspendsLikeTheAgent(t *testing.T) {
	for _, c := range []struct {
		name, base string
		args       []string
		cause      string
	}{
		{"the same array", `{"ctl1@fa1": {"total_capacity_gb": TOTAL, "total_volumes": 1}}`, nil, ""},
		{"another capacity", `{"ctl1@fa1": {"total_capacity_gb": 95000.0, "free_capacity_gb": 90000.0, "total_volumes": 1}}`, nil, "different_capacity"},
		{"pools", `{"ctl1@fa1": {"total_capacity_gb": TOTAL, "pools": []}}`, nil, "base_has_pools"},
		{"no overlay", `{"ctl1@fa1": {"total_capacity_gb": TOTAL}}`, []string{"--overlay=false"}, "cinder_volume_reports"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newWorkspace(t)
			d.onlyFirstReport()
			d.write("cinder.conf", sound)
			data, err := os.ReadFile(d.path("reports.json"))
			var reports []capability.Report
			if err := errors.Join(err, json.Unmarshal(data, &reports)); err != nil {
				t.Fatal(err)
			}
			total := reports[0].Capabilities[capability.KeyTotalCapacity].String()
			d.write("base.json", strings.ReplaceAll(c.base, "TOTAL", total))
			args := append([]string{"diff", "--source=~/reports.json", "--base=~/base.json"}, c.args...)
			stdout, stderr, code := d.run(append(args, "--output=json")...)
			var out diffOutput
			if err := json.Unmarshal([]byte(stdout), &out); err != nil {
				t.Fatalf("code %d: %v: %s", code, err, stderr)
			}
			b := out.Backends[0]
			sent := 0
			for _, change := range b.Changes {
				if change.Sent {
					sent++
				}
			}
			if c.cause == "" {
				if b.Suspended != nil || sent == 0 {
					t.Errorf("suspended %+v, %d keys sent", b.Suspended, sent)
				}
				return
			}
			if b.Suspended == nil || string(b.Suspended.Cause) != c.cause || sent > 0 {
				t.Errorf("suspended %+v, %d keys sent", b.Suspended, sent)
			}
			if b.Before != nil && *b.Before != *b.After {
				t.Errorf("virtual free changes from %v to %v though nothing is sent", *b.Before, *b.After)
			}
			for _, e := range out.Effects {
				if !e.Same() {
					t.Errorf("a decision changes though nothing is sent: %+v", e)
				}
			}
			stdout, _, _ = d.run(args...)
			for _, want := range []string{"fa1 is suspended (" + c.cause + "), so nothing would be published of it", "suspended, " + c.cause + ": ", "nothing would be published, the schedulers use the report of cinder-volume"} {
				if !strings.Contains(strings.Join(strings.Fields(stdout), " "), want) {
					t.Errorf("%q is not in\n%s", want, stdout)
				}
			}
		})
	}
}

func TestDiffOfSavedReports(t *testing.T) {
	d := newWorkspace(t)
	stdout, stderr, code := d.run("diff", "--source=~/reports.json", "--base=~/reports.json")
	if code != exit.OK || !strings.Contains(stdout, "the scheduler would decide as before") || strings.Count(stdout, "no difference") != 3 {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
}

func TestDiffUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--base=~/nowhere"}, exit.Usage, "read base"},
		{[]string{"--base=~/cinder.conf"}, exit.Usage, "--help lists the forms"},
		{[]string{"--base=~/types.json"}, exit.Usage, "entry 1"},
		{[]string{"--base=~/pools.json", "--wait=1s"}, exit.Usage, "none of the others can be"},
		{[]string{"--base=-", "--source=-"}, exit.Usage, "standard input"},
		{[]string{"--size=0"}, exit.Usage, "1 or more"},
		{[]string{"--wait=-1s"}, exit.Usage, "positive"},
		{[]string{"--types=~/nowhere"}, exit.Usage, "read volume types"},
		{[]string{"--source=~/reports.json", "--wait=300ms"}, exit.Partial, "not connected to RabbitMQ"},
	} {
		d := newWorkspace(t)
		if _, stderr, code := d.run(append([]string{"diff"}, c.args...)...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: code %d, %s", c.args, code, stderr)
		}
	}
}
