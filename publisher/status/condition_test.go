package status

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

func read[T any](v T) capability.Reading[T] {
	return capability.Reading[T]{Value: v, At: noon, Every: time.Minute}
}

// troubledView is the sample view, with everything that an array can report as wrong.
func troubledView() View {
	v := sampleView()
	lag := 90 * time.Second
	n := func(i int64) *int64 { return &i }
	v.Backends[0].Details = Details{
		Performance: &capability.Performance{
			MirroredWritesPerSec: n(12), MirroredWriteBytesPerSec: n(98304), UsecPerMirroredWrite: n(900), QueueUsecPerMirroredWrite: n(40),
			QoSUsecPerRead: n(250), QoSUsecPerWrite: n(0), QoSUsecPerMirroredWrite: n(1000),
		},
		Links: []capability.Link{
			{Peer: "fa_09", Type: "async-replication", Status: "connected"},
			{Peer: "fa_08", Type: "async-replication", Status: "connected"},
			{Peer: "fa_07", Type: "sync-replication", Status: "partially_connected"},
		},
		Condition: capability.Condition{
			CriticalAlerts: read[int64](2), WarningAlerts: read[int64](0),
			Controllers: read([]capability.Controller{
				{Name: "CT0", Mode: "primary", Status: "ready", Model: "FA-X70R4", Version: "6.4.10"},
				{Name: "CT1", Mode: "offline", Status: "not ready", Model: "FA-X70R4", Version: "6.4.10"},
			}),
			Mediators:    read(map[string]int64{"online": 3, "unreachable": 1}),
			ReplicaLinks: read(capability.ReplicaLinks{Statuses: map[string]int64{"replicating": 1, "unhealthy": 2}, MaxLag: &lag}),
		},
	}
	return v
}

func TestConditionMetrics(t *testing.T) {
	_, body := get(t, serve(t, Options{Source: fixed(troubledView())}).URL+"/metrics")
	of := `backend="fa_01",`
	rest := `host="ctl1@fa_01",volume_backend_name="gold"`
	for _, want := range []string{
		`poolcast_array_mirrored_writes_per_second{` + of + rest + `} 12`,
		`poolcast_array_mirrored_write_bytes_per_second{` + of + rest + `} 98304`,
		`poolcast_array_mirrored_write_latency_seconds{` + of + rest + `} 0.0009`,
		`poolcast_array_mirrored_write_queue_seconds{` + of + rest + `} 4e-05`,
		`poolcast_array_read_qos_limit_seconds{` + of + rest + `} 0.00025`,
		`poolcast_array_write_qos_limit_seconds{` + of + rest + `} 0`,
		`poolcast_array_mirrored_write_qos_limit_seconds{` + of + rest + `} 0.001`,
		`poolcast_array_open_alerts{` + of + `host="ctl1@fa_01",severity="critical",volume_backend_name="gold"} 2`,
		`poolcast_array_open_alerts{` + of + `host="ctl1@fa_01",severity="warning",volume_backend_name="gold"} 0`,
		`poolcast_array_controller_up{` + of + `controller="CT0",` + rest + `} 1`,
		`poolcast_array_controller_up{` + of + `controller="CT1",` + rest + `} 0`,
		`poolcast_array_controller_info{` + of + `controller="CT1",host="ctl1@fa_01",mode="offline",model="FA-X70R4",purity_version="6.4.10",status="not ready",volume_backend_name="gold"} 1`,
		`poolcast_array_connections{` + of + `host="ctl1@fa_01",status="connected",type="async-replication",volume_backend_name="gold"} 2`,
		`poolcast_array_connections{` + of + `host="ctl1@fa_01",status="partially_connected",type="sync-replication",volume_backend_name="gold"} 1`,
		`poolcast_array_pods{` + of + `host="ctl1@fa_01",mediator_status="unreachable",volume_backend_name="gold"} 1`,
		`poolcast_array_replica_links{` + of + `host="ctl1@fa_01",status="unhealthy",volume_backend_name="gold"} 2`,
		`poolcast_array_replication_lag_seconds{` + of + rest + `} 90`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no sample %s", want)
		}
	}
	if strings.Contains(body, `severity="info"`) {
		t.Error("a number of alerts that was not read has a sample")
	}
	_, body = get(t, serve(t, Options{}).URL+"/metrics")
	for _, m := range conditionMetrics() {
		if strings.Contains(body, m.Name) {
			t.Errorf("%s has a sample of arrays of which nothing was read", m.Name)
		}
	}
}

func TestProblemsOnPage(t *testing.T) {
	v := troubledView()
	want := []string{
		"2 critical alerts open", "controller CT1 is not ready", "connection to fa_07 is partially_connected",
		"mediator of 1 pod is unreachable", "2 replica links unhealthy",
	}
	if got := v.Backends[0].Details.Problems(); !slices.Equal(got, want) {
		t.Errorf("problems are %q", got)
	}
	if _, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/"); !strings.Contains(body, "array: "+strings.Join(want, ", ")) {
		t.Error("the page does not show them")
	}
	if got := v.Backends[1].Details.Problems(); len(got) > 0 {
		t.Errorf("problems of an array of which nothing was read are %q", got)
	}
}
