//go:build bench

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// TestAgentBudget measures the processor time and memory of the agent: the program as it
// is shipped polls simulated arrays over TLS and publishes to a real RabbitMQ with a real
// scheduler. The simulator runs in the test's own process and is not measured.
func TestAgentBudget(t *testing.T) {
	for _, c := range []struct {
		arrays   int
		interval time.Duration
		rounds   int     // intervals measured, after one to warm up
		memory   float64 // MiB, resident at the most
		cpu      float64 // share of one core
	}{
		{32, 15 * time.Second, 4, 64, 0.01},
		{1000, 60 * time.Second, 2, 200, 0.10},
	} {
		t.Run(fmt.Sprintf("%d arrays every %s", c.arrays, c.interval), func(t *testing.T) {
			a := startMeasured(t, c.arrays, c.interval)
			pause(t, c.interval+10*time.Second) // logins, identities, first polls
			before := a.cpu()
			pause(t, time.Duration(c.rounds)*c.interval)
			cpu := (a.cpu() - before).Seconds() / (time.Duration(c.rounds) * c.interval).Seconds()
			memory := a.peak()
			t.Logf("%d arrays every %s: %.2f %% of a core, %.0f MiB resident at the most", c.arrays, c.interval, cpu*100, memory)
			if cpu > c.cpu {
				t.Errorf("%.2f %% of a core is over the budget of %.0f %%", cpu*100, c.cpu*100)
			}
			if memory > c.memory {
				t.Errorf("%.0f MiB is over the budget of %.0f MiB", memory, c.memory)
			}
			if strings.Contains(a.Output(), "polling array failed") {
				t.Errorf("not every array was read:\n%s", a.Output())
			}
		})
	}
}

// measured is an agent with its process id.
type measured struct {
	*process.Process
	t   *testing.T
	pid int
}

func startMeasured(t *testing.T, arrays int, interval time.Duration) *measured {
	t.Helper()
	program := filepath.Join(t.TempDir(), "poolcast")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "../cmd/poolcast")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build poolcast: %v\n%s", err, out)
	}
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	scheduler.Start(t, scheduler.Options{Broker: broker})
	conf := budgetConf(t, arrays, interval, broker.TransportURL())
	// As often as cinder-volume reports.
	cindertest.StartService(t, broker.URL(), time.Minute, cindertest.DriverReports(budgetReports(t, program, conf)))
	pidFile := filepath.Join(t.TempDir(), "pid")
	a := &measured{t: t, Process: process.Start(t, process.Command{
		Name: "poolcast",
		Args: []string{"/bin/sh", "-c", `echo $$ >"$1"; shift; exec "$@"`, "sh", pidFile, program, "--config-file", conf},
	})}
	process.Await(t, time.Minute, "the agent's process", func() error {
		text, err := os.ReadFile(pidFile)
		if err != nil {
			return err
		}
		a.pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err
	})
	return a
}

// budgetConf has a stanza for each array, which therefore has a session and a connection
// of its own. Arrays share the recordings.
func budgetConf(t *testing.T, arrays int, interval time.Duration, transport string) string {
	t.Helper()
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	served := make([]*simulator.Array, len(fixtures))
	for i, f := range fixtures {
		served[i] = simulator.New(f, simulator.Options{})
	}
	server, err := simulator.Serve(served, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	var names []string
	var stanzas strings.Builder
	for i := range arrays {
		name := fmt.Sprintf("fa%04d", i)
		names = append(names, name)
		fmt.Fprintf(&stanzas, "[%s]\nsan_ip = %s\npure_api_token = t%d\n", name, server.Addr(served[i%len(served)].Name()), i)
	}
	conf := fmt.Sprintf("[DEFAULT]\nhost = ctl1\nenabled_backends = %s\ntransport_url = %s\n[backend_defaults]\n"+
		"volume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = gold\n"+
		"driver_ssl_cert_verify = true\ndriver_ssl_cert_path = %s\n[poolcast]\npoll_interval = %s\nload_history = true\nlisten = off\n%s",
		strings.Join(names, ","), transport, ca, interval, &stanzas)
	for path, text := range map[string]string{ca: string(server.CAPEM()), filepath.Join(dir, "cinder.conf"): conf} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cinder.conf")
}

// budgetReports are the reports of a dry run.
func budgetReports(t *testing.T, program, conf string) []capability.Report {
	t.Helper()
	out, err := exec.Command(program, "--config-file", conf, "--dry-run").Output()
	if err != nil {
		t.Fatalf("read the arrays: %v", err)
	}
	var reports []capability.Report
	if err := json.Unmarshal(out, &reports); err != nil {
		t.Fatalf("read the dry run: %v", err)
	}
	return reports
}

// cpu is the processor time used so far (proc(5), stat, fields 14 and 15).
func (m *measured) cpu() time.Duration {
	m.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.pid))
	if err != nil {
		m.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			m.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// peak is the resident memory at the most, in MiB.
func (m *measured) peak() float64 {
	m.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				m.t.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	m.t.Fatal("the kernel does not report the resident memory")
	return 0
}

// pause waits for a fixed time, over which the agent is measured.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
