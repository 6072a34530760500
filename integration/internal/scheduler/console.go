package scheduler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/process"
)

// timeFormat is how Cinder writes a time: UTC, without a zone.
const timeFormat = "2006-01-02T15:04:05.000000"

// console is the Python program that calls the scheduler.
type console struct {
	base   string
	client http.Client
}

// Pool is one pool of get_pools.
type Pool struct {
	Name         string         `json:"name"` // host@stanza#volume_backend_name
	Capabilities capability.Set `json:"capabilities"`
}

// Report is cinder-volume's report of one backend.
type Report struct {
	Host         string
	Cluster      string
	Capabilities capability.Set
	At           time.Time // zero is now
}

func (s *Scheduler) startConsole() {
	s.t.Helper()
	s.write("console.py", consoleProgram)
	port := strconv.Itoa(process.Ports(s.t, 1)[0])
	s.console = console{base: "http://127.0.0.1:" + port + "/", client: http.Client{Timeout: 90 * time.Second}}
	p := process.Start(s.t, process.Command{
		Name: "console",
		Args: s.opts.Installation.python(s.path("console.py"), s.ConfigFile(), port),
		Dir:  s.dir,
	})
	process.Await(s.t, startBound, "the console to listen", func() error {
		if !p.Running() {
			s.t.Fatalf("start the console: it ended with code %d", p.ExitCode())
		}
		response, err := s.console.client.Head(s.console.base)
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
}

// Pools calls get_pools: every pool that the scheduler has, with its last report. It
// returns an error where the scheduler does not respond within some seconds.
func (s *Scheduler) Pools() ([]Pool, error) {
	var pools []Pool
	err := s.console.call(http.MethodGet, "pools", nil, &pools)
	return pools, err
}

// Report sends a report as cinder-volume does, with Cinder's own class. It does not
// wait until the scheduler has it.
func (s *Scheduler) Report(r Report) {
	s.t.Helper()
	fields := map[string]any{"host": r.Host, "cluster": nullable(r.Cluster), "capabilities": r.Capabilities}
	if !r.At.IsZero() {
		fields["timestamp"] = r.At.UTC().Format(timeFormat)
	}
	s.post("report", fields)
}

// AddBackend adds the service of a backend, as cinder-volume's first start does.
func (s *Scheduler) AddBackend(b Backend) {
	s.t.Helper()
	s.post("service", map[string]any{"host": b.Host, "cluster": nullable(b.Cluster), "zone": b.Zone})
}

// State is the state of the service of a backend.
type State struct {
	Host                   string
	Zone                   string // "" leaves it
	Disabled, Frozen, Down bool
}

// SetState changes the service of a backend, as cinder service-disable and
// cinder freeze-host do, and as a missing heartbeat does.
func (s *Scheduler) SetState(state State) {
	s.t.Helper()
	s.post("state", map[string]any{
		"host": state.Host, "zone": state.Zone, "disabled": state.Disabled, "frozen": state.Frozen, "down": state.Down,
	})
}

// Volume is one to create.
type Volume struct {
	Size       int64
	Zone       string            // "" for none
	ExtraSpecs map[string]string // of its type
	Type       string            // name of the type, which must be new; "" makes one up
}

// RefusalError says that cinder-api refuses a volume, and the scheduler is not asked.
type RefusalError struct {
	Exception string // its class in cinder/exception.py
}

// Error names the exception.
func (e *RefusalError) Error() string { return "cinder-api refuses it: " + e.Exception }

// Create creates a volume of a type with these extra specs, with the code that
// cinder-api runs: zones, a row, quotas, a message to the scheduler. It returns the host
// with the pool that the scheduler chose, "" if it found none. The error is a
// [*RefusalError] if cinder-api refuses the request. No cinder-volume is there to make
// the volume.
func (s *Scheduler) Create(v Volume) (host string, err error) {
	var got struct{ Host, Status, Refusal string }
	fields := map[string]any{"size": v.Size, "zone": nullable(v.Zone), "extra_specs": v.ExtraSpecs, "type": v.Type}
	if err := s.console.call(http.MethodPost, "volume", fields, &got); err != nil {
		return "", err
	}
	if got.Refusal != "" {
		return "", &RefusalError{Exception: got.Refusal}
	}
	if got.Host == "" && got.Status != "error" {
		return "", fmt.Errorf("the volume has no host and is %q", got.Status)
	}
	return got.Host, nil
}

// ZoneSettings are the options of cinder-api that decide on the zone of a volume.
type ZoneSettings struct {
	Storage  string // storage_availability_zone
	Default  string // default_availability_zone; "" is not set
	Fallback bool   // allow_availability_zone_fallback
}

// SetZones sets options of the cinder-api that Create runs.
func (s *Scheduler) SetZones(z ZoneSettings) {
	s.t.Helper()
	s.post("settings", map[string]any{
		"storage_availability_zone": z.Storage, "default_availability_zone": nullable(z.Default), "allow_availability_zone_fallback": z.Fallback,
	})
}

// post sends a request that must succeed.
func (s *Scheduler) post(what string, fields any) {
	s.t.Helper()
	if err := s.console.call(http.MethodPost, what, fields, nil); err != nil {
		s.t.Fatalf("post a %s: %v", what, err)
	}
}

// call sends a request to the console and reads the response into a value, unless that
// is nil.
func (c *console) call(method, path string, fields, into any) error {
	body, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", path, err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("request %s: %s", path, text)
	case into == nil:
		return nil
	}
	return json.Unmarshal(text, into)
}

// nullable is nil for an empty text.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
