package advice

import (
	"testing"
	"time"

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
		{"alike", three(t, "", "", ""), OverSubscription{}, nil},
		{"one array twice in a pool", []capability.Report{a, report(t, "fa2", `{"array_id":"id of fa1"}`)}, OverSubscription{}, []string{"warning same-array|array of fa1"}},
		{"one array in two pools", []capability.Report{a, report(t, "fa2", `{"array_id":"id of fa1","volume_backend_name":"fc"}`)}, OverSubscription{}, []string{"note same-array|reserved_percentage"}},
		{"no id", []capability.Report{report(t, "fa1", `{"array_id":null}`), report(t, "fa2", `{"array_id":null}`)}, OverSubscription{}, nil},
		{"two models", three(t, "", "", `{"array_model":"FA-C60"}`), OverSubscription{}, []string{"warning mixed-models|FA-C60 (fa3), FA-X70R4 (fa1 and fa2)"}},
		{"two zones", []capability.Report{a, inZone(report(t, "fa2", ""), "dc2")}, OverSubscription{}, []string{"note several-zones|dc1 (fa1), dc2 (fa2)"}},
		{"a forgotten zone", []capability.Report{a, inZone(report(t, "fa2", ""), "nova")}, OverSubscription{}, []string{"warning several-zones|nova is Cinder's default"}},
		{"reduction a little apart", three(t, "", `{"data_reduction":3.0}`, ""), OverSubscription{}, []string{"note reduction-apart|33 % apart"}},
		{"reduction far apart", three(t, "", `{"data_reduction":2.0}`, ""), OverSubscription{}, []string{"warning reduction-apart|fa1 4 : 1, fa2 2 : 1 and fa3 4 : 1"}},
		{"reduction apart between zones", []capability.Report{a, inZone(report(t, "fa2", `{"data_reduction":1.0}`), "dc2")}, OverSubscription{}, []string{"note several-zones|"}},
		{"an automatic ratio", three(t, `{"free_capacity_gb":750.0}`, `{"total_reduction":5.0}`, ""), automatic, []string{"note ratio-stacks|fa1 3 GiB and fa2 1 GiB"}},
		{"and what to write instead", three(t, "", `{"total_reduction":5.0}`, ""), automatic, []string{"note ratio-stacks|max_over_subscription_ratio = 5.0 "}},
		{"of arrays that do not tell their reduction", three(t, `{"total_reduction":null}`, `{"total_reduction":null}`, ""), automatic, nil},
		{"of one array that tells its reduction", three(t, `{"total_reduction":null}`, "", ""), automatic, nil},
		{"beyond the cliff", three(t, `{"total_reduction":120.0}`, `{"total_reduction":150.0}`, ""), automatic, []string{"warning ratio-cliff|", "warning ratio-cliff|"}},
		{"which nobody weighs", three(t, "", "", ""), OverSubscription{Automatic: automatic.Automatic}, nil},
		{"the cliff", three(t, `{"total_reduction":97.0}`, "", ""), OverSubscription{Automatic: automatic.Automatic}, []string{"warning ratio-cliff|fa1 follows a total reduction of 97"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, Pools(c.reports, c.policy), c.want...) })
	}
}

func TestIdentity(t *testing.T) {
	named := func(host, cluster string) Backend {
		return Backend{
			Report: capability.Report{Host: host, Cluster: cluster, Backend: "fa1", Capabilities: parse(t, `{"volume_backend_name":"gold","tier":1}`)},
			Where:  "cinder.conf:7: [fa1]", File: "cinder.conf",
		}
	}
	heard := func(identity, cluster, caps string) BaseReport {
		return BaseReport{Identity: identity, Host: "ctl1@fa1", Cluster: cluster, Capabilities: parse(t, caps)}
	}
	const same = `{"volume_backend_name":"gold","tier":1.0,"rack":"b"}`
	for _, c := range []struct {
		name  string
		ours  Backend
		heard []BaseReport
		want  []string
	}{
		{"the same", named("ctl1@fa1", ""), []BaseReport{heard("ctl1@fa1", "", same)}, nil},
		{"the same cluster", named("ctl1@fa1", "c@fa1"), []BaseReport{heard("c@fa1", "c@fa1", same)}, nil},
		{"nothing", named("ctl1@fa1", ""), nil, []string{"warning never-heard|nothing was heard of ctl1@fa1 in 1m15s"}},
		{"others alone", named("ctl1@fa1", ""), []BaseReport{heard("ctl9@ceph", "", same)}, []string{"warning never-heard|"}},
		{"a full host name", named("ctl1@fa1", ""), []BaseReport{heard("ctl1.example.org@fa1", "", same)}, []string{"error wrong-host|host = ctl1.example.org into [DEFAULT], or backend_host = ctl1.example.org into [fa1], of cinder.conf"}},
		{"clustered there", named("ctl1@fa1", ""), []BaseReport{heard("c@fa1", "c@fa1", same)}, []string{"error wrong-host|cluster = c into [DEFAULT]"}},
		{"clustered here", named("ctl1@fa1", "c@fa1"), []BaseReport{heard("ctl1@fa1", "", same)}, []string{"error wrong-host|Remove cluster"}},
		{"another section", named("ctl1@fa1", ""), []BaseReport{heard("ctl1@fa_1", "", same)}, []string{"error wrong-stanza|[fa_1]"}},
		{"another pool", named("ctl1@fa1", ""), []BaseReport{heard("ctl1@fa1", "", `{"volume_backend_name":"silver"}`)}, []string{`warning other-configuration|volume_backend_name is "silver" there and "gold" here`}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, Identity([]Backend{c.ours}, c.heard, 75*time.Second), c.want...) })
	}
	quiet := named("ctl1@fa1", "")
	quiet.Detail = "no cinder-volume runs for it"
	expect(t, Identity([]Backend{quiet}, nil, time.Second), "warning never-heard|: no cinder-volume runs for it")
	two := []Backend{named("ctl1@fa1", ""), {Report: capability.Report{Host: "ctl1@fa2", Backend: "fa2"}, Where: "x"}}
	expect(t, Identity(two, []BaseReport{heard("ctl1@fa1", "", same)}, time.Second), "warning never-heard|ctl1@fa2")
}
