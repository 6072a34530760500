package check

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

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
		{name: "an overlay in a dry run", text: `[{"host":"ctl1@fa1","capabilities":{"metrics_agent":"poolcast"}}]`, want: `ctl1@fa1{"metrics_agent":"poolcast"}`},
		{name: "an overlay of the scheduler", text: `{"pools":[{"name":"ctl1@fa1#gold","capabilities":{"metrics_agent":"poolcast"}}]}`, fault: "entry 1: ctl1@fa1 is an overlay"},
		{name: "an overlay by host", text: `{"ctl1@fa1":{"metrics_agent":"poolcast"}}`, fault: "ctl1@fa1 is an overlay"},
		{name: "nothing", text: " ", fault: "empty"},
		{name: "no backend", text: "[]", fault: "no backend"},
		{name: "no name of a backend", text: `{"fa1":{"a":1}}`, fault: `"fa1" is not the name`},
		{name: "no capabilities", text: `{"ctl1@fa1":3}`, fault: "ctl1@fa1"},
		{name: "no JSON", text: `+---`, fault: "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bases, err := ParseBases([]byte(c.text))
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
			for _, name := range slices.Sorted(maps.Keys(bases.sets)) {
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
		bases, err := ParseBases(data)
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
