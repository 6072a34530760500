package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestDiffIsGolden(t *testing.T) {
	d := newDesk(t)
	args := []string{"diff", "--reports", "~/reports.json", "--base", "~/pools.json", "--size", "100"}
	stdout, stderr, code := d.run(args...)
	if code != exitPartial || !strings.Contains(stderr, "there is nothing to compare ctl1@fa3 with") {
		t.Errorf("code %d, %s", code, stderr)
	}
	golden(t, "diff.golden", stdout)
	stdout, _, _ = d.run(append(args, "--types", "~/types.json", "--output", "json")...)
	golden(t, "diff.json.golden", stdout)
}

// TestDiffAddsWhatItIsTold: what is sent follows the overlay's own rule.
func TestDiffAddsWhatItIsTold(t *testing.T) {
	for _, c := range []struct {
		args []string
		want bool
	}{
		{nil, false},
		{[]string{"--fix-provisioned-capacity"}, true},
		{[]string{"--overlay=false"}, false}, // it suspends beside a cinder-volume
	} {
		d := newDesk(t)
		stdout, stderr, _ := d.run(append([]string{"diff", "--reports=~/reports.json", "--base=~/pools.json", "--output=json"}, c.args...)...)
		var out diffJSON
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

// TestDiffSuspendsAsTheAgentDoes: after a failover cinder-volume reports the
// partner, and a running agent sends nothing.
func TestDiffSuspendsAsTheAgentDoes(t *testing.T) {
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
			d := newDesk(t)
			d.onlyFirstReport()
			d.write("cinder.conf", sound)
			reports, err := readReports(t.Context(), nil, d.path("reports.json"))
			if err != nil {
				t.Fatal(err)
			}
			total := reports[0].Capabilities[capability.KeyTotalCapacity].String()
			d.write("base.json", strings.ReplaceAll(c.base, "TOTAL", total))
			args := append([]string{"diff", "--reports=~/reports.json", "--base=~/base.json"}, c.args...)
			stdout, stderr, code := d.run(append(args, "--output=json")...)
			var out diffJSON
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
			for _, want := range []string{"fa1 is suspended (" + c.cause + "), so nothing would be sent of it", "suspended, " + c.cause + ": ", "nothing would be sent: the report of cinder-volume stands"} {
				if !strings.Contains(stdout, want) {
					t.Errorf("%q is not in\n%s", want, stdout)
				}
			}
		})
	}
}

func TestDiffOfWhatWasSaved(t *testing.T) {
	d := newDesk(t)
	stdout, stderr, code := d.run("diff", "--reports=~/reports.json", "--base=~/reports.json")
	if code != exitOK || !strings.Contains(stdout, "the scheduler would decide as before") || strings.Count(stdout, "no difference") != 3 {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
}

func TestDiffRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--base=~/nowhere"}, exitUsage, "read base"},
		{[]string{"--base=~/cinder.conf"}, exitUsage, "--help lists the forms"},
		{[]string{"--base=~/types.json"}, exitUsage, "entry 1"},
		{[]string{"--base=~/pools.json", "--wait=1s"}, exitUsage, "none of the others can be"},
		{[]string{"--base=-", "--reports=-"}, exitUsage, "standard input"},
		{[]string{"--size=0"}, exitUsage, "1 or more"},
		{[]string{"--wait=-1s"}, exitUsage, "positive"},
		{[]string{"--types=~/nowhere"}, exitUsage, "read volume types"},
		{[]string{"--reports=~/reports.json", "--wait=300ms"}, exitPartial, "no broker answers"},
	} {
		d := newDesk(t)
		if _, stderr, code := d.run(append([]string{"diff"}, c.args...)...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: code %d, %s", c.args, code, stderr)
		}
	}
}

func TestBasesInAllForms(t *testing.T) {
	for _, c := range []struct{ name, text, want, fault string }{
		{name: "a dry run", text: `[{"host":"ctl1@fa1","cluster":null,"capabilities":{"a":1}}]`, want: `ctl1@fa1{"a":1}`},
		{name: "of a cluster", text: `[{"host":"ctl1@fa1","cluster":"c@fa1","capabilities":{"a":1}}]`, want: `c@fa1{"a":1}`},
		{name: "pools of the API", text: `{"pools":[{"name":"ctl1@fa1#gold","capabilities":{"a":1,"timestamp":"x"}}]}`, want: `ctl1@fa1{"a":1}`},
		{name: "by host", text: `{"ctl1@fa1":{"a":1},"ctl1@fa2#gold":{"b":2}}`, want: `ctl1@fa1{"a":1} ctl1@fa2{"b":2}`},
		{
			name: "the client's table", text: `[{"Name":"ctl1@fa1#gold","Protocol":"iSCSI","Thick":"","Thin":true,"Volumes":7,"Capacity":9.5,"Allocated":3,"Max Over Ratio":null}]`,
			want: `partial ctl1@fa1{"allocated_capacity_gb":3,"storage_protocol":"iSCSI","thin_provisioning_support":true,"total_capacity_gb":9.5,"total_volumes":7}`,
		},
		{name: "the table without --long", text: `[{"Name":"ctl1@fa1#gold"}]`, fault: "--long"},
		{name: "nothing", text: " ", fault: "empty"},
		{name: "no backend", text: "[]", fault: "no backend"},
		{name: "no name of a backend", text: `{"fa1":{"a":1}}`, fault: `"fa1" is not the name`},
		{name: "no capabilities", text: `{"ctl1@fa1":3}`, fault: "ctl1@fa1"},
		{name: "no JSON", text: `+---`, fault: "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bases, err := parseBases([]byte(c.text))
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v, want %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			if bases.partial {
				parts = append(parts, "partial")
			}
			for _, name := range sortedKeys(bases.sets) {
				text, err := bases.sets[name].MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, name+string(text))
			}
			if got := strings.Join(parts, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func FuzzBases(f *testing.F) {
	f.Add([]byte(`[{"host":"ctl1@fa1","capabilities":{"a":[1,null,{"b":1e3}]}}]`))
	f.Add([]byte(`{"pools":[{"name":"ctl1@fa1#gold","capabilities":{}}]}`))
	f.Add([]byte(`[{"Name":"ctl1@fa1#gold","Thin":true,"Volumes":7}]`))
	f.Add([]byte(`{"ctl1@fa1":{"a":NaN}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		bases, err := parseBases(data)
		if err != nil {
			return
		}
		if len(bases.sets) == 0 {
			t.Error("no error, and no backend")
		}
		for name, set := range bases.sets {
			if _, err := set.MarshalJSON(); err != nil || !strings.Contains(name, "@") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
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
