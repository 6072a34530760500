package scheduler

import (
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/network"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// Installation is a Cinder to run. The zero value is Debian's on this machine.
type Installation struct {
	Root        string // a Debian root that has Cinder, entered with chroot
	Environment string // a Python virtual environment that has Cinder
}

// python are the arguments that run a Python program. The path is absolute, because
// another interpreter of the same name does not find Debian's packages.
func (i Installation) python(args ...string) []string {
	if i.Environment != "" {
		return append([]string{filepath.Join(i.Environment, "bin/python")}, args...)
	}
	return network.Enter(i.Root, append([]string{"/usr/bin/python3"}, args...)...)
}

// scheduler are the arguments that run cinder-scheduler.
func (i Installation) scheduler(args ...string) []string {
	if i.Environment != "" {
		return i.python(append([]string{filepath.Join(i.Environment, "bin/cinder-scheduler")}, args...)...)
	}
	return i.python(append([]string{"/usr/bin/cinder-scheduler"}, args...)...)
}

// startBound is how long a scheduler may take to respond. It takes about five seconds;
// the rest is for a busy machine.
const startBound = 90 * time.Second

//go:embed console.py
var consoleProgram []byte

// Backend is a service of cinder-volume.
type Backend struct {
	Host    string // host@stanza
	Cluster string // cluster@stanza, or ""
	Zone    string // availability zone
}

// Options say how a scheduler is configured.
type Options struct {
	Broker   *rabbitmq.Broker
	Backends []Backend
	Settings []string // further lines of [DEFAULT], such as "scheduler_default_weighers = GoodnessWeigher"

	Messaging    []string     // lines of [oslo_messaging_rabbit], such as "rabbit_quorum_queue = true"
	Installation Installation // the Cinder to run
	// Notifications are lines of [oslo_messaging_notifications], such as
	// "driver = messagingv2".
	Notifications []string
}

// Scheduler is a running cinder-scheduler. Its methods are for the test's
// goroutine.
type Scheduler struct {
	t       testing.TB
	opts    Options
	dir     string
	runs    []*process.Process // the last one is running
	console console
}

// Start runs a scheduler and returns when it responds.
func Start(t testing.TB, opts Options) *Scheduler {
	t.Helper()
	requireInstalled(t, opts.Installation)
	s := &Scheduler{t: t, opts: opts, dir: t.TempDir()}
	s.write("cinder.conf", []byte(s.settings()))
	s.startConsole()
	s.Start()
	for _, b := range opts.Backends {
		s.AddBackend(b)
	}
	return s
}

// Start runs a stopped scheduler again. It has the services that it had, and no
// report.
func (s *Scheduler) Start() {
	s.t.Helper()
	p := process.Start(s.t, process.Command{
		Name: "cinder-scheduler",
		Args: s.opts.Installation.scheduler("--config-file", s.path("cinder.conf")),
		Dir:  s.dir,
	})
	s.runs = append(s.runs, p)
	process.Await(s.t, startBound, "cinder-scheduler to respond", func() error {
		if !p.Running() {
			s.t.Fatalf("start cinder-scheduler: it ended with code %d", p.ExitCode())
		}
		if s.opts.Broker.Consumers("cinder-scheduler") == 0 {
			return errors.New("it does not consume yet")
		}
		_, err := s.Pools()
		return err
	})
}

// Stop ends the scheduler with SIGTERM, or with SIGKILL where it takes too long.
func (s *Scheduler) Stop() { s.runs[len(s.runs)-1].Stop() }

// Restart stops the scheduler and starts it again.
func (s *Scheduler) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// Log is what the scheduler wrote since its first start.
func (s *Scheduler) Log() string {
	var all strings.Builder
	for _, p := range s.runs {
		all.WriteString(p.Output())
	}
	return all.String()
}

// ConfigFile is the cinder.conf that the scheduler reads.
func (s *Scheduler) ConfigFile() string { return s.path("cinder.conf") }

func (s *Scheduler) path(name string) string { return filepath.Join(s.dir, name) }

// settings are the scheduler's cinder.conf. No service renews its heartbeat here, so
// it never expires. The database does not wait for the disk, and waits long for its
// lock, for a busy machine. The scheduler writes to it only while it starts and for a
// volume: SQLite refuses one of two transactions that have read before both write.
func (s *Scheduler) settings() string {
	lines := []string{
		"[DEFAULT]",
		"host = scheduler1",
		"transport_url = " + s.opts.Broker.TransportURL(),
		"state_path = " + s.dir,
		"rpc_response_timeout = 5",
		"service_down_time = 100000000",
		"graceful_shutdown_timeout = 3",
		"report_interval = 0",      // no heartbeat of its own
		"periodic_fuzzy_delay = 0", // expired messages are deleted at once, not later
	}
	lines = append(lines, s.opts.Settings...)
	lines = append(lines,
		"[database]",
		"connection = sqlite:///"+s.path("cinder.sqlite")+"?timeout=60",
		"sqlite_synchronous = false", // nothing is kept
		"[oslo_concurrency]",
		"lock_path = "+s.path("lock"),
		"[oslo_messaging_rabbit]")
	lines = append(lines, s.opts.Messaging...)
	lines = append(lines, "[oslo_messaging_notifications]")
	lines = append(lines, s.opts.Notifications...)
	return strings.Join(lines, "\n") + "\n"
}

func (s *Scheduler) write(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
		s.t.Fatalf("write the scheduler's %s: %v", name, err)
	}
}

// requireInstalled stops the test where Cinder is missing.
func requireInstalled(t testing.TB, i Installation) {
	t.Helper()
	if i != (Installation{}) {
		return // integration/roots has made and checked it
	}
	_, err := os.Stat("/usr/bin/cinder-scheduler")
	if err == nil {
		python := i.python("-c", "import cinder")
		err = exec.Command(python[0], python[1:]...).Run()
	}
	if err != nil {
		t.Fatalf("the Cinder scheduler is not installed (%v): run integration/setup, or apt-get install cinder-scheduler python3-cinder", err)
	}
}
