package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// dryRun returns what the program reports of every array of the lab.
func (e *environment) dryRun() []capability.Report {
	e.t.Helper()
	e.configure(len(e.arrays))
	stdout, stderr, done := e.run(e.t.Context(), "--dry-run")
	if err := <-done; err != nil {
		e.t.Fatalf("dry run: %v\n%s", err, stderr)
	}
	var reports []capability.Report
	if err := json.Unmarshal([]byte(stdout.String()), &reports); err != nil {
		e.t.Fatal(err)
	}
	return reports
}

func TestRecordingReplaysToTheSameReport(t *testing.T) {
	first := newEnvironment(t, 5)
	for _, a := range first.arrays {
		a.SetFrame(1)
	}
	original := first.dryRun()
	into := first.path("recordings")
	_, stderr, done := first.run(t.Context(), "record", "--into", into)
	if err := <-done; err != nil {
		t.Fatalf("record: %v\n%s", err, stderr)
	}
	checkScrubbed(t, into, first)

	fixtures, err := simulator.LoadDir(os.DirFS(into))
	if err != nil {
		t.Fatal(err)
	}
	replayed := newEnvironmentOf(t, fixtures).dryRun()
	if len(replayed) != len(original) {
		t.Fatalf("%d reports became %d", len(original), len(replayed))
	}
	for i, r := range replayed {
		for key, want := range original[i].Capabilities {
			switch key {
			case capability.KeyArrayID, capability.KeyArrayName: // scrubbed
			case capability.KeyMetricsAge: // the clock went on
			default:
				if got, ok := r.Capabilities[key]; !ok || !got.Equal(want) {
					t.Errorf("%s: %s was %s and is replayed as %s", original[i].Backend, key, want, got)
				}
			}
		}
	}
}

// checkScrubbed fails for every text that identifies the arrays.
func checkScrubbed(t *testing.T, folder string, e *environment) {
	t.Helper()
	var secrets []string
	for _, a := range e.arrays {
		secrets = append(secrets, a.Name(), a.ID(), tokenOf(a.Name()))
		secrets = append(secrets, a.Addresses()...)
	}
	files := 0
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := fs.ReadFile(os.DirFS(folder), path)
		for _, secret := range append(secrets, "10.21.", "not-for-your-eyes") {
			if strings.Contains(string(text), secret) || strings.Contains(path, secret) {
				t.Errorf("%s contains %s", path, secret)
			}
		}
		return err
	})
	if err != nil || files < 5*len(e.arrays) {
		t.Errorf("looked into %d files: %v", files, err)
	}
}

// TestRecordingsReplay replays recordings of yours: make replay RECORDINGS=folder.
func TestRecordingsReplay(t *testing.T) {
	folder := os.Getenv("POOLCAST_RECORDINGS")
	if folder == "" {
		folder = "../../flasharray/simulator/fixtures"
	}
	fixtures, err := simulator.LoadDir(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range newEnvironmentOf(t, fixtures).dryRun() {
		t.Logf("%s: %s, %d keys", r.Backend, r.Status, len(r.Capabilities))
		if r.Status == capability.Stale {
			t.Errorf("%s is stale", r.Backend)
		}
	}
}

func TestRecordDoesNotOverwrite(t *testing.T) {
	e := newEnvironment(t, 1)
	e.configure(1)
	for want, args := range map[string][]string{
		"--into is missing": {"record"},
		"want 1 to 100":     {"record", "--into", e.path("x"), "--frames", "0"},
	} {
		_, _, done := e.run(t.Context(), args...)
		if err := <-done; exitCode(err) != exit.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v ended with %v", args, err)
		}
	}
	for i := range 2 {
		_, _, done := e.run(t.Context(), "record", "--into", e.path("x"))
		if err := <-done; (err != nil) != (i == 1) {
			t.Errorf("recording number %d ended with %v", i+1, err)
		}
	}
}

// TestRecordingHasCondition checks that what a poll reads of the array's state is
// recorded without a text of the array.
func TestRecordingHasCondition(t *testing.T) {
	f, err := simulator.BuiltinNamed("flasharray-r-01")
	if err != nil {
		t.Fatal(err)
	}
	f, err = f.With("alerts", `{"items":[
		{"id":"1","name":"7","state":"open","severity":"critical","category":"hardware","code":41,"component_name":"not-for-your-eyes","component_type":"not-for-your-eyes",
		 "summary":"not-for-your-eyes","issue":"not-for-your-eyes","description":"not-for-your-eyes","knowledge_base_url":"https://not-for-your-eyes.example","created":1764000000000},
		{"id":"2","name":"8","state":"closed","severity":"critical","category":"hardware","code":41}]}`)
	if err != nil {
		t.Fatal(err)
	}
	e := newEnvironmentOf(t, []simulator.Fixture{f})
	e.configure(1)
	into := e.path("recordings")
	_, stderr, done := e.run(t.Context(), "record", "--into", into)
	if err := <-done; err != nil {
		t.Fatalf("record: %v\n%s", err, stderr)
	}
	checkScrubbed(t, into, e)
	for file, want := range map[string][]string{
		"alerts.json":                {`"severity": "critical"`, `"state": "open"`, `"code": 41`},
		"pods.json":                  {`"array_count": 2`, `"mediator_status": "online"`, `"array-01"`},
		"pod-replica-links/lag.json": {`"max": 2500`, `"status": "replicating"`, `"direction": "outbound"`},
	} {
		text, err := os.ReadFile(filepath.Join(into, "array-01", "frames", "00", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range append(want, `"items"`) {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s has no %s:\n%s", file, w, text)
			}
		}
		if strings.Contains(string(text), "closed\"") || strings.Contains(string(text), "cinder-pod") {
			t.Errorf("%s has too much:\n%s", file, text)
		}
	}
	if _, err := simulator.LoadDir(os.DirFS(into)); err != nil {
		t.Error(err)
	}
}
