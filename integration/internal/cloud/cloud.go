package cloud

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/keystone"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// Cloud is a running cloud. Its methods, and those of its hosts and services, are for the
// goroutine of the test; those of API may be called from any goroutine.
type Cloud struct {
	API       *API
	CinderAPI *Service
	Scheduler *Service
	Broker    *rabbitmq.Broker
	Keystone  *keystone.Keystone // nil without Options.Keystone

	t      process.T
	opts   Options
	dir    string
	python string
	arrays []*servedArray
	hosts  []*RunningHost

	progress sync.Mutex
}

// servedArray is an array that listens.
type servedArray struct {
	Array
	simulator *simulator.Array // nil: the caller serves it
	address   string           // host:port
}

// Start starts a cloud and returns when its scheduler lists every backend with the
// report of its cinder-volume, and with that of the agent if there are agents.
func Start(t process.T, o Options) *Cloud {
	t.Helper()
	c := &Cloud{t: t, opts: o, dir: t.TempDir(), python: requirePython(t, o.Python)}
	if o.Poolcast != "" {
		c.opts.Poolcast = absolute(t, o.Poolcast)
	}
	for _, folder := range []string{c.LogFolder(), c.path("lock")} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatalf("make a folder of the cloud: %v", err)
		}
	}
	c.AddArrays(o.Arrays...)
	c.prepare()
	c.startServices()
	return c
}

// prepare does what the services need, which is independent of each other.
func (c *Cloud) prepare() {
	c.t.Helper()
	port := process.Ports(c.t, 1)[0]
	steps := []func(process.T){
		c.step("RabbitMQ", func(t process.T) { c.Broker = rabbitmq.Start(t, c.opts.Broker) }),
		c.step("database", c.startDatabase),
	}
	if c.opts.Poolcast == "" {
		steps = append(steps, c.step("build of poolcast", c.buildPoolcast))
	}
	if c.opts.Keystone {
		steps = append(steps, c.step("Keystone", func(t process.T) { c.Keystone = keystone.Start(t) }))
	}
	process.Parallel(c.t, steps...)
	c.API = newAPI("http://127.0.0.1:"+strconv.Itoa(port), c.Keystone)
	c.write("cinder.conf", c.controllerSettings(port))
	c.newServices()
}

// startServices starts the services: first the scheduler, which declares what an agent
// receives reports from, and cinder-volume last, so that each agent receives its first
// report; the next one follows after an interval.
func (c *Cloud) startServices() {
	c.t.Helper()
	process.Parallel(c.t, c.step("cinder-api", c.CinderAPI.start), c.step("cinder-scheduler", c.Scheduler.start))
	var steps []func(process.T)
	for _, h := range c.opts.Hosts {
		host := c.newHost(h)
		if !c.opts.NoAgents {
			steps = append(steps, c.step("poolcast on "+h.Name, host.Agent.start))
		}
		steps = append(steps, c.step("cinder-volume on "+h.Name, host.Volume.start))
	}
	c.t.Cleanup(c.stop)
	process.Parallel(c.t, steps...)
	c.step("first reports at the scheduler", c.awaitReports)(c.t)
}

// stopBound is how long services may take to end together.
const stopBound = 5 * time.Second

// stop ends all services side by side.
func (c *Cloud) stop() {
	services := []*Service{c.CinderAPI, c.Scheduler}
	for _, h := range c.hosts {
		services = append(services, h.Volume, h.Agent)
	}
	var all sync.WaitGroup
	for _, s := range services {
		if s.run != nil {
			all.Go(func() { s.run.StopWithin(stopBound) })
		}
	}
	all.Wait()
}

// step is a function that reports its progress.
func (c *Cloud) step(name string, f func(process.T)) func(process.T) {
	return func(t process.T) {
		begun := time.Now()
		c.notify(func() {
			if c.opts.Begin != nil {
				c.opts.Begin(name)
			}
		})
		f(t)
		c.notify(func() {
			if c.opts.Progress != nil {
				c.opts.Progress(name, time.Since(begun))
			}
		})
	}
}

// notify makes one call at a time.
func (c *Cloud) notify(call func()) {
	c.progress.Lock()
	defer c.progress.Unlock()
	call()
}

// AddArrays serves more arrays. The stanza of an array is in the cinder.conf of a host
// that enables it.
func (c *Cloud) AddArrays(arrays ...Array) {
	c.t.Helper()
	var simulated []*simulator.Array
	for _, a := range arrays {
		one := &servedArray{Array: a, address: a.Address}
		if a.Address == "" {
			one.simulator = simulator.New(a.Fixture, a.Simulator)
			simulated = append(simulated, one.simulator)
		}
		c.arrays = append(c.arrays, one)
	}
	server, err := simulator.Serve(simulated, simulator.ServeOptions{})
	if err != nil {
		c.t.Fatalf("serve arrays: %v", err)
	}
	c.t.Cleanup(func() { _ = server.Close() })
	for _, a := range c.arrays[len(c.arrays)-len(arrays):] {
		if a.simulator != nil {
			a.address = server.Addr(a.simulator.Name())
		}
	}
}

// AddHost starts one more host and waits until its cinder-volume takes requests.
func (c *Cloud) AddHost(h Host) *RunningHost {
	c.t.Helper()
	host := c.newHost(h)
	host.Volume.Start()
	if !c.opts.NoAgents {
		host.Agent.Start()
	}
	return host
}

// Host is a host by its name.
func (c *Cloud) Host(name string) *RunningHost {
	c.t.Helper()
	for _, h := range c.hosts {
		if h.Name == name {
			return h
		}
	}
	c.t.Fatalf("there is no host %s", name)
	return nil
}

// Hosts are all hosts, in the order in which they were added.
func (c *Cloud) Hosts() []*RunningHost { return slices.Clone(c.hosts) }

// Array is the simulated array of a stanza, in this process; nil if the caller serves it.
func (c *Cloud) Array(stanza string) *simulator.Array {
	c.t.Helper()
	return c.served(stanza).simulator
}

func (c *Cloud) served(stanza string) *servedArray {
	c.t.Helper()
	for _, a := range c.arrays {
		if a.name() == stanza {
			return a
		}
	}
	c.t.Fatalf("there is no array with the stanza %s", stanza)
	return nil
}

// SetPython makes services that start from now on use the Cinder of another interpreter,
// and updates the database for it. Stop all services of Cinder before.
func (c *Cloud) SetPython(python string) {
	c.t.Helper()
	c.python = requirePython(c.t, python)
	c.updateDatabase(c.t)
}

// Dir is the folder that contains all files of the cloud.
func (c *Cloud) Dir() string { return c.dir }

// LogFolder has one log a service.
func (c *Cloud) LogFolder() string { return c.path("log") }

// ConfigFile is the cinder.conf of cinder-api and cinder-scheduler.
func (c *Cloud) ConfigFile() string { return c.path("cinder.conf") }

// Poolcast is the program that runs as an agent.
func (c *Cloud) Poolcast() string {
	if c.opts.Poolcast != "" {
		return c.opts.Poolcast
	}
	return c.path("poolcast")
}

// absolute is a path that a program in another folder may use.
func absolute(t process.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("find a program of the cloud: %v", err)
	}
	return path
}

func (c *Cloud) path(name string) string { return filepath.Join(c.dir, name) }

func (c *Cloud) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatalf("write %s of the cloud: %v", name, err)
	}
}

func (c *Cloud) buildPoolcast(t process.T) {
	t.Helper()
	runTool(t, "build", "go", "build", "-o", c.path("poolcast"), "github.com/poolcast/poolcast/cmd/poolcast")
}

// runTool runs a program to its end, in the working folder.
func runTool(t process.T, name string, args ...string) {
	t.Helper()
	p := process.Start(t, process.Command{Name: name, Args: args, Dir: "."})
	select {
	case <-p.Exited():
	case <-t.Context().Done():
		t.Fatalf("wait for %s: %v", name, t.Context().Err())
	}
	if p.ExitCode() != 0 {
		t.Fatalf("run %s", p.Exit())
	}
}

// awaitReports waits until the scheduler lists every backend with its reports.
func (c *Cloud) awaitReports(t process.T) {
	t.Helper()
	var hosts []string
	for _, h := range c.hosts {
		hosts = append(hosts, h.backendHosts()...)
	}
	c.awaitBackends(t, !c.opts.NoAgents, hosts...)
}

// AwaitBackends waits until the scheduler lists these backends, host@stanza, or
// cluster@stanza, with a report of their agent.
func (c *Cloud) AwaitBackends(hosts ...string) {
	c.t.Helper()
	c.awaitBackends(c.t, true, hosts...)
}

func (c *Cloud) awaitBackends(t process.T, agents bool, hosts ...string) {
	t.Helper()
	process.Await(t, StartBound, "the scheduler to list "+fmt.Sprint(hosts), func() error {
		pools, err := c.API.Pools(t.Context())
		if err != nil {
			return err
		}
		for _, host := range hosts {
			i := slices.IndexFunc(pools, func(p BackendPool) bool { return p.Backend() == host })
			if i < 0 {
				return fmt.Errorf("it does not list %s", host)
			}
			if agents && !pools[i].FromAgent() {
				return fmt.Errorf("it has no report of the agent of %s", host)
			}
		}
		return nil
	})
}
