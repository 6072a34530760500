package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// load reads a cinder.conf with two backends, and more lines in [poolcast].
func load(t *testing.T, more string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	text := `[DEFAULT]
host = ctl1
enabled_backends = fa1,fa2
transport_url = rabbit://u:p@127.0.0.1:1/
[fa1]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold
san_ip = 10.0.0.1
pure_api_token = x
[fa2]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold
san_ip = 10.0.0.2
pure_api_token = x
[poolcast]
` + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Sources{Inputs: config.Files(path)})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// receivedBus is a bus on which a base report of fa1 was received.
func receivedBus(state publisher.BackendStatus, keys map[string]int64) *Bus {
	set := capability.Set{capability.KeyVolumeBackendName: capability.OfString("gold")}
	for key, n := range keys {
		set[key] = capability.OfInt(n)
	}
	state.Identity = "ctl1@fa1"
	return &Bus{
		Session:  publisher.Session{State: publisher.Ready},
		Bases:    map[string]publisher.BaseReport{"ctl1@fa1": {Identity: "ctl1@fa1", Host: "ctl1@fa1", Capabilities: set}},
		Backends: map[string]publisher.BackendStatus{"ctl1@fa1": state},
	}
}

// TestConfirmListed: what the scheduler lists has the right name, though its report was
// not received in time.
func TestConfirmListed(t *testing.T) {
	missing := func(stanza string) advice.Finding {
		return advice.Finding{Severity: advice.Warning, Code: "no-base-report", Where: configcheck.Location("c.conf", 3, stanza, "")}
	}
	r := &Result{
		Config: &config.Config{Backends: []config.Backend{
			{Host: "c@fa1", Stanza: "fa1", File: "c.conf", Line: 3}, {Host: "c@fa2", Stanza: "fa2", File: "c.conf", Line: 3},
		}},
		Findings: []advice.Finding{missing("fa1"), missing("fa2")},
	}
	r.confirmListed([]publisher.SchedulerPool{{Name: "c@fa1#gold"}})
	if f := r.Findings; f[0].Severity != advice.Note || !strings.Contains(f[0].Reason, "its name is right") || f[1].Severity != advice.Warning {
		t.Errorf("the findings are %+v", f)
	}
}

func TestBusFindings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options string
		bus           *Bus
		want          []string // codes
	}{
		{"no connection", "", &Bus{Session: publisher.Session{State: publisher.Connecting}}, []string{"bus-unavailable"}},
		{"no exchange", "", &Bus{Session: publisher.Session{State: publisher.NoExchange}}, []string{"bus-unavailable"}},
		{"a key less", "", receivedBus(publisher.BackendStatus{}, nil), []string{"no-base-report", "provisioned-capacity-missing"}},
		{"the key added", "fix_provisioned_capacity = true", receivedBus(publisher.BackendStatus{}, nil), []string{"no-base-report"}},
		{
			"another array", "", receivedBus(publisher.BackendStatus{State: publisher.Suspended, Cause: publisher.DifferentCapacity}, map[string]int64{capability.KeyProvisionedCapacity: 1}),
			[]string{"no-base-report", "overlay-suspended"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &Result{Config: load(t, c.options), Bus: c.bus}
			var codes []string
			for _, f := range r.busFindings(nil) {
				codes = append(codes, f.Code)
			}
			if strings.Join(codes, " ") != strings.Join(c.want, " ") {
				t.Errorf("found %v, want %v", codes, c.want)
			}
		})
	}
}

func TestOverlaidReports(t *testing.T) {
	t.Parallel()
	report := capability.Report{
		Host: "ctl1@fa1", Backend: "fa1", LiveKeys: []string{capability.KeyTotalVolumes},
		Capabilities: capability.Set{capability.KeyTotalCapacity: capability.OfInt(100), capability.KeyTotalVolumes: capability.OfInt(7)},
	}
	other := report
	other.Host = "ctl1@fa2"
	for _, c := range []struct {
		name, options string
		capacity      int64 // of the base report
		want          int64 // volumes
	}{
		{"the same array", "", 100, 7},
		{"another array", "", 5000, 3},
		{"overlay is off", "overlay = false", 100, 3},
	} {
		bus := receivedBus(publisher.BackendStatus{}, map[string]int64{capability.KeyTotalCapacity: c.capacity, capability.KeyTotalVolumes: 3})
		all := bus.overlaid(load(t, c.options), []capability.Report{report, other})
		for i, want := range []int64{c.want, 7} { // the second has no base report
			if got, _ := all[i].Capabilities[capability.KeyTotalVolumes].Float(); got != float64(want) {
				t.Errorf("%s: %s has %v volumes, want %d", c.name, all[i].Host, got, want)
			}
		}
	}
}
