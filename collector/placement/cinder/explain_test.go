package cinder_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func decide(t *testing.T, o cinder.Options, r *cinder.Request, reports ...capability.Report) (*placement.Decision, error) {
	t.Helper()
	e, err := cinder.NewEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	return e.Decide(reports, r)
}

func TestRefusalHasOperands(t *testing.T) {
	thin := `"volume_backend_name":"g","thin_provisioning_support":true,`
	gold := func(specs ...cinder.ExtraSpec) *cinder.Request {
		return &cinder.Request{Size: 100, Type: &cinder.VolumeType{ExtraSpecs: specs}}
	}
	for _, c := range []struct {
		filter, capabilities, want string
		request                    *cinder.Request
	}{
		{
			"CapacityFilter", `{` + thin + `"total_capacity_gb":20480,"free_capacity_gb":9000,"provisioned_capacity_gb":28916,"max_over_subscription_ratio":2.0}`,
			"virtual free 12044 GiB < 15000 GiB: total 20480 × ratio 2 - provisioned 28916", &cinder.Request{Size: 15000},
		},
		{
			"CapacityFilter", `{` + thin + `"total_capacity_gb":1000,"free_capacity_gb":900,"provisioned_capacity_gb":0,"reserved_percentage":20,"max_over_subscription_ratio":1.0}`,
			"provisioned ratio 1.125 > 1: (provisioned 0 + 900 GiB) / 800 GiB", &cinder.Request{Size: 900},
		},
		{
			"CapacityFilter", `{` + thin + `"total_capacity_gb":1000,"free_capacity_gb":720,"reserved_percentage":20,"max_over_subscription_ratio":2.0}`,
			"virtual free 720 GiB < 790 GiB: free 720, which is less than total 1000 - reserved 200 - allocated 0",
			&cinder.Request{Size: 790, Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("provisioning:type", "thick")}}},
		},
		{"CapacityFilter", `{"total_capacity_gb":1000,"free_capacity_gb":70.129}`, "virtual free 70.13 GiB < 100 GiB: free 70.13, which is less than total 1000 - allocated 0", gold()},
		{"CapacityFilter", `{"total_capacity_gb":120,"free_capacity_gb":110,"provisioned_capacity_gb":30}`, "virtual free 90 GiB < 100 GiB: total 120 - provisioned 30, free 110", gold()},
		{"CapacityFilter", `{"free_capacity_gb":null}`, "free_capacity_gb is null: cinder-volume could not read it", gold()},
		{"CapacityFilter", `{"free_capacity_gb":5}`, "total 0 GiB is not above 0", gold()},
		{"CapacityFilter", `{"total_capacity_gb":"infinite","free_capacity_gb":5,"reserved_percentage":7}`, "cannot reserve 7% of a total that is infinite or unknown", gold()},
		{"CapacityFilter", `{` + thin + `"total_capacity_gb":10,"free_capacity_gb":5,"max_over_subscription_ratio":0.5}`, "over-subscription ratio 0.5 is below 1", gold()},
		{"CapabilitiesFilter", `{"total_volumes":912}`, "total_volumes 912 is not <= 800", gold(cinder.Spec("capabilities:total_volumes", "<= 800"))},
		{"CapabilitiesFilter", `{"total_snapshots":912}`, "total_dnapshots is not reported; did you mean total_snapshots?", gold(cinder.Spec("total_dnapshots", "<= 800"))},
		{"CapabilitiesFilter", `{"online_extend_support":false}`, "online_extend_support is False and the volume is not detached", &cinder.Request{Size: 5, NewSize: 9}},
		{"CapabilitiesFilter", `{"timestamp":"never"}`, `timestamp is a date: no requirement but "s!=" and "<is> False" is met`, gold(cinder.Spec("timestamp", "never"))},
		{"DriverFilter", `{"filter_function":"capabilities.total_volumes < 800","total_volumes":912}`, `filter_function "capabilities.total_volumes < 800" is False with capabilities.total_volumes 912`, gold()},
		{"DriverFilter", `{"filter_function":"capabilities.oops < 1"}`, `filter_function "capabilities.oops < 1": column 1: capabilities.oops has no value`, gold()},
		{"DriverFilter", `{"filter_function":"volume.size <"}`, `filter_function "volume.size <": column 14: the function ends where a number, a name or a parenthesis should follow`, gold()},
		{"AvailabilityZoneFilter", `{}`, "dc2 is not dc1", &cinder.Request{Zone: "dc1"}},
		{"AvailabilityZoneFilter", `{}`, "dc2 is not one of dc1, dc3", &cinder.Request{Zones: []string{"dc1", "dc3"}}},
		{"IgnoreAttemptedHostsFilter", `{}`, "h@a#_pool0 was tried before", &cinder.Request{Tried: []string{"h@a#_pool0"}}},
		{"DifferentBackendFilter", `{}`, "h@a#_pool0 has a volume of different_host", &cinder.Request{DifferentFrom: []string{"h@a#_pool0"}}},
		{"SameBackendFilter", `{}`, "h@a#_pool0 has none of the volumes of same_host, which are on h@b#g", &cinder.Request{SameAs: []string{"h@b#g"}}},
		{
			"InstanceLocalityFilter", `{}`, "host h is not compute1, the host of the instance 0f3a1c52-7d5e-4e0e-9f43-7d1f1c2b3a4d",
			&cinder.Request{LocalToInstance: "0f3a1c52-7d5e-4e0e-9f43-7d1f1c2b3a4d", InstanceHost: "compute1"},
		},
	} {
		d, err := decide(t, cinder.Options{Filters: []string{c.filter}}, c.request, report(t, "h@a", "dc2", c.capabilities))
		if d == nil || d.Fit != 0 {
			t.Errorf("%s passes %s (%v)", c.filter, c.capabilities, err)
			continue
		}
		if got := d.Verdicts[0].Reason(); got != c.want {
			t.Errorf("%s on %s\n got  %s\n want %s", c.filter, c.capabilities, got, c.want)
		}
	}
}

func TestEachPartOfAQueryIsExplained(t *testing.T) {
	for query, want := range map[string]string{
		`["and", ["<", "$free_capacity_gb", 50], ["=", "$pool_name", "gold"], ["and", [">", "$free_capacity_gb", 500], ["in", 1]]]`: `query ["<","$free_capacity_gb",50] is false with free_capacity_gb 90` +
			` | query [">","$free_capacity_gb",500] is false with free_capacity_gb 90 | query ["in",1] is false`,
		`["or", ["<", "$free_capacity_gb", 50]]`: `query ["or", ["<", "$free_capacity_gb", 50]] is false with free_capacity_gb 90`,
	} {
		d, err := decide(t, cinder.Options{Filters: []string{"JsonFilter"}}, &cinder.Request{Query: query}, report(t, "h@a", "", `{"volume_backend_name":"gold","free_capacity_gb":90}`))
		if d == nil || d.Fit > 0 {
			t.Errorf("%s: %v (%v)", query, d, err)
			continue
		}
		var got []string
		for _, r := range d.Verdicts[0].Refusals() {
			got = append(got, r.Reason)
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("%s\n got  %s\n want %s", query, strings.Join(got, " | "), want)
		}
	}
}

func TestScoreHasArithmetic(t *testing.T) {
	o := cinder.Options{Filters: []string{}, Weighers: []string{cinder.CapacityWeigher, cinder.GoodnessWeigher, cinder.VolumeNumberWeigher}}
	d, err := decide(t, o, &cinder.Request{Size: 1},
		report(t, "h@a", "", `{"total_capacity_gb":100,"free_capacity_gb":50,"provisioned_capacity_gb":120,"reserved_percentage":10,"thin_provisioning_support":true,"max_over_subscription_ratio":4,
			"goodness_function":"100 * (1 / max(capabilities.usec_per_write_op, 1))","usec_per_write_op":125,"total_volumes":3}`),
		report(t, "h@b", "", `{"free_capacity_gb":"unknown","goodness_function":"150"}`))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{
		"h@a#_pool0": {
			"virtual free 240 GiB: (total 100 - reserved 10) × ratio 4 - provisioned 120",
			`goodness_function "100 * (1 / max(capabilities.usec_per_write_op, 1))" is 0.8 with capabilities.usec_per_write_op 125`,
			"total_volumes 3",
		},
		"h@b#_pool0": {
			"capacity is infinite or unknown",
			`goodness_function "150" is 150; outside 0 to 100 it counts as 0`,
			"total_volumes is not reported, which counts as the worst of the others",
		},
	} {
		for k, w := range want {
			if got := d.Of(id).ScoreReason(k); got != w {
				t.Errorf("%s: got  %s\nwant %s", id, got, w)
			}
		}
	}
}

func TestPreferRelaxesLiveConditions(t *testing.T) {
	busy := func(host string, volumes, usec string) capability.Report {
		return report(t, host, "dc1", `{"volume_backend_name":"gold","total_capacity_gb":"infinite","free_capacity_gb":"infinite","array_model":"X",
			"filter_function":"capabilities.load_percent < 50 and 1","load_percent":90,"total_volumes":`+volumes+`,"usec_per_write_op":`+usec+`}`)
	}
	r := &cinder.Request{Size: 1, Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{
		cinder.Spec("total_volumes", "<= 800"), cinder.Spec("array_model", "X"), cinder.Spec("capabilities:usec_per_write_op", "<= 200"),
	}}}
	o := cinder.Options{
		Filters:  []string{cinder.CapabilitiesFilter, cinder.DriverFilter},
		Weighers: []string{cinder.VolumeNumberWeigher}, Policy: placement.Prefer,
	}
	reports := []capability.Report{busy("h@a", "950", "100"), busy("h@b", "900", "900"), report(t, "h@c", "dc1", `{"array_model":"C"}`)}
	d, err := decide(t, o, r, reports...)
	if err != nil {
		t.Fatal(err)
	}
	want := []placement.Condition{
		{Filter: "CapabilitiesFilter", Text: "total_volumes <= 800"},
		{Filter: "CapabilitiesFilter", Text: "usec_per_write_op <= 200"},
		{Filter: "DriverFilter", Text: "filter_function capabilities.load_percent < 50 and 1"},
	}
	if d.Chosen.Backend.ID() != "h@b#gold" || d.Fit != 2 || !slices.Equal(d.Relaxed, want) {
		t.Errorf("chose %s of %d and relaxed %v", d.Chosen.Backend.ID(), d.Fit, d.Relaxed)
	}
	if got := d.Of("h@c#_pool0").Reason(); got != "array_model C is not X" {
		t.Errorf("a condition that is not live: %s", got)
	}
	o.Policy = placement.Strict
	if _, err := decide(t, o, r, reports...); err == nil {
		t.Error("strict has relaxed conditions")
	}
}

// The scheduler keeps the time of a report among its capabilities, as a date.
func TestTimestampIsADate(t *testing.T) {
	report := capability.Report{Host: "h@b", Capabilities: capability.Set{capability.KeyVolumeBackendName: capability.OfString("gold")}}
	for _, c := range []struct {
		key, requirement string
		fits, fails      bool // the request
	}{
		{"timestamp", ">= 1", false, true},
		{"timestamp", "s!= x", true, false},
		{"capabilities:timestamp", "s!= x", true, false},
		{"timestamp", "s== x", false, false},
		{"timestamp", "s< x", false, true},
		{"timestamp", "<is> False", true, false},
		{"timestamp", "<is> True", false, false},
		{"timestamp", "<in> 2", false, true},
		{"timestamp", "<in>", false, false},
		{"timestamp", "<or> x", false, false},
		{"timestamp", "<or>", false, true},
		{"timestamp", "x", false, false},
		{"capabilities:timestamp:year", ">= 1", false, false},
	} {
		request := &cinder.Request{Size: 1, Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{cinder.Spec(c.key, c.requirement)}}}
		d, err := decide(t, cinder.Options{Filters: []string{"CapabilitiesFilter"}, Weighers: []string{}}, request, report)
		fails := err != nil && !errors.Is(err, placement.ErrNoPool)
		if fails != c.fails || !fails && (d.Fit == 1) != c.fits {
			t.Errorf("%s = %q: %v", c.key, c.requirement, err)
		}
	}
}
