package cinder_test

import (
	"encoding/json"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func report(t *testing.T, host, zone, capabilities string) capability.Report {
	t.Helper()
	set, err := capability.ParseSet([]byte(capabilities))
	if err != nil {
		t.Fatal(err)
	}
	return capability.Report{Host: host, Zone: zone, Capabilities: set}
}

func TestDecideByCapacity(t *testing.T) {
	s := cinder.NewSnapshot([]capability.Report{
		report(t, "h@a", "dc1", `{"volume_backend_name":"gold","total_capacity_gb":1000,"free_capacity_gb":100,"provisioned_capacity_gb":900,"thin_provisioning_support":true,"max_over_subscription_ratio":1.5}`),
		report(t, "h@b", "dc1", `{"volume_backend_name":"gold","total_capacity_gb":1000,"free_capacity_gb":100,"provisioned_capacity_gb":800,"thin_provisioning_support":true,"max_over_subscription_ratio":1.5}`),
		report(t, "h@c", "dc2", `{"volume_backend_name":"gold","total_capacity_gb":1000,"free_capacity_gb":100}`),
	})
	engine, err := cinder.NewEngine(cinder.Options{
		Filters: []string{cinder.AvailabilityZoneFilter, cinder.CapacityFilter},
	})
	if err != nil {
		t.Fatal(err)
	}
	var r cinder.Request
	if err := json.Unmarshal([]byte(`{"size": 10, "availability_zone": "dc1"}`), &r); err != nil {
		t.Fatal(err)
	}
	d, err := engine.DecideOn(s, &r)
	if err != nil {
		t.Fatal(err)
	}
	if d.Chosen.Backend.ID() != "h@b#gold" || d.Fit != 2 {
		t.Errorf("chose %s of %d", d.Chosen.Backend.ID(), d.Fit)
	}
	for range 20 {
		c, err := engine.Choose(s, &r)
		if err != nil {
			t.Fatal(err)
		}
		s = s.Consume(c.Backend, r.Consumption())
	}
	a, b := s.At(0), s.At(1)
	if a.Space().Provisioned != 950 || b.Space().Provisioned != 950 {
		t.Errorf("provisioned %v and %v", a.Space(), b.Space())
	}
	var _ placement.Request = &r
}

func TestFunctionsReadPlacedVolumes(t *testing.T) {
	busy := `{"total_volumes":10,"free_capacity_gb":90,"goodness_function":"100 - capabilities.total_volumes + stats.free_capacity_gb - capabilities.free_capacity_gb"}`
	s := cinder.NewSnapshot([]capability.Report{report(t, "h@a", "", busy), report(t, "h@b", "", busy)})
	engine, err := cinder.NewEngine(cinder.Options{Filters: []string{}, Weighers: []string{cinder.GoodnessWeigher}})
	if err != nil {
		t.Fatal(err)
	}
	goodness := func(s *placement.Snapshot) [2]float64 {
		d, err := engine.DecideOn(s, &cinder.Request{Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		return [2]float64{d.Of("h@a#_pool0").Scores[0].Raw, d.Of("h@b#_pool0").Scores[0].Raw}
	}
	after := s.Consume(s.At(0), placement.Consumption{GiB: 5, Volumes: 2})
	if got, want := goodness(after), [2]float64{83, 90}; got != want { // capabilities.free_capacity_gb stays as reported
		t.Errorf("after placing: %v, want %v", got, want)
	}
	if got, want := goodness(s), [2]float64{90, 90}; got != want {
		t.Errorf("before placing, computed later: %v, want %v", got, want)
	}
}
