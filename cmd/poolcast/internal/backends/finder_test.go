package backends

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// testConfig has two stanzas, an agent's address, and a broker that is not there.
func testConfig(t *testing.T, listen string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	text := `[DEFAULT]
host = ctl1
enabled_backends = fa1,fa2
storage_availability_zone = dc9
transport_url = rabbit://u:p@127.0.0.1:1/
[backend_defaults]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold
backend_availability_zone = dc1
san_ip = 127.0.0.1
pure_api_token = 00000000-0000-0000-0000-000000000000
[fa1]
[fa2]
[poolcast]
listen = ` + listen + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Sources{Inputs: config.Files(path)})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const (
	oneReport = `[{"host":"ctl1@fa1","cluster":null,"backend":"fa1","volume_backend_name":"gold","availability_zone":"dc1","collected_at":"2026-01-01T00:00:00Z","status":"ok","capabilities":{"volume_backend_name":"gold"}}]`
	twoPools  = `[{"name":"ctl2@lvm#lvm","capabilities":{"volume_backend_name":"lvm"}},{"name":"ctl1@fa1#gold","capabilities":{"volume_backend_name":"gold"}}]`
	listed    = `{"received_at":"2026-01-01T00:00:00Z","age_seconds":1,"broker":"b:1","pools":` + twoPools + `,"unlisted":[],"error":""}`
)

// fakeAgent serves effective reports and a list; "" is 404.
func fakeAgent(t *testing.T, effective, list string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := map[string]string{"/v1/effective": effective, "/v1/reports": effective, "/v1/scheduler": list}[r.URL.Path]
		if text == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func polled(context.Context) ([]capability.Report, error) {
	return []capability.Report{{Host: "ctl1@fa2", Backend: "fa2", Capabilities: capability.Set{capability.KeyProvisionedCapacity: capability.OfInt(5)}}}, nil
}

// TestFind: which source is used, and what is said about those that are not.
func TestFind(t *testing.T) {
	good := fakeAgent(t, oneReport, listed)
	foreign := strings.ReplaceAll(oneReport, "ctl1@fa1", "ctl7@fa1")
	const noBus = "Not used: request pools of the scheduler: 127.0.0.1:1: "
	for name, c := range map[string]struct {
		listen   string // URL of an agent
		finder   Finder
		source   Source
		backends string
		notes    []string // parts of each note
		fault    string
	}{
		"agent of this host": {listen: good, source: Agent, backends: "ctl2@lvm/dc9/ fa1/dc1/", notes: []string{"ctl2@lvm is not in", "ctl1@fa2 is configured here"}},
		"given zone":         {listen: good, finder: Finder{Zones: map[string]string{"ctl2@lvm": "dc2"}}, source: Agent, backends: "ctl2@lvm/dc2/ fa1/dc1/", notes: []string{"ctl1@fa2 is configured here"}},
		"agent named":        {listen: "http://127.0.0.1:2", finder: Finder{Agent: RunningAgent{URL: good}}, source: Agent, backends: "ctl2@lvm/dc9/ fa1/dc1/", notes: []string{"ctl2@lvm", "ctl1@fa2"}},
		"agent without list": {listen: fakeAgent(t, oneReport, ""), source: Agent, backends: "fa1/dc1/", notes: []string{"The scheduler's list is not known, so disabled services and backends of other hosts and vendors are not considered: the agent is of an older version"}},
		"list with an error": {listen: fakeAgent(t, oneReport, `{"received_at":null,"pools":[],"unlisted":[],"error":"no scheduler runs"}`), source: Agent, backends: "fa1/dc1/", notes: []string{"not considered: no scheduler runs."}},
		"nothing but arrays": {listen: "http://127.0.0.1:2", source: Arrays, backends: "fa2//", notes: []string{"Not used: no agent listens at 127.0.0.1:2.", noBus}},
		"agent of others":    {listen: fakeAgent(t, foreign, listed), source: Arrays, backends: "fa2//", notes: []string{"serves none of the backends of this configuration", noBus}},
		"agent off":          {source: Arrays, backends: "fa2//", notes: []string{"listen in [poolcast] is off", noBus}},
		"simulated":          {listen: good, finder: Finder{Simulate: true}, source: Arrays, backends: "fa2//"},
		"arrays chosen":      {listen: good, finder: Finder{Source: "arrays"}, source: Arrays, backends: "fa2//"},
		"no agent chosen":    {listen: "http://127.0.0.1:2", finder: Finder{Source: "agent"}, fault: "no agent listens at 127.0.0.1:2"},
		"no bus chosen":      {listen: good, finder: Finder{Source: "scheduler"}, fault: "request pools of the scheduler: 127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.finder
			listen := strings.TrimPrefix(c.listen, "http://")
			if listen == "" {
				listen = "off"
			}
			f.Config, f.Poll = testConfig(t, listen), polled
			set, err := f.Find(t.Context())
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v, want %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := names(set.Reports); set.Source != c.source || got != c.backends || len(set.Notes) != len(c.notes) {
				t.Fatalf("%s: %s, notes %q", set.Source, got, set.Notes)
			}
			for i, want := range c.notes {
				if !strings.Contains(set.Notes[i], want) {
					t.Errorf("note %q, want %q", set.Notes[i], want)
				}
			}
		})
	}
}

// TestReleaseOfFile: a dry run is as polled arrays are; reports of cinder-volume are not
// changed.
func TestReleaseOfFile(t *testing.T) {
	const dryRun = `[{"host":"a@b","status":"ok","capabilities":{"metrics_agent":"poolcast","provisioned_capacity_gb":5,"total_capacity_gb":9}}]`
	find := func(text string, release int) (*Set, error) {
		read := func(context.Context, string) ([]byte, error) { return []byte(text), nil }
		return (&Finder{Source: "f.json", Release: release, Read: read}).Find(t.Context())
	}
	for release, want := range map[int]string{0: "as the driver of Cinder 29 reports them", 28: "as the driver of Cinder 28 reports them"} {
		set, err := find(dryRun, release)
		if err != nil {
			t.Fatal(err)
		}
		if lines := set.Lines(set.AskedAt); !strings.Contains(lines[0], want) || (len(lines) == 2) != (release == 28) {
			t.Errorf("release %d: %q", release, lines)
		}
	}
	if _, err := find(oneReport, 28); err == nil || !strings.Contains(err.Error(), "those of cinder-volume") {
		t.Errorf("got %v", err)
	}
}

// TestReleaseBefore29: the driver reports provisioned_capacity, which is not read.
func TestReleaseBefore29(t *testing.T) {
	for release, want := range map[int]string{0: capability.KeyProvisionedCapacity, 29: capability.KeyProvisionedCapacity, 28: "provisioned_capacity"} {
		set, err := (&Finder{Source: "arrays", Release: release, Poll: polled}).Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := set.Reports[0].Capabilities
		if n, ok := c[want].Int(); len(c) != 1 || !ok || n != 5 || set.Release == 0 {
			t.Errorf("release %d of %d: %v", release, set.Release, c)
		}
	}
}

func TestFindInFile(t *testing.T) {
	for name, c := range map[string]struct{ text, backends, fault string }{
		"a dry run":        {text: oneReport, backends: "fa1/dc1/"},
		"pools of the API": {text: `{"pools":` + twoPools + `}`, backends: "ctl2@lvm/dc9/ fa1/dc1/"},
		"of an agent":      {text: listed, backends: "ctl2@lvm/dc9/ fa1/dc1/"},
		"a list of pools":  {text: twoPools, backends: "ctl2@lvm/dc9/ fa1/dc1/"},
		"pools with NaN":   {text: `{"pools":[{"name":"ctl2@lvm#gold","capabilities":{"volume_backend_name":"gold","a":NaN,"b":-Infinity}}]}`, backends: "ctl2@lvm/dc9/"},
		"nothing":          {text: " ", fault: "it is empty"},
		"no JSON":          {text: "x", fault: "want the output of poolcast --dry-run"},
		"another object":   {text: `{"a":1}`, fault: `or {"pools": […]}`},
		"no capabilities":  {text: `[{"name":"a@b#c"}]`, fault: "the API's body has all"},
	} {
		read := func(context.Context, string) ([]byte, error) { return []byte(c.text), nil }
		set, err := (&Finder{Config: testConfig(t, "off"), Source: "f.json", Read: read}).Find(t.Context())
		if c.fault != "" {
			if code, _ := exit.Code(err); err == nil || !strings.Contains(err.Error(), c.fault) || code != exit.Usage {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || names(set.Reports) != c.backends || set.Source != File || set.From != "f.json" {
			t.Errorf("%s: %+v, %v", name, set, err)
		}
	}
}

// TestMeasured: diff does not use what the scheduler holds.
func TestMeasured(t *testing.T) {
	read := func(_ context.Context, path string) ([]byte, error) {
		return []byte(map[string]string{"pools": twoPools, "run": oneReport}[path]), nil
	}
	for source, want := range map[string]string{
		"": "fa2//", "arrays": "fa2//", "agent": "fa1/dc1/", "run": "fa1/dc1/", "pools": "", "scheduler": "",
	} {
		f := Finder{Config: testConfig(t, strings.TrimPrefix(fakeAgent(t, oneReport, listed), "http://")), Source: source, Poll: polled, Read: read}
		set, err := f.Measured(t.Context())
		switch {
		case want == "":
			if err == nil || !strings.Contains(err.Error(), "published") {
				t.Errorf("%q: %v", source, err)
			}
		case err != nil || names(set.Reports) != want:
			t.Errorf("%q: %v, %v", source, set, err)
		}
	}
}

func TestFindPollFails(t *testing.T) {
	f := Finder{Source: "arrays", Poll: func(context.Context) ([]capability.Report, error) { return nil, errors.New("1 of 1 failed") }}
	if set, err := f.Find(t.Context()); set != nil || err == nil {
		t.Errorf("%v, %v", set, err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(oneReport))
	f.Add([]byte(`{"pools":` + twoPools + `}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := (&Finder{}).parse(data)
		if err == nil {
			_, _ = set.JSON(set.AskedAt), set.Lines(set.AskedAt)
		}
	})
}
