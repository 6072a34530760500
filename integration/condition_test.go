//go:build integration

package integration

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/process"
)

// series is one series of a scrape.
type series struct {
	labels map[string]string
	value  float64
}

var (
	seriesLine  = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? (\S+)$`)
	seriesLabel = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
)

// scrapeOf returns the series of a scrape by the name of the metric.
func scrapeOf(t *testing.T, text string) map[string][]series {
	t.Helper()
	all := map[string][]series{}
	for _, m := range seriesLine.FindAllStringSubmatch(text, -1) {
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatalf("read %s: %v", m[0], err)
		}
		labels := map[string]string{}
		for _, l := range seriesLabel.FindAllStringSubmatch(m[2], -1) {
			labels[l[1]] = l[2]
		}
		all[m[1]] = append(all[m[1]], series{labels, value})
	}
	return all
}

// sumBy adds the values of the series that match by one of their labels.
func sumBy(all []series, label string, match func(map[string]string) bool) map[string]float64 {
	sum := map[string]float64{}
	for _, s := range all {
		if match == nil || match(s.labels) {
			sum[s.labels[label]] += s.value
		}
	}
	return sum
}

// troubledArray is an array with open alerts, a controller that is down, pods without
// a mediator, and replication that is behind.
func troubledArray(t *testing.T) simulator.Fixture {
	t.Helper()
	f := builtin(t, "flasharray-r-01")
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return `{"items":[` + strings.Join(items, ",") + `]}`
	}
	for path, text := range map[string]string{
		"alerts": list(14, func(i int) string {
			return fmt.Sprintf(`{"id":"a%d","name":"%d","state":"%s","severity":"%s","category":"array","code":%d,"component_type":"service","summary":"s","issue":"i","created":%d}`,
				i, i, []string{"open", "closed"}[i/12], []string{"critical", "warning", "info", "warning", "info", "info"}[i%6], i, i)
		}),
		"controllers": list(2, func(i int) string {
			return fmt.Sprintf(`{"name":"CT%d","type":"array_controller","status":"%s","mode":"%s","model":"FA-X90R4","version":"6.10.2"}`,
				i, []string{"ready", "not ready"}[i], []string{"primary", "offline"}[i])
		}),
		"pods": list(3, func(i int) string {
			return fmt.Sprintf(`{"id":"p%d","name":"pod%d","destroyed":false,"array_count":2,"mediator":"purestorage","space":{},"arrays":[
				{"id":"165a6c28-30d4-449c-b1a8-5ba0fe6c6e5c","name":"flasharray-r-01","status":"online","mediator_status":"%s"},
				{"id":"f75fc3b3-c4a3-48ad-bd82-7d5bade032b4","name":"flasharray-r-02","status":"online","mediator_status":"online"}]}`, i, i, []string{"online", "unreachable", "unreachable"}[i])
		}),
		"pod-replica-links/lag": list(5, func(i int) string {
			return fmt.Sprintf(`{"id":"l%d","direction":"outbound","status":"%s","lag":{"avg":%d,"max":%d},"local_pod":{"id":"p%d","name":"pod%d"},"remote_pod":{"id":"q","name":"q%d"},"remotes":[{"id":"b","name":"there"}]}`,
				i, []string{"replicating", "unhealthy"}[i/4], i*100, i*1000+500, i, i, i)
		}),
	} {
		var err error
		if f, err = f.With(path, text); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// TestConditionMetrics runs the program beside an array in trouble. With
// POOLCAST_EXPORTER, the path of the vendor's pure-fa-om-exporter, it compares the
// metrics of both too.
func TestConditionMetrics(t *testing.T) {
	t.Parallel()
	env := newEnvironment(t, []simulator.Fixture{troubledArray(t), builtin(t, "flasharray-x-01")}, unreachable)
	a, url := env.startWithStatusPage()
	var ours map[string][]series
	process.Await(t, pollBound, "the condition of both arrays", func() error {
		text, err := get(t.Context(), url+"/metrics")
		ours = scrapeOf(t, text)
		if n := len(ours["poolcast_array_open_alerts"]); err == nil && (n != 6 || len(ours["poolcast_array_replication_lag_seconds"]) == 0 || len(ours["poolcast_array_pods"]) == 0) {
			return fmt.Errorf("%d numbers of alerts, replication lag %v", n, ours["poolcast_array_replication_lag_seconds"])
		}
		return err
	})
	troubled := func(l map[string]string) bool { return l["backend"] == "flasharray_r_01" }
	for metric, want := range map[string]struct {
		label string
		by    map[string]float64
	}{
		"poolcast_array_open_alerts":             {"severity", map[string]float64{"critical": 2, "warning": 4, "info": 6}},
		"poolcast_array_controller_up":           {"controller", map[string]float64{"CT0": 1, "CT1": 0}},
		"poolcast_array_pods":                    {"mediator_status", map[string]float64{"online": 1, "unreachable": 2}},
		"poolcast_array_replica_links":           {"status", map[string]float64{"replicating": 4, "unhealthy": 1}},
		"poolcast_array_connections":             {"type", map[string]float64{"sync-replication": 1, "async-replication": 1}},
		"poolcast_array_replication_lag_seconds": {"host", map[string]float64{"ctl1@flasharray_r_01": 4.5}},
	} {
		if got := sumBy(ours[metric], want.label, troubled); !maps.Equal(got, want.by) {
			t.Errorf("%s is %v, want %v", metric, got, want.by)
		}
	}
	page, err := get(t.Context(), url+"/")
	if want := "array: 2 critical alerts open, controller CT1 is not ready, mediator of 2 pods is unreachable, 1 replica link unhealthy"; err != nil || !strings.Contains(page, want) {
		t.Errorf("the page does not show %q (%v)", want, err)
	}
	if strings.Contains(a.Output(), "condition of the array") || strings.Contains(a.Output(), "sample is partial") {
		t.Errorf("the log has a fault:\n%s", a.Output())
	}
	if exporter := os.Getenv("POOLCAST_EXPORTER"); exporter != "" {
		compareWithExporter(t, ours, env, exporter)
	}
}

// exporterComparison compares the metrics of the program with those of the vendor's exporter.
type exporterComparison struct {
	t            *testing.T
	ours, theirs map[string][]series
}

// compareWithExporter scrapes the vendor's exporter, which reads the same arrays.
func compareWithExporter(t *testing.T, ours map[string][]series, env *environment, program string) {
	t.Helper()
	c := exporterComparison{t, ours, scrapeExporter(t, env, program)}
	for severity, n := range sumBy(c.theirs["purefa_alerts_open"], "severity", nil) {
		c.equal("open_alerts", n, "severity", severity)
	}
	for _, s := range c.theirs["purefa_hw_controller_info"] {
		c.equal("controller_info", s.value, "controller", s.labels["name"], "mode", s.labels["mode"], "status", s.labels["status"],
			"model", s.labels["model"], "purity_version", s.labels["version"])
	}
	mediators := map[string]float64{}
	for _, s := range c.theirs["purefa_pod_mediator_status"] {
		if s.labels["array"] == env.arrays[0].Name() {
			mediators[s.labels["status"]]++
		}
	}
	for status, n := range mediators {
		c.equal("pods", n, "mediator_status", status)
	}
	lag := slices.MaxFunc(c.theirs["purefa_pod_replica_links_lag_max_msec"], func(a, b series) int { return cmp.Compare(a.value, b.value) })
	c.equal("replication_lag_seconds", lag.value/1000)
	space := sumBy(c.theirs["purefa_array_space_bytes"], "space", nil)
	c.equal("capacity_bytes", space["capacity"])
	c.equal("provisioned_bytes", space["total_provisioned"])
	c.equal("free_bytes", space["empty"])
	c.equal("data_reduction_ratio", c.theirs["purefa_array_space_data_reduction_ratio"][0].value)
	c.performance()
}

func (c exporterComparison) performance() {
	for metric, dimensions := range map[string]map[string]string{
		"purefa_array_performance_latency_usec": {
			"usec_per_read_op": "read_latency_seconds", "usec_per_write_op": "write_latency_seconds", "usec_per_mirrored_write_op": "mirrored_write_latency_seconds",
			"queue_usec_per_read_op": "read_queue_seconds", "queue_usec_per_write_op": "write_queue_seconds", "queue_usec_per_mirrored_write_op": "mirrored_write_queue_seconds",
			"qos_rate_limit_usec_per_read_op": "read_qos_limit_seconds", "qos_rate_limit_usec_per_write_op": "write_qos_limit_seconds",
			"qos_rate_limit_usec_per_mirrored_write_op": "mirrored_write_qos_limit_seconds",
		},
		"purefa_array_performance_throughput_iops": {"reads_per_sec": "reads_per_second", "writes_per_sec": "writes_per_second", "mirrored_writes_per_sec": "mirrored_writes_per_second"},
		"purefa_array_performance_bandwidth_bytes": {
			"read_bytes_per_sec": "read_bytes_per_second", "write_bytes_per_sec": "write_bytes_per_second", "mirrored_write_bytes_per_sec": "mirrored_write_bytes_per_second",
		},
	} {
		values := sumBy(c.theirs[metric], "dimension", nil)
		for dimension, name := range dimensions {
			value := values[dimension]
			if strings.HasSuffix(metric, "_usec") {
				value /= 1e6
			}
			c.equal(name, value)
		}
	}
}

// equal compares one series of the first array; labels are names and values.
func (c exporterComparison) equal(metric string, want float64, labels ...string) {
	for _, s := range c.ours["poolcast_array_"+metric] {
		match := s.labels["backend"] == "flasharray_r_01"
		for i := 0; i < len(labels); i += 2 {
			match = match && s.labels[labels[i]] == labels[i+1]
		}
		switch {
		case match && math.Abs(s.value-want) > 1e-9:
			c.t.Errorf("%s %q: the exporter has %g, the agent %g", metric, labels, want, s.value)
			return
		case match:
			c.t.Logf("%s %q: both have %g", metric, labels, want)
			return
		}
	}
	c.t.Errorf("there is no %s %q", metric, labels)
}

// scrapeExporter starts the exporter and returns the metrics of the first array.
func scrapeExporter(t *testing.T, env *environment, program string) (theirs map[string][]series) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = l.Close()
	process.Start(t, process.Command{Name: "exporter", Args: []string{program, "--address", "127.0.0.1", "--port", port}})
	process.Await(t, pollBound, "the exporter", func() error {
		url := "http://" + address + "/metrics?endpoint=" + env.server.Addr(env.arrays[0].Name())
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+env.tokens[0])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if theirs = scrapeOf(t, string(text)); err == nil && len(theirs["purefa_alerts_open"]) == 0 {
			return fmt.Errorf("status %d: %.300s", response.StatusCode, text)
		}
		return err
	})
	return theirs
}
