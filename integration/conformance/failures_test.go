//go:build conformance

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/openapi"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher/status/client"
)

const (
	failureBound = 90 * time.Second // for a busy machine
	failurePool  = "pure_performance"
)

// explainingAgent is a running poolcast with explain_failures, on simulated arrays.
type explainingAgent struct {
	*process.Process
	t      *testing.T
	url    string
	client *client.Client
	args   []string
	conf   string
}

// newExplainingAgent builds poolcast, to be run with three simulated arrays.
func newExplainingAgent(t *testing.T, broker *rabbitmq.Broker) *explainingAgent {
	t.Helper()
	folder := t.TempDir()
	binary, conf := filepath.Join(folder, "poolcast"), filepath.Join(folder, "cinder.conf")
	run(t, exec.Command("go", "build", "-o", binary, "../../cmd/poolcast"))
	port := process.Ports(t, 1)[0]
	text := fmt.Sprintf(`[DEFAULT]
host = ctl1
enabled_backends = flasharray_x_01,flasharray_x_02,flasharray_x_03
transport_url = %s
[backend_defaults]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = %s
backend_availability_zone = dc1
pure_api_token = simulated
[poolcast]
poll_interval = 3s
listen = 127.0.0.1:%d
`, broker.TransportURL(), failurePool, port)
	for i, name := range []string{"flasharray_x_01", "flasharray_x_02", "flasharray_x_03"} {
		text += fmt.Sprintf("[%s]\nsan_ip = 10.21.0.1%d\n", name, i+1)
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &explainingAgent{t: t, conf: conf, url: fmt.Sprintf("http://127.0.0.1:%d", port), args: []string{binary, "--config-file", conf, "--simulate"}}
	var err error
	if a.client, err = client.New(client.Options{URL: a.url}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.client.Close)
	return a
}

// start runs the agent.
func (a *explainingAgent) start() {
	a.t.Helper()
	a.Process = process.Start(a.t, process.Command{Name: "poolcast", Args: a.args})
}

// dryRun returns the reports that the agent makes.
func (a *explainingAgent) dryRun() (reports []capability.Report) {
	a.t.Helper()
	out, err := exec.Command(a.args[0], append(slices.Clone(a.args[1:]), "--dry-run")...).Output()
	if err == nil {
		err = json.Unmarshal(out, &reports)
	}
	if err != nil {
		a.t.Fatalf("run poolcast --dry-run: %v", err)
	}
	return reports
}

func (a *explainingAgent) get(path string) string {
	a.t.Helper()
	response, err := http.Get(a.url + path)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

// awaitFailures waits for failures at the API.
func (a *explainingAgent) awaitFailures(n int) (failures []client.Failure) {
	a.t.Helper()
	process.Await(a.t, failureBound, "failures at /v1/failures", func() (err error) {
		if failures, err = a.client.Failures(a.t.Context()); err == nil && len(failures) != n {
			err = fmt.Errorf("there are %d, not %d", len(failures), n)
		}
		return err
	})
	return failures
}

// TestFailedCreatesAreExplained creates volumes that no backend takes, with a real
// scheduler of the newest Cinder that sends notifications. The agent explains them in its
// log, at its API, on its page and in a metric, without ids of projects and users.
func TestFailedCreatesAreExplained(t *testing.T) {
	environment, err := filepath.Abs(filepath.Dir(filepath.Dir(python())))
	if err != nil {
		t.Fatal(err)
	}
	broker := rabbitmq.Start(t, rabbitmq.Options{User: "openstack", Password: "secret"})
	a := newExplainingAgent(t, broker)
	reports := a.dryRun()
	var backends []scheduler.Backend
	for _, r := range reports {
		backends = append(backends, scheduler.Backend{Host: r.Host, Zone: r.Zone})
	}
	cinder := scheduler.Start(t, scheduler.Options{
		Broker: broker, Backends: backends, Installation: scheduler.Installation{Environment: environment},
		Notifications: []string{"driver = messagingv2"}, Settings: []string{"quota_gigabytes = -1"},
	})
	a.start()
	a.explainFailures()
	cindertest.StartService(t, broker.URL(), 2*time.Second, cindertest.DriverReports(reports))
	awaitOverlays(t, cinder, len(reports))

	start := time.Now()
	create(t, cinder, scheduler.Volume{Size: 100, Zone: "dc1", Type: "gold", ExtraSpecs: map[string]string{"volume_backend_name": failurePool, "total_volumes": "<= 1"}})
	created := time.Now()
	f := a.awaitFailures(1)[0]
	t.Logf("explained %s after the request and %s after the volume was in error", time.Since(start).Round(time.Millisecond), time.Since(created).Round(time.Millisecond))
	if len(f.Refused) != 3 || f.Refused[0].Backend != "flasharray_x_01" || f.Refused[0].Filter != "CapabilitiesFilter" || f.Size != 100 || f.VolumeType != "gold" {
		t.Errorf("got %+v", f)
	}

	create(t, cinder, scheduler.Volume{Size: 1 << 30, Zone: "dc1", ExtraSpecs: map[string]string{}})
	create(t, cinder, scheduler.Volume{Size: 1, Zone: "dc1", ExtraSpecs: map[string]string{"volume_backend_name": "unknown"}})
	a.awaitFailures(3)
	checkExplanations(t, a)
	checkBurst(t, a, broker)
	checkQueues(t, a, broker)
}

// create creates a volume that no backend takes.
func create(t *testing.T, cinder *scheduler.Scheduler, v scheduler.Volume) {
	t.Helper()
	if host, err := cinder.Create(v); err != nil || host != "" {
		t.Fatalf("the volume is on %q, %v", host, err)
	}
}

// explainFailures switches explain_failures on while the agent runs.
func (a *explainingAgent) explainFailures() {
	a.t.Helper()
	text, err := os.ReadFile(a.conf)
	if err == nil {
		text = append(text, "[poolcast]\nexplain_failures = true\n"...)
		err = os.WriteFile(a.conf, text, 0o600)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	process.Await(a.t, failureBound, "the agent to receive notifications", func() error {
		if !strings.Contains(a.Output(), "receiving error notifications of cinder-scheduler") {
			return errors.New("it does not")
		}
		return nil
	})
}

// awaitOverlays waits until the scheduler has the agent's report of each backend.
func awaitOverlays(t *testing.T, cinder *scheduler.Scheduler, backends int) {
	t.Helper()
	process.Await(t, failureBound, "the agent's reports at the scheduler", func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		n := 0
		for _, p := range pools {
			if _, there := p.Capabilities[capability.KeyMetricsAgent]; there {
				n++
			}
		}
		if n == backends {
			return nil
		}
		return fmt.Errorf("the scheduler has %d of %d", n, backends)
	})
}

// checkExplanations checks log, page and metrics, and that they have no private id.
func checkExplanations(t *testing.T, a *explainingAgent) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(a.Output()) {
		if strings.Contains(line, "create failed: volume ") {
			lines = append(lines, strings.TrimSpace(line))
			t.Log(lines[len(lines)-1])
		}
	}
	if len(lines) != 3 {
		t.Fatalf("there are %d lines in the log", len(lines))
	}
	pattern := regexp.MustCompile(`create failed: volume [0-9a-f]{8}…, type gold, 100 GiB, dc1: refused: flasharray_x_01 total_volumes \d+ is not <= 1; flasharray_x_02 .*; flasharray_x_03 `)
	if !pattern.MatchString(lines[0]) {
		t.Errorf("the line is %s", lines[0])
	}
	spec, err := openapi.Parse([]byte(a.get("/v1/openapi.yaml")), openapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range spec.Faults(http.MethodGet, "/v1/failures", http.StatusOK, "application/json", []byte(a.get("/v1/failures"))) {
		t.Errorf("/v1/failures: %s", fault)
	}
	page, metrics := a.get("/"), a.get("/metrics")
	for _, want := range []string{"Failed creates", "is not &lt;= 1", "volume_backend_name pure_performance is not unknown"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, want := range []string{
		`poolcast_failed_creates_total{filter="CapabilitiesFilter",volume_backend_name="pure_performance"} 1`,
		`poolcast_failed_creates_total{filter="CapacityFilter",volume_backend_name=""} 1`,
		`poolcast_failed_creates_total{filter="CapabilitiesFilter",volume_backend_name=""} 1`,
		"poolcast_notifications_listening 1",
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics have no %s", want)
		}
	}
	for _, text := range []string{a.Output(), page, metrics, a.get("/v1/failures"), a.get("/readyz")} {
		for _, id := range []string{scheduler.Project, scheduler.User} {
			if strings.Contains(text, id) {
				t.Errorf("an id of a project or a user is in %s", text)
			}
		}
	}
}

// checkBurst repeats the scheduler's last notification a thousand times, each with an id
// of its own: all are counted, and few are logged.
func checkBurst(t *testing.T, a *explainingAgent, broker *rabbitmq.Broker) {
	t.Helper()
	ch := rabbitmq.Channel(t, rabbitmq.Dial(t, broker.URL()))
	message, found, err := ch.Get("notifications.error", false)
	if err == nil && found {
		err = message.Nack(false, true)
	}
	if err != nil || !found {
		t.Fatalf("get a notification: %t, %v", found, err)
	}
	id := regexp.MustCompile(`(message_id\\": \\")[0-9a-f]{8}`)
	start := time.Now()
	for i := range 1000 {
		body := id.ReplaceAll(message.Body, fmt.Appendf(nil, "${1}%08d", i))
		if err := ch.PublishWithContext(t.Context(), "openstack", "notifications.error", false, false, amqp091.Publishing{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	process.Await(t, failureBound, "a thousand more failures to be counted", func() error {
		if want := `poolcast_failed_creates_total{filter="CapabilitiesFilter",volume_backend_name="pure_performance"} 1001`; !strings.Contains(a.get("/metrics"), want) {
			return errors.New("there are fewer")
		}
		return nil
	})
	t.Logf("a thousand failures were explained in %s", time.Since(start).Round(time.Millisecond))
	if n := strings.Count(a.Output(), "create failed: "); n > 20 { // ten a minute, of two minutes at most
		t.Errorf("there are %d lines in the log", n)
	}
	if n := len(a.awaitFailures(50)); n != 50 {
		t.Errorf("the API has %d", n)
	}
}

// checkQueues checks what OPERATIONS.md has about the queue that oslo.messaging
// declares, and that nothing of the agent is left when it has ended.
func checkQueues(t *testing.T, a *explainingAgent, broker *rabbitmq.Broker) {
	t.Helper()
	document, err := os.ReadFile("../../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	policy := regexp.MustCompile(`(?m)^rabbitmqctl (set_policy) -p / (notifications) '(.*)' '(.*)' --apply-to queues$`).FindSubmatch(document)
	if policy == nil {
		t.Fatal("OPERATIONS.md has no policy for queues of notifications")
	}
	grown := func() (messages int) {
		for _, q := range broker.Queues() {
			if q.Name == "notifications.error" && q.Consumers == 0 {
				messages = q.Messages
			}
		}
		return messages
	}
	if n := grown(); n != 1003 {
		t.Errorf("%d messages wait in notifications.error", n)
	}
	broker.Ctl("set_policy", "-p", "/", string(policy[2]), string(policy[3]), strings.Replace(string(policy[4]), "1000", "2", 1), "--apply-to", "queues")
	process.Await(t, failureBound, "the policy to bound the queue", func() error {
		if n := grown(); n != 2 {
			return fmt.Errorf("it has %d messages", n)
		}
		return nil
	})
	a.Stop()
	if code := a.ExitCode(); code != 0 {
		t.Errorf("poolcast ended with code %d", code)
	}
	for _, q := range broker.Queues() {
		if q.Exclusive && strings.HasPrefix(q.Name, "amq.gen") || strings.HasPrefix(q.Name, "poolcast") {
			t.Errorf("the queue %s is left", q.Name)
		}
	}
}
