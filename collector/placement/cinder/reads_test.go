package cinder_test

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func TestReads(t *testing.T) {
	report := capability.Report{Capabilities: capability.Set{
		capability.KeyFilterFunction:   capability.OfString("capabilities.total_volumes < 800 and stats.free_capacity_gb > volume.size"),
		capability.KeyGoodnessFunction: capability.OfString("100 - capabilities.load_percent"),
	}}
	const capacity = "allocated_capacity_gb free_capacity_gb max_over_subscription_ratio provisioned_capacity_gb reserved_percentage total_capacity_gb"
	request := func(specs map[string]string, query string) *cinder.Request {
		r := &cinder.Request{Size: 1, Query: query}
		if specs != nil {
			r.Type = &cinder.VolumeType{Name: "t", ExtraSpecs: cinder.ExtraSpecsOf(specs)}
		}
		return r
	}
	for name, c := range map[string]struct {
		options cinder.Options
		request *cinder.Request
		want    string
	}{
		"defaults": {cinder.Options{}, request(nil, ""), capacity},
		"conditions": {
			cinder.Options{Filters: []string{"CapabilitiesFilter"}, Weighers: []string{}},
			request(map[string]string{"avg_latency_ms": "<= 1", "capabilities:media:kind": "x", "pure:y": "z"}, ""), "avg_latency_ms media",
		},
		"functions": {
			cinder.Options{Filters: []string{"cinder.scheduler.filters.DriverFilter"}, Weighers: []string{"GoodnessWeigher"}},
			request(nil, ""), "free_capacity_gb load_percent total_volumes",
		},
		"query": {
			cinder.Options{Filters: []string{"JsonFilter"}, Weighers: []string{"ChanceWeigher"}},
			request(nil, `["and", ["<", "$capabilities.dedupe_ratio", 4], [">", "$total_capacity_gb", 1]]`), "dedupe_ratio total_capacity_gb",
		},
		"unreadable query": {cinder.Options{Filters: []string{"JsonFilter"}, Weighers: []string{}}, request(nil, "["), ""},
		"no weight": {
			cinder.Options{Filters: []string{}, Weighers: []string{"GoodnessWeigher", "VolumeNumberWeigher", "AllocatedCapacityWeigher", "CapacityWeigher"}, Multipliers: map[string]float64{"CapacityWeigher": 0}},
			request(nil, ""), "allocated_capacity_gb load_percent total_volumes",
		},
	} {
		if got := strings.Join(cinder.Reads(c.options, c.request, &report), " "); got != c.want {
			t.Errorf("%s reads %q, want %q", name, got, c.want)
		}
	}
}
