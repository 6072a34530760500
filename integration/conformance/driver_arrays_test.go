//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/process"
)

// testArrays are the arrays of all cases, and the cinder.conf that names them.
type testArrays struct {
	confPath string
	caPath   string
	servers  map[string]*simulator.Server // by case
	backends map[string]config.Backend
}

// serveCases serves an array for each case, with a clock that stands still, and writes the
// cinder.conf that both programs read.
func serveCases(t *testing.T, cases []driverCase) *testArrays {
	t.Helper()
	fixtures := fixturesWithQueueDepth(t)
	dir := t.TempDir()
	s := &testArrays{
		confPath: filepath.Join(dir, "cinder.conf"), caPath: filepath.Join(dir, "ca.pem"),
		servers: map[string]*simulator.Server{}, backends: map[string]config.Backend{},
	}
	now := time.Now()
	var names, stanzas []string
	var authorities []byte
	for _, c := range cases {
		s.servers[c.name] = serve(t, fixtures, c, now)
		authorities = append(authorities, s.servers[c.name].CAPEM()...)
		names = append(names, c.name)
		stanzas = append(stanzas, s.stanza(t, c))
	}
	text := "[DEFAULT]\nhost = here\nenabled_backends = " + strings.Join(names, ",") + "\n" + strings.Join(stanzas, "")
	if err := errors.Join(os.WriteFile(s.confPath, []byte(text), 0o600), os.WriteFile(s.caPath, authorities, 0o600)); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Load(config.Sources{Inputs: config.Files(s.confPath)})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, b := range conf.Backends {
		s.backends[b.Stanza] = b
	}
	return s
}

// fixturesWithQueueDepth are the simulator's own, with a queue depth as older arrays return
// it, so that this key can be compared too.
func fixturesWithQueueDepth(t *testing.T) []simulator.Fixture {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../flasharray/simulator/fixtures")); err != nil {
		t.Fatal(err)
	}
	samples, err := filepath.Glob(filepath.Join(dir, "*", "frames", "*", "arrays", "performance.json"))
	if err != nil || len(samples) == 0 {
		t.Fatalf("no recorded samples: %v", err)
	}
	for i, path := range samples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Replace(text, []byte(`"queue_depth": null`), fmt.Appendf(nil, `"queue_depth": %d`, i+1), 1)
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fixtures, err := simulator.LoadDir(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return fixtures
}

func serve(t *testing.T, fixtures []simulator.Fixture, c driverCase, now time.Time) *simulator.Server {
	t.Helper()
	wanted := map[string]bool{c.array: true}
	for _, r := range c.replicas {
		wanted[r.array] = true
	}
	var arrays []*simulator.Array
	for _, f := range fixtures {
		if wanted[f.Name] {
			a := simulator.New(f, simulator.Options{Clock: func() time.Time { return now }, History: c.history})
			a.SetFaults(c.faults...)
			arrays = append(arrays, a)
		}
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func (s *testArrays) stanza(t *testing.T, c driverCase) string {
	t.Helper()
	server := s.servers[c.name]
	var b strings.Builder
	fmt.Fprintf(&b, "\n[%s]\nvolume_driver = cinder.volume.drivers.pure.%s\nvolume_backend_name = gold\n", c.name, c.class)
	fmt.Fprintf(&b, "san_ip = %s\npure_api_token = token\ndriver_ssl_cert_verify = True\ndriver_ssl_cert_path = %s\n", server.Addr(c.array), s.caPath)
	for i, r := range c.replicas {
		address := server.Addr(r.array)
		if r.array == "" {
			address = net.JoinHostPort("127.0.0.1", strconv.Itoa(process.Ports(t, 1)[0])) // no server listens
		}
		fmt.Fprintf(&b, "replication_device = backend_id:%s-%d,san_ip:%s,api_token:token%d,type:%s\n", r.array, i, strings.Replace(address, "127.0.0.1", "localhost", 1), i, r.kind)
	}
	for _, o := range c.options {
		b.WriteString(o + "\n")
	}
	return b.String()
}

// target is the case's backend as the agent makes it from the configuration.
func (s *testArrays) target(t *testing.T, name string) collector.Target {
	t.Helper()
	b, ok := s.backends[name]
	if !ok {
		t.Fatalf("poolcast read no backend %s", name)
	}
	client, err := flasharray.New(flasharray.Options{
		Address: b.Address.String(), Token: flasharray.StaticToken("token"),
		Verify: true, RootCAs: s.servers[name].CertPool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return collector.Target{
		Host: b.Host, Backend: b.Stanza, Pool: b.VolumeBackendName, Zone: b.Zone,
		Source: client, Interval: time.Minute, Timeout: 30 * time.Second, Stanza: stanzaOf(b),
	}
}

func stanzaOf(b config.Backend) collector.Stanza {
	st := collector.Stanza{
		Protocol: b.Protocol, ReservedPercentage: int64(b.ReservedPercentage),
		MaxOverSubscription: ratio(b.MaxOverSubscription), AutomaticOverSubscription: b.AutomaticRatio,
		Extra: b.Extra, Live: b.LiveCapabilities, TriSync: b.Replication.TriSync,
	}
	if b.FilterFunction != nil {
		st.FilterFunction = *b.FilterFunction
	}
	if b.GoodnessFunction != nil {
		st.GoodnessFunction = *b.GoodnessFunction
	}
	for _, d := range b.Replication.Devices {
		st.Replicas = append(st.Replicas, collector.Replica{BackendID: d.BackendID, Sync: d.Type == "sync"})
	}
	return st
}

func ratio(o config.OverSubscription) string {
	if o.Auto {
		return "auto"
	}
	return strconv.FormatFloat(o.Ratio, 'g', -1, 64)
}

// cinder is a running driver_report.py.
type cinder struct {
	in  io.Writer
	out *bufio.Reader
}

type cinderReport struct {
	Version      string         `json:"version"`
	Error        string         `json:"error"`
	Capabilities capability.Set `json:"capabilities"`
}

// python is an interpreter with cinder and py-pure-client: POOLCAST_PYTHON, or that of the
// virtual environment of make conformance.
func python() string {
	if path := os.Getenv("POOLCAST_PYTHON"); path != "" {
		return path
	}
	return "../../.venv/bin/python"
}

// startCinder runs Cinder's driver with the configuration of the cases.
//
// The official client accepts driver_ssl_cert_path and does not use it
// (py-pure-client 1.96, pypureclient/_helpers.py sets ssl_cert where the transport
// reads ssl_ca_cert). The authorities are therefore set as the system's.
func startCinder(t *testing.T, s *testArrays) *cinder {
	t.Helper()
	command := exec.CommandContext(t.Context(), python(), "-W", "ignore", "driver_report.py", s.confPath)
	command.Env = append(os.Environ(), "SSL_CERT_FILE="+s.caPath)
	command.Stderr = t.Output()
	command.WaitDelay = 5 * time.Second
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start %s (set POOLCAST_PYTHON to one that has cinder and py-pure-client): %v", python(), err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := command.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("driver_report.py: %v", err)
		}
	})
	return &cinder{in: in, out: bufio.NewReader(out)}
}

func (c *cinder) report(t *testing.T, stanza string) (r cinderReport) {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, stanza); err != nil {
		t.Fatal(err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("read the output of driver_report.py: %v", err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return r
}

func driverDocument(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../collector/DRIVER.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readDriverTable returns the keys of each row of the document, by its id.
func readDriverTable(t *testing.T, document string) map[string][]string {
	t.Helper()
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := map[string][]string{}
	for line := range strings.Lines(document) {
		cells := strings.Split(line, "|")
		if len(cells) < 8 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		id := quoted.FindStringSubmatch(cells[1])[1]
		for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
			rows[id] = append(rows[id], m[1])
		}
		if len(rows[id]) == 0 {
			t.Fatalf("row %s names no key", id)
		}
	}
	return rows
}
