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

// startPage runs an agent with a status page, and returns where that is.
func (c *cloud) startPage() (*agent, string) {
	c.t.Helper()
	conf, err := os.ReadFile(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(c.config, strings.Replace(string(conf), "listen = off", "listen = 127.0.0.1:0", 1))
	a := c.startAgent()
	url := a.pageURL()
	process.Await(c.t, patience, "a report of each array", func() error {
		body, err := ask(c.t.Context(), url+"/v1/reports")
		if n := strings.Count(body, `"collected_at"`); err == nil && n != len(c.arrays) {
			return fmt.Errorf("there are %d of %d", n, len(c.arrays))
		}
		return err
	})
	return a, url
}

func ask(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// nowhere is a transport_url at which nobody answers.
const nowhere = "rabbit://openstack:nobody@127.0.0.1:1/"

func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	cmd := exec.Command("promtool", args...)
	cmd.Dir = filepath.Join("..", "examples", "prometheus")
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "FAILED") {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlertRules(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", "alerts.yml")
	promtool(t, "", "test", "rules", "alerts_test.yml")
}

func TestScrapeIsAsPrometheusWantsIt(t *testing.T) {
	t.Parallel()
	_, url := newCloud(t, threeArrays(t), nowhere).startPage()
	scrape, err := ask(t.Context(), url+"/metrics")
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
