//go:build integration

package integration

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

const (
	// interval is how often the agents in these tests poll: the shortest that is allowed.
	interval = 3 * time.Second
	// pollBound is for what happens after an interval or two; most of it is for a busy
	// machine.
	pollBound = 90 * time.Second
	// reconnectBound is for what needs a new connection to the broker, for which the
	// agent may wait half a minute.
	reconnectBound = 3 * time.Minute

	// secretPrefix begins every token and password in these tests, so that a test
	// finds those that are printed.
	secretPrefix = "secret-of-a-test-"

	zone = "dc1"
	pool = "pure_performance"
)

// environment is what an agent works with: arrays that are simulated in this process,
// and the cinder.conf that names them and the broker. The stanza of an array is its
// name with underscores, and all are one logical pool.
type environment struct {
	t      *testing.T
	arrays []*simulator.Array
	server *simulator.Server
	tokens []string // of the arrays, in the same order
	config string   // path of cinder.conf
	// commandConfig is the path of a second configuration file, for commands: it gives
	// them more time for the arrays than an agent has.
	commandConfig string
}

// newEnvironment serves arrays and writes a configuration for them. transport is the
// value of transport_url.
func newEnvironment(t *testing.T, fixtures []simulator.Fixture, transport string) *environment {
	t.Helper()
	env := &environment{t: t}
	for _, f := range fixtures {
		a := simulator.New(f, simulator.Options{})
		a.SetFrame(0)
		env.arrays = append(env.arrays, a)
	}
	var err error
	if env.server, err = simulator.Serve(env.arrays, simulator.ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.server.Close(); err != nil {
			t.Errorf("close the simulator: %v", err)
		}
	})
	dir := t.TempDir()
	env.config, env.commandConfig = filepath.Join(dir, "cinder.conf"), filepath.Join(dir, "commands.conf")
	env.write(env.commandConfig, "[poolcast]\npoll_interval = 1m\npoll_timeout = 30s\n")
	env.write(filepath.Join(dir, "ca.pem"), string(env.server.CAPEM()))
	env.write(env.config, env.cinderConf(transport, filepath.Join(dir, "ca.pem")))
	return env
}

// add appends lines to the configuration.
func (env *environment) add(lines string) {
	env.t.Helper()
	f, err := os.OpenFile(env.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		env.t.Fatal(err)
	}
	_, err = f.WriteString(lines)
	if err := errors.Join(err, f.Close()); err != nil {
		env.t.Fatal(err)
	}
}

// threeArrays are the identical arrays of the example in README.md.
func threeArrays(t *testing.T) []simulator.Fixture {
	t.Helper()
	return []simulator.Fixture{builtin(t, "flasharray-x-01"), builtin(t, "flasharray-x-02"), builtin(t, "flasharray-x-03")}
}

// builtin is a fixture of the simulator.
func builtin(t *testing.T, name string) simulator.Fixture {
	t.Helper()
	f, err := simulator.BuiltinNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// cinderConf makes up the tokens and returns the configuration.
func (env *environment) cinderConf(transport, ca string) string {
	var stanzas []string
	for _, a := range env.arrays {
		stanzas = append(stanzas, stanza(a.Name()))
	}
	lines := []string{
		"[DEFAULT]",
		"host = ctl1",
		"enabled_backends = " + strings.Join(stanzas, ","),
		"transport_url = " + transport,
		"storage_availability_zone = " + zone, // of a volume without a zone
		"[backend_defaults]",
		"volume_driver = cinder.volume.drivers.pure.PureISCSIDriver",
		"volume_backend_name = " + pool,
		"backend_availability_zone = " + zone,
		"driver_ssl_cert_verify = true",
		"driver_ssl_cert_path = " + ca,
	}
	for _, a := range env.arrays {
		env.tokens = append(env.tokens, secret())
		lines = append(lines, "["+stanza(a.Name())+"]",
			"san_ip = "+env.server.Addr(a.Name()),
			"pure_api_token = "+env.tokens[len(env.tokens)-1],
			`extra_capabilities = {"tier": "performance", "media": "nvme-ssd"}`)
	}
	lines = append(lines, "[poolcast]", "poll_interval = "+interval.String(), "log_format = json", "log_level = debug", "listen = off")
	return strings.Join(lines, "\n") + "\n"
}

// secret makes up a token or password.
func secret() string { return secretPrefix + strings.ToLower(rand.Text()) }

func (env *environment) write(path, text string) {
	env.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		env.t.Fatal(err)
	}
}

func stanza(array string) string { return strings.ReplaceAll(array, "-", "_") }

// hostName is the id of an array's backend.
func hostName(array string) string { return "ctl1@" + stanza(array) }

// backends are the services that a scheduler needs.
func (env *environment) backends() []scheduler.Backend {
	var list []scheduler.Backend
	for _, a := range env.arrays {
		list = append(list, scheduler.Backend{Host: hostName(a.Name()), Zone: zone})
	}
	return list
}

func (env *environment) setFrame(n int) {
	for _, a := range env.arrays {
		a.SetFrame(n)
	}
}

// dryRun returns the reports that the program prints without a broker.
func (env *environment) dryRun(args ...string) []capability.Report {
	env.t.Helper()
	out := env.run(append(args, "--dry-run")...)
	var reports []capability.Report
	if err := json.Unmarshal([]byte(out), &reports); err != nil {
		env.t.Fatalf("read the dry run: %v\n%s", err, out)
	}
	return reports
}

// command is a command of the program.
func (env *environment) command(args ...string) *exec.Cmd {
	env.t.Helper()
	all := []string{"--config-file", env.config, "--config-file", env.commandConfig}
	cmd := exec.Command(program(env.t), append(all, args...)...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // it would wait for a second at its end
	return cmd
}

// run runs a command of the program to its end and returns its output. It must
// exit with 0.
func (env *environment) run(args ...string) string {
	env.t.Helper()
	cmd := env.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		env.t.Fatalf("run poolcast %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	checkSecrets(env.t, string(out)+errs.String())
	return string(out)
}

// volumeInterval is how often the double of cinder-volume reports: more often than
// cinder-volume, so that tests wait less, and seldom enough that every array is polled
// between two reports. An overlay has a capacity of the array only if its sample is newer
// than the report.
const volumeInterval = 2*interval + time.Second

// startVolume runs a double of cinder-volume that reports every array, with the
// values of its present frame, until the test ends.
func (env *environment) startVolume(broker *rabbitmq.Broker) {
	env.t.Helper()
	cindertest.StartService(env.t, broker.URL(), volumeInterval, env.driverReports())
}

// driverReports are the reports of cinder-volume, by host.
func (env *environment) driverReports() map[string]capability.Set {
	env.t.Helper()
	return cindertest.DriverReports(env.dryRun("--poll-interval", "1m", "--poll-timeout", "30s"))
}

// checkSecrets fails the test if a text has a secret.
func checkSecrets(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.Contains(strings.ToLower(line), secretPrefix) {
			t.Errorf("a secret was printed: %s", line)
		}
	}
}

// pollEvery sets the interval of an agent that has not started yet.
func (env *environment) pollEvery(d time.Duration) {
	env.t.Helper()
	text, err := os.ReadFile(env.config)
	if err != nil {
		env.t.Fatal(err)
	}
	env.write(env.config, strings.Replace(string(text), "poll_interval = "+interval.String(), "poll_interval = "+d.String(), 1))
}

// startBroker runs a broker of the test's own and returns it with its transport_url.
func startBroker(t *testing.T) (*rabbitmq.Broker, string) {
	t.Helper()
	broker := rabbitmq.Start(t, rabbitmq.Options{User: "openstack", Password: secret()})
	return broker, broker.TransportURL()
}

// program is the path of the program under test, built once for all tests of a run,
// with the race detector.
func program(t *testing.T) string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildOnce = sync.OnceValues(func() (string, error) {
	path, err := filepath.Abs(filepath.Join("..", "bin", "poolcast-under-test"))
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-race", "-o", path, "../cmd/poolcast").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build poolcast: %w\n%s", err, out)
	}
	return path, nil
})

// overlays are the reports that an agent has published.
func overlays(reports []cindertest.Report) []cindertest.Report {
	return slices.DeleteFunc(reports, func(r cindertest.Report) bool { return !r.FromAgent() })
}

// checkTimestamps fails the test where the timestamp of an overlay does not follow
// that of a base report directly, or that of the overlay of the same base report
// before it.
func checkTimestamps(t *testing.T, host string, reports []cindertest.Report) {
	t.Helper()
	var bases, latest []time.Time // timestamps of base reports, and of the last overlay of each
	for _, r := range reports {
		if !r.FromAgent() {
			bases, latest = append(bases, r.Timestamp), append(latest, r.Timestamp)
			continue
		}
		i := slices.IndexFunc(bases, func(base time.Time) bool {
			return r.Timestamp.After(base) && r.Timestamp.Sub(base) < time.Millisecond
		})
		switch {
		case i < 0:
			t.Errorf("%s: an overlay of %v does not follow a report of cinder-volume", host, r.Timestamp)
		case !r.Timestamp.After(latest[i]):
			t.Errorf("%s: an overlay of %v follows one of %v", host, r.Timestamp, latest[i])
		default:
			latest[i] = r.Timestamp
		}
	}
}

// sharedBroker is for tests that do not stop, freeze or block it.
var sharedBroker = rabbitmq.Shared{Options: rabbitmq.Options{User: "openstack", Password: secret()}}

func TestMain(m *testing.M) {
	m.Run()
	if err := sharedBroker.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the shared broker:", err)
	}
}

// joinBroker gives a test a virtual host of the shared broker, and its
// transport_url.
func joinBroker(t *testing.T) (*rabbitmq.Broker, string) {
	t.Helper()
	broker := sharedBroker.VirtualHost(t)
	return broker, broker.TransportURL()
}

// agent is the program running as a service.
type agent struct {
	*process.Process
	t           *testing.T
	environment *environment
}

// logLine is one line of an agent's log.
type logLine map[string]any

func (l logLine) text(key string) string {
	s, _ := l[key].(string)
	return s
}

// startAgent runs the agent until the test ends. In every test its output must have no
// secret and no data race.
func (env *environment) startAgent() *agent {
	env.t.Helper()
	a := &agent{t: env.t, environment: env, Process: process.Start(env.t, process.Command{
		Name: "poolcast",
		Args: []string{program(env.t), "--config-file", env.config},
	})}
	env.t.Cleanup(func() {
		a.Stop()
		checkSecrets(env.t, a.Output())
		if strings.Contains(a.Output(), "DATA RACE") {
			env.t.Errorf("the race detector found a data race:\n%s", a.Output())
		}
	})
	return a
}

// finish stops the agent, which must end with code 0 and close its sessions.
func (a *agent) finish() {
	a.t.Helper()
	a.Stop()
	if code := a.ExitCode(); code != 0 {
		a.t.Errorf("poolcast ended with code %d", code)
	}
	for _, array := range a.environment.arrays {
		if n := array.Sessions(); n != 0 {
			a.t.Errorf("%d sessions are open on %s after the end", n, array.Name())
		}
	}
}

// log returns the lines that the agent has logged so far.
func (a *agent) log() (lines []logLine) {
	a.t.Helper()
	for text := range strings.Lines(a.Output()) {
		var line logLine
		if !strings.HasSuffix(text, "\n") {
			break // it is being written
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			a.t.Errorf("not a line of JSON in the log: %q", text)
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// statusPageURL waits for the status page of an agent that listens on any free port.
func (a *agent) statusPageURL() string {
	a.t.Helper()
	a.awaitLog(0, "message", "status page is up")
	for _, line := range a.log() {
		if line.text("message") == "status page is up" {
			return "http://" + line.text("address")
		}
	}
	return ""
}

// awaitLog waits for a line of the log, after the first so many, in which a field
// contains a text.
func (a *agent) awaitLog(skip int, field, text string) {
	a.t.Helper()
	process.Await(a.t, pollBound, fmt.Sprintf("a line in the log with %s %q", field, text), func() error {
		lines := a.log()
		for _, line := range lines[min(skip, len(lines)):] {
			if strings.Contains(line.text(field), text) {
				return nil
			}
		}
		if !a.Running() {
			a.t.Fatalf("poolcast has ended with code %d", a.ExitCode())
		}
		return errors.New("there is none")
	})
}
