//go:build conformance

package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// sdkResult is what the vendor's client returns for one array.
type sdkResult struct {
	Version string
	Reads   map[string]int
	Driver  struct {
		Samples          int
		SampleCount      int `json:"sample_count"`
		Ascending        bool
		Ready            []string
		Ports            []string
		Virtual          []string
		HostsOfInitiator []int `json:"hosts_of_initiator"`
	}
	Filters struct {
		Equal, In, Contains, Nested int
		AndNot                      int `json:"and_not"`
		NewestFirst                 int `json:"newest_first"`
		Sorted                      bool
	}
	Refusals struct {
		UnknownStatus  int    `json:"unknown_status"`
		UnknownMessage string `json:"unknown_message"`
		UnknownContext string `json:"unknown_context"`
		FilterStatus   int    `json:"filter_status"`
	}
	Counts     struct{ All, Live int }
	Relogin    string
	WrongToken string `json:"wrong_token"`
	Changes    struct {
		Busier      bool
		Sum         int // of the volumes' reads, minus those of the array
		Host        int // the same of a host and its volume
		Provisioned int
		Destroyed   int
	}
}

const sdkToken = "11111111-2222-3333-4444-555555555555"

// TestSimulatorWithOfficialClient logs in with py-pure-client, reads, filters, pages beyond
// 1,000 objects and logs in again, with every fixture, as a recording and as a
// writable array.
func TestSimulatorWithOfficialClient(t *testing.T) {
	t.Run("recorded", func(t *testing.T) { readWithSDK(t, false) })
	t.Run("writable", func(t *testing.T) { readWithSDK(t, true) })
}

func readWithSDK(t *testing.T, writable bool) {
	t.Helper()
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	arrays := map[string]*simulator.Array{}
	var served []*simulator.Array
	for _, f := range fixtures {
		o := simulator.Options{Tokens: []string{sdkToken}, Writable: writable}
		if f.Name == "flasharray-x-02" {
			o.Population = simulator.Population{"volumes": {Live: 2300, Destroyed: 17}, "volume-snapshots": {Live: 5100}}
		}
		arrays[f.Name] = simulator.New(f, o)
		arrays[f.Name].SetFrame(0)
		served = append(served, arrays[f.Name])
	}
	results := runSDK(t, served, arrays, false)
	for name, array := range arrays {
		t.Run(name, func(t *testing.T) { checkSDK(t, name, results[name], array) })
	}
}

// TestWritableWithOfficialClient changes arrays with py-pure-client, and reads every
// list afterwards.
func TestWritableWithOfficialClient(t *testing.T) {
	arrays := map[string]*simulator.Array{}
	var served []*simulator.Array
	for _, name := range []string{"flasharray-r-01", "flasharray-x-03", "flasharray-eg1-02"} {
		f, err := simulator.BuiltinNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "flasharray-x-03" {
			f = f.Empty()
		}
		arrays[name] = simulator.New(f, simulator.Options{Tokens: []string{sdkToken}, Writable: true, Model: simulator.Model{Speed: 1e6}})
		served = append(served, arrays[name])
	}
	for name, got := range runSDK(t, served, arrays, true) {
		c := got.Changes
		if !c.Busier || c.Sum != 0 || c.Host != 0 || c.Provisioned != 2048 || c.Destroyed != 0 {
			t.Errorf("%s: the client has %+v", name, c)
		}
		if got.Reads["volumes"] < 5 || got.Reads["connections"] < 1 || got.Reads["volume-groups"] != 1 || got.Reads["drives"] == 0 {
			t.Errorf("%s: the client reads %v", name, got.Reads)
		}
	}
}

func runSDK(t *testing.T, served []*simulator.Array, arrays map[string]*simulator.Array, writable bool) map[string]sdkResult {
	t.Helper()
	server, err := simulator.Serve(served, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	control := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		arrays[name].ExpireSessions()
	}))
	defer control.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	targets := map[string]string{}
	for name := range arrays {
		targets[name] = server.Addr(name)
	}
	job, err := json.Marshal(map[string]any{
		"arrays": targets, "ca_file": ca, "api_token": sdkToken, "control": control.Listener.Addr().String(),
		"writable": writable,
	})
	if err != nil {
		t.Fatal(err)
	}
	return runPythonSDK(t, job)
}

func runPythonSDK(t *testing.T, job []byte) map[string]sdkResult {
	t.Helper()
	command := exec.CommandContext(t.Context(), python(), "simulator_sdk.py")
	command.Stdin = bytes.NewReader(job)
	var output, errs bytes.Buffer
	command.Stdout, command.Stderr = &output, &errs
	if err := command.Run(); err != nil {
		t.Fatalf("run %s simulator_sdk.py: %v\n%s", python(), err, errs.String())
	}
	var results map[string]sdkResult
	if err := json.Unmarshal(output.Bytes(), &results); err != nil {
		t.Fatalf("read the result of the client: %v\n%s", err, output.String())
	}
	return results
}

func checkSDK(t *testing.T, name string, got sdkResult, a *simulator.Array) {
	t.Helper()
	expect := func(what string, good bool, got any) {
		t.Helper()
		if !good {
			t.Errorf("%s: the client has %v", what, got)
		}
	}
	expect("one array", got.Reads["arrays"] == 1, got.Reads)
	expect("two controllers", slices.Equal(got.Driver.Ready, []string{"CT0", "CT1"}), got.Driver.Ready)
	expect("an hour of samples", got.Driver.Samples == 120 && got.Driver.SampleCount == 120, got.Driver)
	expect("ascending samples", got.Driver.Ascending, got.Driver)
	expect("ports of ready controllers", len(got.Driver.Ports) == got.Reads["ports"], got.Driver.Ports)
	expect("a virtual interface", slices.Equal(got.Driver.Virtual, []string{"vir0"}), got.Driver.Virtual)
	expect("one local host of an initiator", slices.Equal(got.Driver.HostsOfInitiator, []int{1, 0}), got.Driver.HostsOfInitiator)
	f := got.Filters
	expect("filters", f.Equal == 1 && f.In == 1 && f.Contains >= 1 && f.Nested == 1 && f.AndNot == 1, f)
	expect("sort", f.NewestFirst == 1 && f.Sorted, f)
	r := got.Refusals
	expect("an unknown name", r.UnknownStatus == 400 && r.UnknownContext == "nobody" && strings.Contains(r.UnknownMessage, "does not exist"), r)
	expect("a bad filter", r.FilterStatus == 400, r)
	expect("all volumes counted and read", got.Counts.All == got.Reads["volumes"] && got.Counts.Live < got.Counts.All, got)
	expect("a new session after expiry", got.Relogin == name, got.Relogin)
	expect("a wrong token", got.WrongToken == "PureError", got.WrongToken)
	if name == "flasharray-x-02" {
		expect("pages beyond 1,000", got.Reads["volumes"] == 2317 && got.Reads["volume-snapshots"] == 5100, got.Reads)
	}
	expect("no session left but by the client's exit", a.Sessions() <= 1, a.Sessions())
}
