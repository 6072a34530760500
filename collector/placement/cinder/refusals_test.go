package cinder_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// TestRefusalsAreAllConditions: a backend that one filter refuses is shown with what
// the others have against it.
func TestRefusalsAreAllConditions(t *testing.T) {
	o := cinder.Options{Filters: []string{
		cinder.AvailabilityZoneFilter, cinder.CapabilitiesFilter, cinder.CapacityFilter, cinder.DriverFilter, cinder.IgnoreAttemptedHostsFilter,
	}}
	r := &cinder.Request{Size: 100, Zone: "dc1", Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{
		cinder.Spec("total_volumes", "<= 800"), cinder.Spec("array_model", "s== X"), cinder.Spec("multiattach", "True"), cinder.Spec("usec_per_writ_op", "<= 5"),
	}}}
	busy := `{"total_volumes":912,"array_model":"X","multiattach":true,"usec_per_write_op":9,"total_capacity_gb":50,"free_capacity_gb":50,
		"filter_function":"((capabilities.total_volumes < 500) and (volume.size < 50)) and (1 < 2)"}`
	d, err := decide(t, o, r, report(t, "h@a", "dc2", busy), report(t, "h@b", "dc1", busy), report(t, "h@c", "dc1", `{"array_model":3}`))
	if err == nil {
		t.Fatal("some backend fits")
	}
	capability := []string{
		"total_volumes 912 is not <= 800",
		`multiattach True is a boolean, which text never equals: write "<is> True" instead of True`,
		"usec_per_writ_op is not reported; did you mean usec_per_write_op?",
	}
	rest := []string{
		"also: CapacityFilter: virtual free 50 GiB < 100 GiB: total 50 - allocated 0, free 50",
		`also: DriverFilter: filter_function needs "capabilities.total_volumes < 500", which is False with capabilities.total_volumes 912`,
		`also: DriverFilter: filter_function needs "volume.size < 50", which is False with volume.size 100`,
	}
	want := map[string][]string{
		"h@a#_pool0": append([]string{"refused by AvailabilityZoneFilter: dc2 is not dc1"}, append(prefixed("also: CapabilitiesFilter: ", capability), rest...)...),
		"h@b#_pool0": append(prefixed("refused by CapabilitiesFilter: ", capability), rest...),
		"h@c#_pool0": {
			"refused by CapabilitiesFilter: total_volumes is not reported",
			"refused by CapabilitiesFilter: array_model 3 is a number, and \"s== X\" compares text",
			"refused by CapabilitiesFilter: multiattach is not reported",
			"refused by CapabilitiesFilter: usec_per_writ_op is not reported",
			"also: CapacityFilter: total 0 GiB is not above 0",
		},
	}
	for id, lines := range want {
		v := d.Of(id)
		if diff := cmp.Diff(lines, v.Lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if first := v.Refusals()[0]; first.Filter != v.RefusedBy || first.Reason != v.Reason() || first.Later {
			t.Errorf("%s: the first is %+v, and the reason %s", id, first, v.Reason())
		}
	}
	if strings.Contains(err.Error(), "usec") || strings.Contains(err.Error(), "virtual") {
		t.Errorf("the summary has more than the first condition: %v", err)
	}
	written, err := json.Marshal(d.Of("h@c#_pool0").Refusals())
	if err != nil || !strings.HasPrefix(string(written), `[{"filter":"CapabilitiesFilter","reason":"total_volumes is not reported","later":false},`) {
		t.Errorf("as JSON: %s (%v)", written, err)
	}
}

func prefixed(prefix string, texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = prefix + s
	}
	return out
}

// TestLaterFilterThatFails: the scheduler does not run it on a backend that is refused
// already, so the decision does not fail with it.
func TestLaterFilterThatFails(t *testing.T) {
	r := &cinder.Request{Size: 1, Zone: "dc1", Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("total_volumes", "<in> 5")}}}
	o := cinder.Options{Filters: []string{cinder.AvailabilityZoneFilter, cinder.CapabilitiesFilter}}
	d, err := decide(t, o, r, report(t, "h@a", "dc2", `{"total_volumes":5}`))
	if d == nil {
		t.Fatal(err)
	}
	want := placement.Refusal{Filter: "CapabilitiesFilter", Reason: `it cannot decide: total_volumes: compare with "<in> 5": integer 5 has no members: write "== 5" instead of "<in> 5"`, Later: true}
	if got := d.Verdicts[0].Refusals(); len(got) != 2 || got[1] != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := decide(t, o, r, report(t, "h@a", "dc1", `{"total_volumes":5}`)); err == nil || strings.Contains(err.Error(), "0 of 1") {
		t.Errorf("the filter that refuses first does not fail: %v", err)
	}
}
