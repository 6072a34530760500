package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// StartBound is how long a service may take to start. It takes seconds; the rest is for a
// busy machine.
const StartBound = 3 * time.Minute

// Service is a program of the cloud, which may be stopped and started again. It is the
// same one in all its runs: its configuration and its log are kept.
type Service struct {
	c     *Cloud
	name  string
	args  func() []string
	ready func() error
	run   *process.Process
}

// Start runs the service, and returns when it takes requests.
func (s *Service) Start() {
	s.c.t.Helper()
	s.start(s.c.t)
}

// Launch runs the service and does not wait for it.
func (s *Service) Launch() {
	s.c.t.Helper()
	s.launch(s.c.t)
}

func (s *Service) launch(t process.T) {
	t.Helper()
	s.run = process.Start(t, process.Command{Name: s.name, Args: s.args(), Dir: s.c.dir, Log: s.LogFile()})
}

func (s *Service) start(t process.T) {
	t.Helper()
	s.launch(t)
	process.Await(t, StartBound, s.name+" to take requests", func() error {
		if !s.run.Running() {
			t.Fatalf("start a service: %s", s.run.Exit())
		}
		if err := s.ready(); err != nil {
			return fmt.Errorf("%w; the end of its log:\n%s", err, s.run.Tail())
		}
		return nil
	})
}

// Stop ends the service with SIGTERM.
func (s *Service) Stop() {
	if s.run != nil {
		s.run.Stop()
	}
}

// Kill ends the service with SIGKILL.
func (s *Service) Kill() {
	if s.run != nil {
		s.run.Kill()
	}
}

// Restart stops the service and starts it again.
func (s *Service) Restart() {
	s.c.t.Helper()
	s.Stop()
	s.Start()
}

// Running says whether the service runs.
func (s *Service) Running() bool { return s.run != nil && s.run.Running() }

// LogFile has the log of all runs.
func (s *Service) LogFile() string { return filepath.Join(s.c.LogFolder(), s.name+".log") }

// Log is the log of all runs.
func (s *Service) Log() string {
	text, err := os.ReadFile(s.LogFile())
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text)
}

// newServices makes the services that are not on a host.
func (c *Cloud) newServices() {
	c.CinderAPI = c.newService("cinder-api", c.cinder("cinder-api", c.ConfigFile), func() error {
		response, err := http.Get(c.API.url) // the list of versions, without a token
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	c.Scheduler = c.newService("cinder-scheduler", c.cinder("cinder-scheduler", c.ConfigFile), func() error {
		return c.consumes("cinder-scheduler")
	})
}

func (c *Cloud) newService(name string, args func() []string, ready func() error) *Service {
	return &Service{c: c, name: name, args: args, ready: ready}
}

// cinder are the arguments of a program of Cinder.
func (c *Cloud) cinder(program string, config func() string) func() []string {
	return func() []string {
		return []string{c.python, filepath.Join(filepath.Dir(c.python), program), "--config-file", config()}
	}
}

// consumes returns an error until a queue has a consumer.
func (c *Cloud) consumes(queue string) error {
	if c.Broker.Consumers(queue) == 0 {
		return errors.New("it does not consume " + queue)
	}
	return nil
}

// RunningHost is a cinder-volume and the agent beside it.
type RunningHost struct {
	Host
	Volume *Service // cinder-volume
	Agent  *Service // poolcast
	URL    string   // of the HTTP API of the agent
	Client *client.Client

	c    *Cloud
	dir  string
	port int
}

func (c *Cloud) newHost(h Host) *RunningHost {
	c.t.Helper()
	host := &RunningHost{Host: h, c: c, dir: c.path(h.Name), port: process.Ports(c.t, 1)[0]}
	host.Backends = slices.Clone(h.Backends)
	host.URL = fmt.Sprintf("http://127.0.0.1:%d", host.port)
	err := os.Mkdir(host.dir, 0o700)
	if err == nil {
		host.Client, err = client.New(client.Options{URL: host.URL})
	}
	if err != nil {
		c.t.Fatalf("add the host %s: %v", h.Name, err)
	}
	c.t.Cleanup(host.Client.Close)
	host.Volume = c.newService("cinder-volume-"+h.Name, c.cinder("cinder-volume", host.ConfigFile), host.volumeReady)
	host.Agent = c.newService("poolcast-"+h.Name, host.agentArgs, host.agentReady)
	host.writeConfig()
	c.hosts = append(c.hosts, host)
	return host
}

// ConfigFile is the cinder.conf of the host.
func (h *RunningHost) ConfigFile() string { return filepath.Join(h.dir, "cinder.conf") }

// Enable adds stanzas to enabled_backends and to cinder.conf. The agent reloads that by
// itself; cinder-volume needs a restart.
func (h *RunningHost) Enable(stanzas ...string) {
	h.c.t.Helper()
	h.Backends = append(h.Backends, stanzas...)
	h.writeConfig()
}

// Configure adds lines to the host's cinder.conf, which begin in [DEFAULT].
func (h *RunningHost) Configure(lines ...string) {
	h.c.t.Helper()
	h.Settings = append(slices.Clone(h.Settings), lines...)
	h.writeConfig()
}

func (h *RunningHost) writeConfig() {
	h.c.t.Helper()
	part := filepath.Join(h.Name, "cinder.conf.part")
	h.c.write(part, h.c.hostSettings(h))
	if err := os.Rename(h.c.path(part), h.ConfigFile()); err != nil {
		h.c.t.Fatalf("write the cinder.conf of %s: %v", h.Name, err)
	}
}

// backendHosts are the backends as the scheduler names them.
func (h *RunningHost) backendHosts() (hosts []string) {
	name := h.Name
	if h.c.opts.Cluster != "" {
		name = h.c.opts.Cluster
	}
	for _, stanza := range h.Backends {
		hosts = append(hosts, name+"@"+stanza)
	}
	return hosts
}

// Zones are the zones of the backends, host@stanza=zone, as the option --backend-zone of
// poolcast takes them: the scheduler's list has none.
func (h *RunningHost) Zones() (zones []string) {
	h.c.t.Helper()
	hosts := h.backendHosts()
	for i, stanza := range h.Backends {
		if zone := h.c.served(stanza).Zone; zone != "" {
			zones = append(zones, hosts[i]+"="+zone)
		}
	}
	return zones
}

// volumeReady returns an error until cinder-volume takes requests for each backend.
func (h *RunningHost) volumeReady() error {
	for _, stanza := range h.Backends {
		if err := h.c.consumes("cinder-volume." + h.Name + "@" + stanza); err != nil {
			return err
		}
	}
	return nil
}

func (h *RunningHost) agentArgs() []string {
	return []string{h.c.Poolcast(), "--config-file", h.ConfigFile()}
}

func (h *RunningHost) agentReady() error {
	_, err := h.Client.Live(h.c.t.Context())
	return err
}
