package cinder

import (
	"maps"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

// unusualCloud has reports and requests of every kind that the scheduler handles.
func unusualCloud(t *testing.T) placementtest.Cloud {
	t.Helper()
	full := `"volume_backend_name":"gold","total_capacity_gb":1000,"free_capacity_gb":400,"thin_provisioning_support":true,
		"provisioned_capacity_gb":1200,"allocated_capacity_gb":900,"max_over_subscription_ratio":2.5,"storage_protocol":"iSCSI",
		"total_volumes":912,"usec_per_write_op":153,"multiattach":true,
		"filter_function":"capabilities.total_volumes < 950 and (volume.size < 500)",
		"goodness_function":"100 * (1 / max(capabilities.usec_per_write_op, 1))"`
	report := func(t *testing.T, host, zone, capabilities string) capability.Report {
		t.Helper()
		set, err := capability.ParseSet([]byte(capabilities))
		if err != nil {
			t.Fatal(err)
		}
		return capability.Report{Host: host, Zone: zone, Capabilities: set}
	}
	return placementtest.Cloud{
		Snapshot: NewSnapshot,
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
			&Request{Size: 10, RandomSeed: 7},
			&Request{Size: 700, Zones: []string{"dc1", "dc2"}, Type: &VolumeType{ExtraSpecs: ExtraSpecs{
				Spec("capabilities:total_volumes", "<= 800"), Spec("usec_per_write_op", "<= 100"),
				Spec("vendor:own", "x"),
				{Key: "volume_backend_name"},
			}}},
			&Request{
				Size: 5, NewSize: 90, Zone: "dc2", Tried: []string{"h@full#gold"}, ExistsOn: "h@thick#gold",
				Query: `["and", ["<", "$free_capacity_gb", 300], ["not", ["=", "$pool_name", "silver"]]]`,
			},
			&Request{Query: `["=", "$backend_id", "h@thick#gold"]`, SameAs: []string{"h@thick#gold"}, DifferentFrom: []string{"h@full#gold"}},
			&Request{Size: 1, LocalToInstance: "0f3a1c52-7d5e-4e0e-9f43-7d1f1c2b3a4d", InstanceHost: "h"},
			&Request{Size: 1, Query: `["between", 1]`, QoS: capability.Set{"iops": capability.OfInt(5)}},
		},
	}
}

func TestPluginsKeepContract(t *testing.T) {
	views := newReportViews(capability.OfString(DefaultRatio))
	for name, f := range filters(Options{}, views) {
		t.Run(name, func(t *testing.T) {
			placementtest.Filter(t, failOnUnreadableReport(f, views), unusualCloud(t))
		})
	}
	for _, multiplier := range []float64{1, -1} {
		o := Options{Multipliers: map[string]float64{CapacityWeigher: multiplier, VolumeNumberWeigher: multiplier}}
		for name, w := range weighers(o, views) {
			t.Run(name, func(t *testing.T) { placementtest.Weigher(t, w, unusualCloud(t)) })
		}
	}
}

// TestRefusalsAreThoseOfEachFilter: a refused backend is shown with exactly those
// filters that refuse it, or fail on it, when each is the only one.
func TestRefusalsAreThoseOfEachFilter(t *testing.T) {
	cloud := unusualCloud(t)
	names := slices.Sorted(maps.Keys(filters(Options{}, newReportViews(capability.OfString(DefaultRatio)))))
	decide := func(filters []string, reports []capability.Report, r placement.Request) (*placement.Decision, error) {
		engine, err := NewEngine(Options{Filters: filters, Weighers: []string{}})
		if err != nil {
			t.Fatal(err)
		}
		return engine.Decide(reports, r)
	}
	refused := 0
	for _, r := range cloud.Requests {
		for i := range cloud.Reports {
			one := cloud.Reports[i : i+1]
			d, err := decide(names, one, r)
			if d == nil || d.Fit > 0 {
				continue // the first filter that does not pass it fails, or it fits
			}
			refused++
			var want, got []string
			for _, name := range names {
				if alone, _ := decide([]string{name}, one, r); alone == nil || alone.Fit == 0 {
					want = append(want, name)
				}
			}
			for _, refusal := range d.Verdicts[0].Refusals() {
				got = append(got, refusal.Filter)
			}
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("%+v on %s: %v refuse, want %v (%v)", r, one[0].Host, got, want, err)
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d backends are refused", refused)
	}
}
