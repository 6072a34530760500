package advice

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func inZone(r capability.Report, zone string) capability.Report {
	r.Zone = zone
	return r
}

func TestPools(t *testing.T) {
	automatic := OverSubscription{Automatic: []string{"ctl1@fa1", "ctl1@fa2"}, WeighsCapacity: true}
	a := report(t, "fa1", "")
	for _, c := range []struct {
		name    string
		reports []capability.Report
		policy  OverSubscription
		want    []string
	}{
		{"equal", three(t, "", "", ""), OverSubscription{}, nil},
		{"one array twice in a pool", []capability.Report{a, report(t, "fa2", `{"array_id":"id of fa1"}`)}, OverSubscription{}, []string{"warning duplicate-array|that of fa1"}},
		{"one array in two pools", []capability.Report{a, report(t, "fa2", `{"array_id":"id of fa1","volume_backend_name":"fc"}`)}, OverSubscription{}, []string{"note duplicate-array|reserved_percentage"}},
		{"no id", []capability.Report{report(t, "fa1", `{"array_id":null}`), report(t, "fa2", `{"array_id":null}`)}, OverSubscription{}, nil},
		{"two models", three(t, "", "", `{"array_model":"FA-C60"}`), OverSubscription{}, []string{"warning mixed-models|FA-C60 (fa3), FA-X70R4 (fa1 and fa2)"}},
		{"two zones", []capability.Report{a, inZone(report(t, "fa2", ""), "dc2")}, OverSubscription{}, []string{"note multiple-zones|dc1 (fa1), dc2 (fa2)"}},
		{"a default zone", []capability.Report{a, inZone(report(t, "fa2", ""), "nova")}, OverSubscription{}, []string{"warning multiple-zones|nova is Cinder's default"}},
		{"reduction a little apart", three(t, "", `{"data_reduction":3.0}`, ""), OverSubscription{}, []string{"note reduction-differs|differs by 33 %"}},
		{"reduction far apart", three(t, "", `{"data_reduction":2.0}`, ""), OverSubscription{}, []string{"warning reduction-differs|fa1 4 : 1, fa2 2 : 1 and fa3 4 : 1"}},
		{"reduction apart between zones", []capability.Report{a, inZone(report(t, "fa2", `{"data_reduction":1.0}`), "dc2")}, OverSubscription{}, []string{"note multiple-zones|"}},
		{"an automatic ratio", three(t, `{"free_capacity_gb":750.0}`, `{"total_reduction":5.0}`, ""), automatic, []string{"note ratio-concentrates-volumes|fa1 3 GiB and fa2 1 GiB"}},
		{"and the ratio to write", three(t, "", `{"total_reduction":5.0}`, ""), automatic, []string{"note ratio-concentrates-volumes|max_over_subscription_ratio = 5.0 "}},
		{"of arrays without a reduction", three(t, `{"total_reduction":null}`, `{"total_reduction":null}`, ""), automatic, nil},
		{"of one array with a reduction", three(t, `{"total_reduction":null}`, "", ""), automatic, nil},
		{"beyond the limit", three(t, `{"total_reduction":120.0}`, `{"total_reduction":150.0}`, ""), automatic, []string{"warning ratio-limit|", "warning ratio-limit|"}},
		{"without CapacityWeigher", three(t, "", "", ""), OverSubscription{Automatic: automatic.Automatic}, nil},
		{"near the limit", three(t, `{"total_reduction":97.0}`, "", ""), OverSubscription{Automatic: automatic.Automatic}, []string{"warning ratio-limit|fa1 follows a total reduction of 97"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, Pools(c.reports, c.policy), c.want...) })
	}
}
