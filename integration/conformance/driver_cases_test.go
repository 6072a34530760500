//go:build conformance

package conformance

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// driverCase is one backend: an array, its faults, and its stanza.
type driverCase struct {
	name    string // of the case and the stanza
	array   string // the fixture
	class   string // "" is PureISCSIDriver
	options []string
	history simulator.History
	faults  []simulator.Fault

	replicas []replica
	agree    []string // keys that always differ, and do not here
	row      string   // of DRIVER.md that applies; "" means no difference but those there always are
	fails    bool     // whether the driver cannot report
	missing  []string // keys that poolcast cannot know either, when the driver fails
	check    func(t *testing.T, theirs capability.Set, ours capability.Report)
}

// replica is one replication_device line.
type replica struct {
	array string // "" is an address without a server
	kind  string
}

// newestFirst makes the driver's first sample the newest.
func newestFirst() simulator.History { return simulator.History{Order: simulator.Descending} }

func driverCases() []driverCase {
	cases := append(protocolCases(), configurationCases()...)
	cases = append(cases, replicationCases()...)
	cases = append(cases, sampleCases()...)
	cases = append(cases, failureCases()...)
	for i := range cases {
		if cases[i].array == "" {
			cases[i].array = "flasharray-x-01"
		}
		if cases[i].class == "" {
			cases[i].class = "PureISCSIDriver"
		}
	}
	return cases
}

// reductions are the keys that an Evergreen//One array does not have.
func reductions() []string {
	return []string{capability.KeyDataReduction, capability.KeyDataReductionPercent, capability.KeyTotalReduction}
}

func protocolCases() []driverCase {
	return []driverCase{
		{name: "iscsi", history: newestFirst()},
		{name: "fc", class: "PureFCDriver", array: "flasharray-x-02", history: newestFirst()},
		{name: "nvme_roce", class: "PureNVMEDriver", array: "flasharray-x-03", history: newestFirst()},
		{name: "nvme_tcp", class: "PureNVMEDriver", options: []string{"pure_nvme_transport = tcp"}, history: newestFirst()},
		{name: "capacity_array", array: "flasharray-c-01", history: newestFirst()},
		{name: "evergreen_one", array: "flasharray-eg1-01", history: newestFirst(), agree: reductions()},
	}
}

func configurationCases() []driverCase {
	return []driverCase{
		{name: "configured_ratio", history: newestFirst(), options: []string{
			"pure_automatic_max_oversubscription_ratio = False", "max_over_subscription_ratio = 3.5", "reserved_percentage = 12",
		}},
		{name: "auto_ratio", history: newestFirst(), options: []string{
			"pure_automatic_max_oversubscription_ratio = False", "max_over_subscription_ratio = auto",
		}},
		{name: "evergreen_auto_ratio", array: "flasharray-eg1-01", history: newestFirst(), agree: reductions(), options: []string{
			"max_over_subscription_ratio = auto",
		}},
		{name: "functions", history: newestFirst(), options: []string{
			"filter_function = capabilities.total_volumes < 800",
			"goodness_function = 100 - capabilities.usec_per_write_op / 100",
		}},
		{name: "no_backend_name", history: newestFirst(), options: []string{"volume_backend_name ="}},
		{name: "extra", history: newestFirst(), options: []string{
			`extra_capabilities = {"tier": "gold", "ratio": 1.50, "n": 3, "on": true, "list": ["a", 1], "deep": {"a": null}, "total_volumes": 7, "QoS_support": "no", "goodness_function": "42"}`,
		}},
		{name: "extra_cacheable_no", history: newestFirst(), options: []string{`extra_capabilities = {"cacheable": false}`}},
		{name: "extra_cacheable_null", history: newestFirst(), options: []string{`extra_capabilities = {"cacheable": null}`}},
		{name: "extra_protocol", history: newestFirst(), options: []string{`extra_capabilities = {"storage_protocol": "nfs"}`}},
		{
			name: "extra_model", history: newestFirst(), agree: []string{capability.KeyArrayModel, capability.KeyDataReduction},
			options: []string{`extra_capabilities = {"array_model": "my own", "data_reduction": 9}`},
			check: func(t *testing.T, _ capability.Set, ours capability.Report) {
				if ours.IsLive(capability.KeyArrayModel) || ours.IsLive(capability.KeyDataReduction) {
					t.Error("a key that the stanza sets is a live key")
				}
			},
		},
	}
}

func replicationCases() []driverCase {
	return []driverCase{
		{name: "connected", array: "flasharray-r-01", history: newestFirst()},
		{name: "replicated_async", array: "flasharray-r-01", history: newestFirst(), replicas: []replica{{"flasharray-c-01", "async"}}},
		{name: "replicated_sync", array: "flasharray-r-01", history: newestFirst(), replicas: []replica{{"flasharray-r-02", "sync"}}},
		{name: "trisync", array: "flasharray-r-01", history: newestFirst(), replicas: []replica{{"flasharray-r-02", "sync"}, {"flasharray-c-01", "async"}}, options: []string{"pure_trisync_enabled = True"}},
		{name: "lost_replica", array: "flasharray-r-01", history: newestFirst(), replicas: []replica{{"", "async"}, {"flasharray-c-01", "async"}}, row: "lost-replica", check: func(t *testing.T, theirs capability.Set, ours capability.Report) {
			expect(t, theirs, capability.KeyReplicationCount, "1")
			expect(t, ours.Capabilities, capability.KeyReplicationCount, "2")
		}},
	}
}

func sampleCases() []driverCase {
	return []driverCase{
		{name: "oldest_first", row: "newest-sample", check: func(t *testing.T, theirs capability.Set, ours capability.Report) {
			age, ok := ours.Capabilities[capability.KeyMetricsAge].Int()
			if !ok || age > 60 || ours.Status != capability.OK {
				t.Errorf("our sample is %d s old, status %s", age, ours.Status)
			}
		}},
		{
			name: "no_sample", row: "no-sample", history: simulator.History{Empty: true},
			agree: []string{capability.KeyLoadPercent, capability.KeyMetricsAge},
			check: func(t *testing.T, theirs capability.Set, ours capability.Report) {
				expect(t, theirs, capability.KeyUsecPerWrite, "0")
				expect(t, ours.Capabilities, capability.KeyUsecPerWrite, "absent")
				expect(t, ours.Capabilities, capability.KeyMetricsStatus, "partial")
			},
		},
		{
			name: "no_queue_depth", history: newestFirst(), row: "queue-depth",
			faults: []simulator.Fault{simulator.NullFields("queue_depth").On("arrays/performance")},
			check: func(t *testing.T, theirs capability.Set, ours capability.Report) {
				expect(t, theirs, capability.KeyQueueDepth, "0")
				expect(t, ours.Capabilities, capability.KeyQueueDepth, "absent")
				expect(t, ours.Capabilities, capability.KeyMetricsStatus, "ok")
			},
		},
	}
}

// failureCases are those in which Cinder publishes nothing.
func failureCases() []driverCase {
	return []driverCase{
		{
			name: "null_sample_field", row: "null-sample", fails: true, missing: []string{capability.KeyUsecPerRead},
			history: newestFirst(), faults: []simulator.Fault{simulator.NullFields("usec_per_read_op").On("arrays/performance")},
		},
		{
			name: "null_physical", row: "null-used", fails: true, array: "flasharray-eg1-02", history: newestFirst(),
		},
		{
			name: "null_used", row: "null-used", fails: true, history: newestFirst(), missing: []string{capability.KeyFreeCapacity},
			faults: []simulator.Fault{simulator.NullFields("space.total_physical", "space.total_used").On("arrays/space")},
		},
		{
			name: "null_provisioned", row: "null-provisioned", fails: true, history: newestFirst(), missing: []string{capability.KeyProvisionedCapacity},
			faults: []simulator.Fault{simulator.NullFields("space.total_provisioned", "space.used_provisioned").On("arrays/space")},
		},
		{
			name: "hosts_refused", row: "refused-part", fails: true, history: newestFirst(), missing: []string{capability.KeyTotalHosts},
			faults: []simulator.Fault{simulator.Forbidden().On("hosts")},
		},
	}
}

// expect compares a key as Python prints it.
func expect(t *testing.T, set capability.Set, key, want string) {
	t.Helper()
	got := "absent"
	if v, ok := set[key]; ok {
		got = v.String()
	}
	if got != want {
		t.Errorf("%s is %s, want %s", key, got, want)
	}
}
