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

func TestCapacityDecides(t *testing.T) {
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
	d, err := engine.Decide(s, &r)
	if err != nil {
		t.Fatal(err)
	}
	if d.Chosen.Backend.ID() != "h@b#gold" || d.Fit != 2 || len(d.Stages()) != 2 {
		t.Errorf("chose %s of %d", d.Chosen.Backend.ID(), d.Fit)
	}
	for range 20 {
		c, err := engine.Choose(s, &r)
		if err != nil {
			t.Fatal(err)
		}
		s = cinder.Consume(s, c.Backend, &r)
	}
	a, b := s.Find("h@a#gold"), s.Find("h@b#gold")
	if a.Space().Provisioned != 950 || b.Space().Provisioned != 950 {
		t.Errorf("provisioned %v and %v", a.Space(), b.Space())
	}
	var _ placement.Request = &r
}
