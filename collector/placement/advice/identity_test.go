package advice

import (
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestIdentity(t *testing.T) {
	backend := func(host, cluster string) Backend {
		return Backend{
			Report: capability.Report{Host: host, Cluster: cluster, Backend: "fa1", Capabilities: parse(t, `{"volume_backend_name":"gold","tier":1}`)},
			Where:  "cinder.conf:7: [fa1]", File: "cinder.conf",
		}
	}
	base := func(identity, cluster, caps string) BaseReport {
		return BaseReport{Identity: identity, Host: "ctl1@fa1", Cluster: cluster, Capabilities: parse(t, caps)}
	}
	const same = `{"volume_backend_name":"gold","tier":1.0,"rack":"b"}`
	for _, c := range []struct {
		name     string
		backend  Backend
		received []BaseReport
		want     []string
	}{
		{"the same", backend("ctl1@fa1", ""), []BaseReport{base("ctl1@fa1", "", same)}, nil},
		{"the same cluster", backend("ctl1@fa1", "c@fa1"), []BaseReport{base("c@fa1", "c@fa1", same)}, nil},
		{"nothing", backend("ctl1@fa1", ""), nil, []string{"warning no-base-report|no report of ctl1@fa1 was received in 1m15s"}},
		{"other backends only", backend("ctl1@fa1", ""), []BaseReport{base("ctl9@ceph", "", same)}, []string{"warning no-base-report|"}},
		{"a full host name", backend("ctl1@fa1", ""), []BaseReport{base("ctl1.example.org@fa1", "", same)}, []string{"error wrong-host|host = ctl1.example.org into [DEFAULT], or backend_host = ctl1.example.org into [fa1], of cinder.conf"}},
		{"clustered there", backend("ctl1@fa1", ""), []BaseReport{base("c@fa1", "c@fa1", same)}, []string{"error wrong-host|cluster = c into [DEFAULT]"}},
		{"clustered here", backend("ctl1@fa1", "c@fa1"), []BaseReport{base("ctl1@fa1", "", same)}, []string{"error wrong-host|Remove cluster"}},
		{"another section", backend("ctl1@fa1", ""), []BaseReport{base("ctl1@fa_1", "", same)}, []string{"error wrong-stanza|[fa_1]"}},
		{"another pool", backend("ctl1@fa1", ""), []BaseReport{base("ctl1@fa1", "", `{"volume_backend_name":"silver"}`)}, []string{`warning different-configuration|volume_backend_name is "silver" there and "gold" here`}},
		{"another number", backend("ctl1@fa1", ""), []BaseReport{base("ctl1@fa1", "", `{"volume_backend_name":"gold","tier":2}`)}, []string{"warning different-configuration|tier is 2 there and 1 here"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, Identity([]Backend{c.backend}, c.received, 75*time.Second), c.want...) })
	}
	silent := backend("ctl1@fa1", "")
	silent.Detail = "no cinder-volume runs for it"
	expect(t, Identity([]Backend{silent}, nil, time.Second), "warning no-base-report|: no cinder-volume runs for it")
	two := []Backend{backend("ctl1@fa1", ""), {Report: capability.Report{Host: "ctl1@fa2", Backend: "fa2"}, Where: "x"}}
	expect(t, Identity(two, []BaseReport{base("ctl1@fa1", "", same)}, time.Second), "warning no-base-report|ctl1@fa2")
}
