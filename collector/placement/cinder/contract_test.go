package cinder_test

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

// oddCloud has reports and requests of every kind the scheduler can decide on.
func oddCloud(t *testing.T) placementtest.Cloud {
	t.Helper()
	full := `"volume_backend_name":"gold","total_capacity_gb":1000,"free_capacity_gb":400,"thin_provisioning_support":true,
		"provisioned_capacity_gb":1200,"allocated_capacity_gb":900,"max_over_subscription_ratio":2.5,"storage_protocol":"iSCSI",
		"total_volumes":912,"usec_per_write_op":153,"multiattach":true,
		"filter_function":"capabilities.total_volumes < 950 and (volume.size < 500)",
		"goodness_function":"100 * (1 / max(capabilities.usec_per_write_op, 1))"`
	return placementtest.Cloud{
		Snapshot: cinder.NewSnapshot,
		Reports: []capability.Report{
			report(t, "h@full", "dc1", "{"+full+"}"),
			report(t, "h@twin", "dc1", "{"+full+"}"),
			report(t, "h@thick", "dc2", `{"volume_backend_name":"gold","total_capacity_gb":1000,"free_capacity_gb":80.5,"reserved_percentage":10,"allocated_capacity_gb":20,"total_volumes":3}`),
			report(t, "h@endless", "dc2", `{"volume_backend_name":"silver","total_capacity_gb":"infinite","free_capacity_gb":"unknown","storage_protocol":"FC","goodness_function":"stats.storage_protocol == 'fc'","filter_function":"capabilities.storage_protocol == 'fibre_channel'"}`),
			report(t, "h@auto", "", `{"total_capacity_gb":5000,"free_capacity_gb":100,"provisioned_capacity_gb":9000,"thin_provisioning_support":true,"max_over_subscription_ratio":"auto","goodness_function":"volume.size > 50 ? 100 : stats.free_capacity_gb","filter_function":"1 +"}`),
			report(t, "h@empty", "dc1", `{}`),
			report(t, "h@broken", "dc1", `{"volume_backend_name":"gold","free_capacity_gb":null,"filter_function":"capabilities.nothing > 1","goodness_function":"101"}`),
		},
		Requests: []placement.Request{
			&cinder.Request{Size: 10, RandomSeed: 7},
			&cinder.Request{Size: 700, Zones: []string{"dc1", "dc2"}, Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{
				cinder.Spec("capabilities:total_volumes", "<= 800"), cinder.Spec("usec_per_write_op", "<= 100"),
				cinder.Spec("vendor:own", "x"),
				{Key: "volume_backend_name"},
			}}},
			&cinder.Request{
				Size: 5, NewSize: 90, Zone: "dc2", Tried: []string{"h@full#gold"}, ExistsOn: "h@thick#gold",
				Query: `["and", ["<", "$free_capacity_gb", 300], ["not", ["=", "$pool_name", "silver"]]]`,
			},
			&cinder.Request{Query: `["=", "$backend_id", "h@thick#gold"]`, SameAs: []string{"h@thick#gold"}, DifferentFrom: []string{"h@full#gold"}},
			&cinder.Request{Size: 1, Query: `["between", 1]`, QoS: capability.Set{"iops": capability.OfInt(5)}},
		},
	}
}

func TestBuiltInsKeepTheContract(t *testing.T) {
	reg, err := cinder.Registry(cinder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range reg.Filters() {
		t.Run(name, func(t *testing.T) {
			f, err := reg.Filter(name, placement.Args{})
			if err != nil {
				t.Fatal(err)
			}
			placementtest.Filter(t, f, oddCloud(t))
		})
	}
	for _, name := range reg.Weighers() {
		for _, multiplier := range []float64{1, -1} {
			t.Run(name, func(t *testing.T) {
				w, err := reg.Weigher(name, placement.Args{Multiplier: multiplier})
				if err != nil {
					t.Fatal(err)
				}
				placementtest.Weigher(t, w, oddCloud(t))
			})
		}
	}
}
