package collector

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/poolcast/poolcast/collector/capability"
)

func TestMerge(t *testing.T) {
	tgt := target("fa1", nil)
	tgt.Cluster = "c1@fa1"
	tgt.Stanza.ReservedPercentage = 10
	tgt.Stanza.FilterFunction = "capabilities.total_volumes < 800"
	s := sample()
	r := Merge(s, tgt)

	want := `{"QoS_support":true,"array_id":"a-1","array_model":"FA-X50R4","array_name":"fa1","backend_state":"up",` +
		`"cacheable":true,"consistencygroup_support":true,"consistent_group_replication_enabled":true,` +
		`"consistent_group_snapshot_enabled":true,"data_reduction":4.0,"data_reduction_percent":400,` +
		`"driver_version":"23.0.iscsi","filter_function":"capabilities.total_volumes < 800","free_capacity_gb":13824.0,` +
		`"goodness_function":null,"input_per_sec":29491200,"live_volumes":400,"load_percent":3,` +
		`"max_over_subscription_ratio":16.0,"metrics_age_seconds":5,"metrics_agent":"poolcast","metrics_status":"ok",` +
		`"multiattach":true,"output_per_sec":137625600,"provisioned_capacity_gb":102400.0,"purity_version":"6.6.10",` +
		`"queue_depth":3,"queue_usec_per_mirrored_write_op":0,"queue_usec_per_read_op":10,"queue_usec_per_write_op":15,` +
		`"reads_per_sec":4200,"replication_capability":null,"replication_count":0,"replication_enabled":false,` +
		`"replication_targets":[],"replication_type":[],"reserved_percentage":10,"storage_protocol":"iSCSI",` +
		`"thin_provisioning_support":true,"total_capacity_gb":20480.0,"total_hosts":24,"total_pgroups":7,` +
		`"total_reduction":16.0,"total_snapshots":1031,"total_volumes":412,"usec_per_read_op":310,` +
		`"usec_per_write_op":420,"vendor_name":"Pure Storage","volume_backend_name":"gold","writes_per_sec":1800}`
	got, err := r.Capabilities.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r.Identity() != "c1@fa1" || r.Pool != "gold" || r.Zone != "dc1" || !r.CollectedAt.Equal(s.CollectedAt) || r.Status != capability.OK {
		t.Errorf("report is %+v", r)
	}
}

// TestMergeKeysDescribed checks that every key of a report is described, with
// its kind.
func TestMergeKeysDescribed(t *testing.T) {
	tgt := target("fa1", nil)
	tgt.Stanza.Live = []string{capability.KeyAvgLatency, capability.KeyAvgThroughput, capability.KeyDedupeRatio}
	tgt.Stanza.FilterFunction, tgt.Stanza.GoodnessFunction = "1 == 1", "100"
	s := sample()
	s.Links = []capability.Link{{Status: "connected", Type: "async-replication"}}
	r := merge(s, tgt, fullHour())
	for key, v := range r.Capabilities {
		if k, ok := capability.LookupKey(key); !ok || k.Kind != v.Kind() {
			t.Errorf("%s is a %s, but described as %+v", key, v.Kind(), k)
		}
	}
	for _, k := range capability.Keys() {
		if _, ok := r.Capabilities[k.Name]; !ok {
			t.Errorf("%s is described, but not in a complete report", k.Name)
		}
		measured := k.Origin == capability.FromArray || k.Origin == capability.FromAgent
		if r.IsLive(k.Name) != measured {
			t.Errorf("%s has the origin %s, but live is %v", k.Name, k.Origin, r.IsLive(k.Name))
		}
	}
}

func TestMergeMissingParts(t *testing.T) {
	all := map[string][]string{
		"space": {
			capability.KeyTotalCapacity, capability.KeyFreeCapacity, capability.KeyProvisionedCapacity,
			capability.KeyMaxOverSubscription, capability.KeyDataReduction, capability.KeyTotalReduction, capability.KeyDataReductionPercent,
		},
		"performance": {
			capability.KeyWritesPerSec, capability.KeyReadsPerSec, capability.KeyInputPerSec, capability.KeyOutputPerSec,
			capability.KeyUsecPerRead, capability.KeyUsecPerWrite, capability.KeyQueueDepth, capability.KeyQueueUsecPerMirroredWrite,
			capability.KeyQueueUsecPerRead, capability.KeyQueueUsecPerWrite, capability.KeyLoadPercent, capability.KeyMetricsAge,
		},
		"counts": {
			capability.KeyTotalVolumes, capability.KeyTotalSnapshots, capability.KeyTotalHosts,
			capability.KeyTotalProtectionGroups, capability.KeyLiveVolumes,
		},
		"links":    {capability.KeyReplicationCapability},
		"identity": {capability.KeyArrayID, capability.KeyArrayName, capability.KeyArrayModel, capability.KeyPurityVersion},
	}
	for part, keys := range all {
		s := sample()
		switch part {
		case "space":
			s.Space = nil
		case "performance":
			s.Performance = nil
		case "counts":
			s.Counts = capability.Counts{}
		case "links":
			s.Links = nil
		case "identity":
			s.Identity = capability.Identity{}
		}
		full, r := Merge(sample(), target("fa1", nil)), Merge(s, target("fa1", nil))
		for _, key := range keys {
			if v, ok := r.Capabilities[key]; ok {
				t.Errorf("without %s, %s is %s", part, key, v)
			}
			delete(full.Capabilities, key)
		}
		for key := range full.Capabilities {
			if _, ok := r.Capabilities[key]; !ok {
				t.Errorf("without %s, %s is missing too", part, key)
			}
		}
	}
}

// TestMergeOldConnections checks that connections of a poll before are reported, and
// replace no value of cinder-volume.
func TestMergeOldConnections(t *testing.T) {
	for age, live := range map[time.Duration]bool{0: true, time.Minute: true, 61 * time.Second: false} {
		s := sample()
		s.Links = []capability.Link{{Status: "connected", Type: "sync-replication"}}
		s.LinksAt = s.CollectedAt.Add(-age)
		r := Merge(s, target("fa1", nil))
		if got := slices.Contains(r.LiveKeys, capability.KeyReplicationCapability); got != live {
			t.Errorf("connections that are %s old: live is %t", age, got)
		}
		if !r.Capabilities[capability.KeyReplicationCapability].Equal(capability.OfString("sync")) {
			t.Errorf("connections that are %s old are not reported", age)
		}
	}
}

func TestMergeStatus(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*capability.Sample)
		want   capability.Status
	}{
		"complete":        {func(*capability.Sample) {}, capability.OK},
		"a fault":         {func(s *capability.Sample) { s.Faults = []capability.Fault{{Part: "hosts", Err: errDown}} }, capability.Partial},
		"no sample":       {func(s *capability.Sample) { s.Performance = nil }, capability.Partial},
		"no use reported": {func(s *capability.Sample) { s.Space.TotalPhysical, s.Space.TotalUsed = nil, nil }, capability.Partial},
		"no space":        {func(s *capability.Sample) { s.Space = nil }, capability.Partial},
		"a null field":    {func(s *capability.Sample) { s.Performance.QueueDepth = nil }, capability.OK},
		"a late sample":   {func(s *capability.Sample) { s.Performance.Age = 2 * time.Minute }, capability.OK},
		"an old sample":   {func(s *capability.Sample) { s.Performance.Age = 2*time.Minute + time.Second }, capability.Stale},
		"old and a fault": {func(s *capability.Sample) { s.Performance.Age = time.Hour; s.Space = nil }, capability.Stale},
		"five-minute ones": {func(s *capability.Sample) {
			s.Performance.Resolution, s.Performance.Age = 5*time.Minute, 10*time.Minute
		}, capability.OK},
	} {
		s := sample()
		c.change(&s)
		r := Merge(s, target("fa1", nil))
		if r.Status != c.want || r.Capabilities[capability.KeyMetricsStatus].String() != string(c.want) {
			t.Errorf("%s: status is %s, metrics_status is %s, want %s", name, r.Status, r.Capabilities[capability.KeyMetricsStatus], c.want)
		}
	}
}

func TestMergeOverSubscription(t *testing.T) {
	for name, c := range map[string]struct {
		automatic bool
		option    string
		reduction *float64
		space     bool
		want      string // "" means absent
		live      bool
	}{
		"automatic":                       {true, "20.0", ptr(16.0), true, "16.0", true},
		"automatic, below one":            {true, "20.0", ptr(0.5), true, "0.5", true},
		"automatic, 100":                  {true, "20.0", ptr(100.0), true, "20.0", true},
		"automatic, Evergreen//One":       {true, "20.0", nil, true, "20.0", true},
		"automatic, Evergreen//One, auto": {true, "auto", nil, true, "auto", true},
		"automatic, no space":             {true, "20.0", nil, false, "", false},
		"automatic, NaN":                  {true, "20.0", ptr(math.NaN()), true, "20.0", true},
		"configured":                      {false, "3", ptr(16.0), true, "3.0", false},
		"configured, no space":            {false, "3", nil, false, "3.0", false},
		"configured auto":                 {false, "auto", ptr(16.0), true, "auto", false},
		"rejected by Cinder":              {false, "0.9", ptr(16.0), true, "", false},
		"not a number":                    {false, "many", ptr(16.0), true, "", false},
		"not finite":                      {false, "inf", ptr(16.0), true, "", false},
	} {
		s, tgt := sample(), target("fa1", nil)
		tgt.Stanza.AutomaticOverSubscription, tgt.Stanza.MaxOverSubscription = c.automatic, c.option
		s.Space.TotalReduction = c.reduction
		if !c.space {
			s.Space = nil
		}
		r := Merge(s, tgt)
		v, ok := r.Capabilities[capability.KeyMaxOverSubscription]
		if ok != (c.want != "") || ok && v.String() != c.want || r.IsLive(capability.KeyMaxOverSubscription) != c.live {
			t.Errorf("%s: ratio is %s, live %v", name, v, r.IsLive(capability.KeyMaxOverSubscription))
		}
	}
}

func TestMergeExtraAndLiveCapabilities(t *testing.T) {
	extra, err := capability.ParseSet([]byte(`{"avg_latency_ms": 0.35, "dedupe_ratio": 4.5, "array_model": "FA-X70", "tier": "gold", "total_volumes": 1, "driver_version": "x"}`))
	if err != nil {
		t.Fatal(err)
	}
	idle := sample()
	idle.Performance.ReadsPerSec, idle.Performance.WritesPerSec = ptr[int64](0), ptr[int64](0)
	for name, c := range map[string]struct {
		live   []string
		stats  capability.Sample
		want   map[string]string
		isLive map[string]bool
	}{
		"stanza": {
			nil, sample(),
			map[string]string{"avg_latency_ms": "0.35", "dedupe_ratio": "4.5", "array_model": "FA-X70", "tier": "gold", "total_volumes": "1", "driver_version": "x"},
			map[string]bool{"avg_latency_ms": false, "array_model": false, "tier": false, "total_volumes": false, "total_hosts": true},
		},
		"live keys": {
			[]string{"avg_latency_ms", "dedupe_ratio", "avg_throughput_mbps", "total_volumes", "tier", "unknown"},
			sample(),
			map[string]string{"avg_latency_ms": "0.343", "dedupe_ratio": "4.0", "avg_throughput_mbps": "167.1168", "array_model": "FA-X70", "tier": "gold", "total_volumes": "412"},
			map[string]bool{"avg_latency_ms": true, "dedupe_ratio": true, "avg_throughput_mbps": true, "array_model": false, "tier": false, "total_volumes": true},
		},
		"idle array without latency": {
			[]string{"avg_latency_ms"},
			idle,
			map[string]string{"avg_latency_ms": "0.35", "load_percent": "0"},
			map[string]bool{"avg_latency_ms": false, "load_percent": true},
		},
	} {
		tgt := target("fa1", nil)
		tgt.Stanza.Extra, tgt.Stanza.Live = extra, c.live
		r := Merge(c.stats, tgt)
		for key, want := range c.want {
			if got := r.Capabilities[key].String(); got != want {
				t.Errorf("%s: %s is %s, want %s", name, key, got, want)
			}
		}
		for key, want := range c.isLive {
			if r.IsLive(key) != want {
				t.Errorf("%s: %s live: %v", name, key, !want)
			}
		}
		if _, ok := r.Capabilities["unknown"]; ok {
			t.Errorf("%s: a key without a measurement was added", name)
		}
	}
	if v := extra["total_volumes"].String(); v != "1" {
		t.Error("the stanza's own set was modified")
	}
}

func TestMergeLabels(t *testing.T) {
	extra, err := capability.ParseSet([]byte(`{"avg_latency_ms": 0.35, "avg_throughput_mbps": 5200, "dedupe_ratio": 4.5, "total_volumes": 1,
		"array_model": "FA-X70", "tier": 3, "reserved_percentage": 5, "metrics_status": "ok"}`))
	if err != nil {
		t.Fatal(err)
	}
	tgt := target("fa1", nil)
	tgt.Stanza.Extra = extra
	idle := sample()
	idle.Performance.ReadsPerSec, idle.Performance.WritesPerSec = ptr[int64](0), ptr[int64](0)
	failed := sample()
	failed.Performance, failed.Counts = nil, capability.Counts{}
	for name, c := range map[string]struct {
		sample capability.Sample
		live   []string
		want   map[string]string // key to label and measurement
	}{
		"all":           {sample(), nil, map[string]string{"avg_latency_ms": "0.35 0.343", "avg_throughput_mbps": "5200 167.1168", "dedupe_ratio": "4.5 4.0", "total_volumes": "1 412"}},
		"live":          {sample(), []string{"avg_latency_ms", "total_volumes"}, map[string]string{"avg_throughput_mbps": "5200 167.1168", "dedupe_ratio": "4.5 4.0"}},
		"idle":          {idle, nil, map[string]string{"avg_throughput_mbps": "5200 167.1168", "dedupe_ratio": "4.5 4.0", "total_volumes": "1 412"}},
		"read in part":  {failed, nil, map[string]string{"dedupe_ratio": "4.5 4.0"}},
		"all that live": {sample(), extra.SortedKeys(), nil},
	} {
		tgt.Stanza.Live = c.live
		r := Merge(c.sample, tgt)
		got := map[string]string{}
		for key := range r.Labels {
			l, ok := r.Label(key)
			if !ok || r.IsLive(key) {
				t.Errorf("%s: %s is live, or is not in effect", name, key)
			}
			got[key] = l.Value.String() + " " + l.Measured.String()
		}
		if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
			t.Errorf("%s: labels (-want +got)\n%s", name, diff)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back capability.Report
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Labels, back.Labels); diff != "" {
			t.Errorf("%s: labels after JSON (-want +got)\n%s", name, diff)
		}
	}
	r := Merge(sample(), tgt)
	r.Capabilities = r.Capabilities.Overlay(capability.Set{"total_volumes": capability.OfInt(7)})
	if _, ok := r.Label("total_volumes"); ok {
		t.Error("what cinder-volume reports is called a label")
	}
}

func TestMergeCacheable(t *testing.T) {
	for name, c := range map[string]struct{ extra, want string }{
		"block protocol": {`{}`, "True"},
		"set to no":      {`{"cacheable": false}`, "False"},
		"set to null":    {`{"cacheable": null}`, "True"},
		"other protocol": {`{"storage_protocol": "nfs"}`, "absent"},
		"not a string":   {`{"storage_protocol": ["iSCSI"]}`, "absent"},
	} {
		tgt := target("fa1", nil)
		tgt.Stanza.Extra, _ = capability.ParseSet([]byte(c.extra))
		got := "absent"
		if v, ok := Merge(sample(), tgt).Capabilities[capability.KeyCacheable]; ok {
			got = v.String()
		}
		if got != c.want {
			t.Errorf("%s: cacheable is %s, want %s", name, got, c.want)
		}
	}
}

func TestMergeReplication(t *testing.T) {
	async, sync := Replica{BackendID: "far"}, Replica{BackendID: "near", Sync: true}
	for name, c := range map[string]struct {
		replicas []Replica
		trisync  bool
		want     string
	}{
		"none":                    {nil, true, `[false,0,[],[]]`},
		"async":                   {[]Replica{async}, false, `[true,1,["far"],["async"]]`},
		"sync":                    {[]Replica{sync}, false, `[true,1,["near"],["async","sync"]]`},
		"both":                    {[]Replica{async, sync}, false, `[true,2,["far","near"],["async","sync"]]`},
		"trisync":                 {[]Replica{sync, async}, true, `[true,2,["near","far"],["async","sync","trisync"]]`},
		"trisync, both async":     {[]Replica{async, async}, true, `[true,2,["far","far"],["async"]]`},
		"trisync, three replicas": {[]Replica{async, sync, async}, true, `[true,3,["far","near","far"],["async","sync"]]`},
	} {
		tgt := target("fa1", nil)
		tgt.Stanza.Replicas, tgt.Stanza.TriSync = c.replicas, c.trisync
		caps := Merge(sample(), tgt).Capabilities
		got, _ := json.Marshal([]capability.Value{
			caps[capability.KeyReplicationEnabled], caps[capability.KeyReplicationCount],
			caps[capability.KeyReplicationTargets], caps[capability.KeyReplicationType],
		})
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}

	up := func(kind string) capability.Link { return capability.Link{Status: "connected", Type: kind} }
	for want, links := range map[string][]capability.Link{
		"None":    {{Status: "connecting", Type: "sync-replication"}, up("other")},
		"sync":    {up("sync-replication"), up("sync-replication")},
		"async":   {up("async-replication"), {Status: "partially_connected", Type: "sync-replication"}},
		"trisync": {up("async-replication"), up("sync-replication")},
	} {
		if got := replicationCapability(links).String(); got != want {
			t.Errorf("%v allow %s, want %s", links, got, want)
		}
	}
}

func TestMergeProtocolsAndVersions(t *testing.T) {
	for protocol, want := range map[string]string{
		"iSCSI": "23.0.iscsi", "FC": "23.0.fc", "NVMe-RoCE": "23.0.nvme", "NVMe-TCP": "23.0.nvme",
	} {
		tgt := target("fa1", nil)
		tgt.Stanza.Protocol = protocol
		caps := Merge(sample(), tgt).Capabilities
		if caps[capability.KeyDriverVersion].String() != want || caps[capability.KeyStorageProtocol].String() != protocol {
			t.Errorf("%s has version %s", caps[capability.KeyStorageProtocol], caps[capability.KeyDriverVersion])
		}
	}
}

func TestMergeDoesNotChangeItsArguments(t *testing.T) {
	s, tgt := sample(), target("fa1", nil)
	tgt.Stanza.Extra = capability.Set{"a": capability.OfInt(1)}
	before := sample()
	before.CollectedAt, before.Performance.Time = s.CollectedAt, s.Performance.Time
	r := Merge(s, tgt)
	r.Capabilities["a"] = capability.OfInt(2)
	if diff := cmp.Diff(before, s); diff != "" || tgt.Stanza.Extra["a"].String() != "1" {
		t.Errorf("Merge changed its arguments: %s", diff)
	}
}
