//go:build integration

package integration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/integration/process"
)

// startWithStatusPage runs an agent with a status page, and returns the URL of that.
func (env *environment) startWithStatusPage() (*agent, string) {
	env.t.Helper()
	conf, err := os.ReadFile(env.config)
	if err != nil {
		env.t.Fatal(err)
	}
	env.write(env.config, strings.Replace(string(conf), "listen = off", "listen = 127.0.0.1:0", 1))
	a := env.startAgent()
	url := a.statusPageURL()
	process.Await(env.t, pollBound, "a report of each array", func() error {
		body, err := get(env.t.Context(), url+"/v1/reports")
		if n := strings.Count(body, `"collected_at"`); err == nil && n != len(env.arrays) {
			return fmt.Errorf("there are %d of %d", n, len(env.arrays))
		}
		return err
	})
	return a, url
}

// get returns the body of a page.
func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// unreachable is a transport_url on which no broker listens.
const unreachable = "rabbit://openstack:word@127.0.0.1:1/"

// promtool runs a check of promtool, which must succeed.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	cmd := exec.Command("promtool", args...)
	cmd.Dir = filepath.Join("..", "examples", "prometheus")
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "FAILED") {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlertRulesPassPromtool(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", "alerts.yml")
	promtool(t, "", "test", "rules", "alerts_test.yml")
}

// TestRecordingRulesPassPromtool takes most of a minute, for the series of six days.
func TestRecordingRulesPassPromtool(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", "rules.yml")
	promtool(t, "", "test", "rules", "rules_test.yml")
}

func TestMetricsPassPromtool(t *testing.T) {
	t.Parallel()
	_, url := newEnvironment(t, threeArrays(t), unreachable).startWithStatusPage()
	scrape, err := get(t.Context(), url+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, scrape, "check", "metrics")
	checkSecrets(t, scrape)
	for _, want := range []string{"poolcast_array_up", "poolcast_array_read_latency_seconds", "poolcast_pool_load_evenness_ratio", "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(scrape, "\n"+want) {
			t.Errorf("the scrape has no %s", want)
		}
	}
}
