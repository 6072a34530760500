package cloud

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// Pool is the volume_backend_name of an array that has no other.
const Pool = "pure_performance"

// Options say what is started.
type Options struct {
	// Python is an interpreter that has Cinder and py-pure-client; "" is Python().
	Python string
	// Poolcast is the program to run as an agent; "" builds it from the source.
	Poolcast string
	// Broker is that of the cloud. Its zero value is the RabbitMQ of this machine.
	Broker   rabbitmq.Options
	Keystone bool // check tokens at a Keystone

	Arrays []Array
	Hosts  []Host
	// Cluster is the option cluster of all hosts, for cinder-volume in active-active
	// mode; "" is none.
	Cluster string
	// Settings are further lines of [DEFAULT] of all services, such as
	// "scheduler_default_weighers = GoodnessWeigher". A line may begin another section.
	Settings []string
	// ReportInterval is backend_stats_polling_interval, at least 3 s; 0 is Cinder's, 60 s.
	ReportInterval time.Duration

	NoAgents bool // start no agent; Agent.Start starts one later
	// Agent are further lines of [poolcast]. poll_interval is 3s, its minimum, without one.
	Agent []string

	// Begin is called for each step that begins, and Progress for each that is completed,
	// one call of both at a time; nil is possible.
	Begin    func(step string)
	Progress func(step string, took time.Duration)
}

// Array is an array to simulate, and its stanza in cinder.conf.
type Array struct {
	Fixture   simulator.Fixture
	Simulator simulator.Options
	Address   string    // host:port where the caller serves it; "" serves the fixture
	Stanza    string    // "" is the name of the fixture with underscores
	Zone      string    // backend_availability_zone; "" is none
	Replicas  []Replica // the arrays that it replicates to
	Settings  []string  // further lines of the stanza, such as "goodness_function = 100"
}

// Replica is a replication target. Its backend_id is the name of the stanza.
type Replica struct {
	Stanza string // of another array, which no host needs to enable
	Type   string // async, sync or trisync
}

// name is the name of the stanza.
func (a Array) name() string {
	if a.Stanza != "" {
		return a.Stanza
	}
	return strings.ReplaceAll(a.Fixture.Name, "-", "_")
}

// Host is a cinder-volume and the agent beside it.
type Host struct {
	Name     string   // the option host
	Backends []string // the stanzas in enabled_backends
	Settings []string // further lines of its cinder.conf, which begin in [DEFAULT]
}

// Default is a cloud with three identical arrays in two zones under one
// volume_backend_name, and a cinder-volume host in each zone.
func Default() (Options, error) {
	o := Options{Hosts: []Host{
		{Name: "ctl1", Backends: []string{"flasharray_x_01", "flasharray_x_02"}},
		{Name: "ctl2", Backends: []string{"flasharray_x_03"}},
	}}
	for name, zone := range map[string]string{"flasharray-x-01": "dc1", "flasharray-x-02": "dc1", "flasharray-x-03": "dc2"} {
		fixture, err := simulator.BuiltinNamed(name)
		if err != nil {
			return Options{}, err
		}
		o.Arrays = append(o.Arrays, Array{Fixture: fixture, Simulator: simulator.Options{Writable: true}, Zone: zone})
	}
	slices.SortFunc(o.Arrays, func(a, b Array) int { return strings.Compare(a.name(), b.name()) })
	return o, nil
}

// Python is the interpreter of POOLCAST_PYTHON, or that of the virtual environment that
// make conformance and make cloud install, in a repository.
func Python(repository string) string {
	if path := os.Getenv("POOLCAST_PYTHON"); path != "" {
		return path
	}
	return filepath.Join(repository, ".venv/bin/python")
}

// requirePython stops where an interpreter has no Cinder.
func requirePython(t process.T, python string) string {
	t.Helper()
	path, err := filepath.Abs(python)
	if err == nil {
		_, err = os.Stat(filepath.Join(filepath.Dir(path), "cinder-volume"))
	}
	if err != nil {
		t.Fatalf("%s", missingPython(python, err))
	}
	return path
}

func missingPython(python string, err error) string {
	return fmt.Sprintf("the Python environment of %q has no Cinder (%v): run make cloud, or set POOLCAST_PYTHON to the interpreter of a virtual environment with the packages of integration/requirements.txt", python, err)
}
