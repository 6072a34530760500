//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher"
)

// growthBytes is by how much every simulated array has grown each second; its virtual
// capacity is used up ten times as fast.
const growthBytes = 1e7

// prometheus is a running Prometheus that scrapes an agent and has the rules of
// examples/prometheus.
type prometheus struct {
	t   *testing.T
	url string
}

// sample is one series of an instant query.
type sample struct {
	Metric map[string]string
	Value  [2]any // time and value
}

func (s sample) number(t *testing.T) float64 {
	t.Helper()
	text, _ := s.Value[1].(string)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPrometheusEvaluatesExamples runs the recording rules, the alerts and every panel of
// the dashboard on a real Prometheus that scrapes an agent. The history of four days is
// made: all arrays grow steadily.
func TestPrometheusEvaluatesExamples(t *testing.T) {
	t.Parallel()
	// The fourth array replicates, and has something of everything that panels show.
	_, agent := newEnvironment(t, append(threeArrays(t), troubledArray(t)), unreachable).startWithStatusPage()
	p := startPrometheus(t, agent)
	process.Await(t, pollBound, "predictions and rates", func() error {
		// A rate needs two scrapes; the condition of an array is read in several polls.
		for _, expression := range []string{
			"pool:poolcast_array_days_until_refused:sum", "rate(poolcast_array_polls_total[1m])",
			"poolcast_array_pods", "poolcast_array_replication_lag_seconds", "poolcast_array_replica_links", "poolcast_array_connections",
		} {
			if len(p.query(expression)) == 0 {
				return fmt.Errorf("there is no %s", expression)
			}
		}
		return p.rulesHealthy()
	})
	const left = "poolcast_array_free_bytes / 1e7 / 86400"
	want := map[string]float64{}
	for _, s := range p.query(left) {
		want[s.Metric["backend"]] = s.number(t)
	}
	got := p.query("backend:poolcast_array_days_until_full:avg7d")
	if len(got) != len(want) || len(got) != 4 {
		t.Errorf("%d predictions for %d arrays", len(got), len(want))
	}
	for _, s := range got {
		if f, w := s.number(t), want[s.Metric["backend"]]; math.Abs(f-w) > w/20 {
			t.Errorf("%s is full in %v days, want %v", s.Metric["backend"], f, w)
		}
	}
	p.checkDashboard()
}

// startPrometheus starts one with a history of the agent's arrays.
func startPrometheus(t *testing.T, agent string) *prometheus {
	t.Helper()
	folder := t.TempDir()
	scrape, err := get(t.Context(), agent+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := filepath.Join(folder, "data")
	promtool(t, "", "tsdb", "create-blocks-from", "openmetrics", write("history.txt", history(t, scrape)), data)
	// A group of rules begins within its interval.
	write("rules.yml", strings.ReplaceAll(readFile(t, "../examples/prometheus", "rules.yml"), "interval: 4m", "interval: 1s"))
	write("alerts.yml", readFile(t, "../examples/prometheus", "alerts.yml"))
	config := write("prometheus.yml", fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml, alerts.yml]
scrape_configs:
  - job_name: poolcast
    static_configs: [{targets: ["%s"]}]
`, strings.TrimPrefix(strings.TrimSuffix(agent, "/"), "http://")))
	address := fmt.Sprintf("127.0.0.1:%d", process.Ports(t, 1)[0])
	process.Start(t, process.Command{Name: "prometheus", Dir: folder, Args: []string{
		"prometheus", "--config.file=" + config, "--storage.tsdb.path=" + data, "--web.listen-address=" + address,
	}})
	return &prometheus{t: t, url: "http://" + address}
}

// history is the growth of each array and pool of a scrape over four days.
func history(t *testing.T, scrape string) string {
	t.Helper()
	label := func(line, name string) string {
		found := regexp.MustCompile(`[{,]` + name + `="([^"]*)"`).FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("no label %s in %s", name, line)
		}
		return found[1]
	}
	series := map[string]float64{}
	for line := range strings.Lines(scrape) {
		if !strings.HasPrefix(line, "poolcast_array_info{") {
			continue
		}
		name := label(line, "volume_backend_name")
		for space, growth := range map[string]float64{"used_bytes": growthBytes, "virtual_used_bytes": 10 * growthBytes} {
			series[fmt.Sprintf(`backend:poolcast_array_%s:deriv2d{job="poolcast",host="%s",backend="%s",volume_backend_name="%s"}`,
				space, label(line, "host"), label(line, "backend"), name)] += growth
			series[fmt.Sprintf(`pool:poolcast_array_%s:deriv2d{job="poolcast",volume_backend_name="%s",availability_zone="%s"}`,
				space, name, label(line, "availability_zone"))] += growth
		}
	}
	var text strings.Builder
	now := time.Now().Add(-time.Minute)
	for name, growth := range series {
		for at := now.Add(-96 * time.Hour); at.Before(now); at = at.Add(4 * time.Minute) {
			fmt.Fprintf(&text, "%s %g %d\n", name, growth, at.Unix())
		}
	}
	return text.String() + "# EOF\n"
}

// answer decodes the data of one response of the HTTP API.
func (p *prometheus) answer(path string, data any) error {
	body, err := get(p.t.Context(), p.url+path)
	if err != nil {
		return err
	}
	response := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal([]byte(body), &response); err != nil {
		return fmt.Errorf("decode %s: %w: %s", path, err, body)
	}
	if response.Status != "success" {
		return errors.New(response.Error)
	}
	return nil
}

// query returns the samples of an expression now. An error is one of the test, except
// while Prometheus starts.
func (p *prometheus) query(expression string) []sample {
	p.t.Helper()
	var data struct{ Result []sample }
	if err := p.answer("/api/v1/query?query="+url.QueryEscape(expression), &data); err != nil && !strings.Contains(err.Error(), "connection refused") && !strings.Contains(err.Error(), "Service Unavailable") {
		p.t.Errorf("%s: %v", expression, err)
	}
	return data.Result
}

// rulesHealthy says whether each rule was evaluated without an error.
func (p *prometheus) rulesHealthy() error {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if err := p.answer("/api/v1/rules", &data); err != nil {
		return err
	}
	number := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			number++
			if r.Health != "ok" {
				return fmt.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if number < 40 {
		return fmt.Errorf("there are %d rules", number)
	}
	return nil
}

// checkDashboard runs the query of each panel. Without a broker some have no series, and
// the arrays are connected.
func (p *prometheus) checkDashboard() {
	p.t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(p.t, "../examples/grafana", "poolcast.json")), &dashboard); err != nil {
		p.t.Fatal(err)
	}
	empty := []string{"Schedulers", "Age of reports", "Failed creates", "Clocks", "Connections that are not connected"}
	queries := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries++
			expression := strings.NewReplacer("$pool", ".*", "$__rate_interval", "1m").Replace(target.Expr)
			if got := p.query(expression); len(got) == 0 && !slices.Contains(empty, panel.Title) {
				p.t.Errorf("the panel %s shows nothing for %s", panel.Title, expression)
			}
		}
	}
	if queries < 40 {
		p.t.Errorf("the dashboard has %d queries", queries)
	}
}

// TestVirtualFreeIsTheSchedulers compares the metrics of virtual capacity with what the
// scheduler holds where that differs from the array's own numbers: cinder-volume before
// Cinder 29 sends no provisioned_capacity_gb, and CapacityFilter uses
// allocated_capacity_gb.
func TestVirtualFreeIsTheSchedulers(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t)[:1], transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	host := hostName(env.arrays[0].Name())
	a, agent := env.startWithStatusPage()
	a.awaitLog(0, "session", string(publisher.Ready))
	cinder.Report(scheduler.Report{Host: host, Capabilities: volumeReport(t, env.dryRun()[0])})
	awaitCapabilities(t, cinder, host, func(got capability.Set) error {
		number := func(key string) float64 {
			f, _ := got[key].Float()
			return f
		}
		total := number(capability.KeyTotalCapacity)
		capacity := (total - math.Floor(total*number(capability.KeyReservedPercentage)/100)) * number(capability.KeyMaxOverSubscription)
		free := capacity - number(capability.KeyAllocatedCapacity)
		scrape, err := get(t.Context(), agent+"/metrics")
		if err != nil {
			return err
		}
		for name, want := range map[string]float64{"capacity": capacity, "free": free} {
			name = "poolcast_array_virtual_" + name + "_bytes"
			found := regexp.MustCompile(`(?m)^` + name + `\{.*\} (.*)$`).FindStringSubmatch(scrape)
			if found == nil {
				return fmt.Errorf("there is no %s", name)
			}
			bytes, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				return err
			}
			if capacity == 0 || math.Abs(bytes/(1<<30)-want) > 0.01 {
				return fmt.Errorf("%s is %v GiB, and the scheduler's is %v", name, bytes/(1<<30), want)
			}
		}
		return nil
	})
	a.finish()
}
