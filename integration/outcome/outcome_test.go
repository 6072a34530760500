//go:build outcome

package outcome

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

const (
	seeds, confirmationSeeds = 30, 10
	shortConfirmation        = 3
	// No seed is begun after these times.
	limit      = 8 * time.Minute
	shortLimit = time.Minute
	pictured   = "noisy" // the scenario that is drawn and stored, with GoodnessWeigher
)

// TestVirtualTime compares the arms in virtual time and writes outcome.md,
// outcome-scenarios.md, outcome.svg and runs.json to the folder POOLCAST_OUTCOME_DIST, or
// logs the first. POOLCAST_OUTCOME_SEEDS is how many seeds there are, and
// POOLCAST_OUTCOME_SETTING the only setting, which is then drawn.
func TestVirtualTime(t *testing.T) {
	study := Study{Scenarios: Scenarios(), Settings: AllSettings(), Seeds: seeds, Limit: limit}
	if testing.Short() {
		study.Limit = shortLimit
	}
	if text := os.Getenv("POOLCAST_OUTCOME_SETTING"); text != "" {
		study.Settings = []Setting{Setting(text)}
	}
	if text := os.Getenv("POOLCAST_OUTCOME_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("POOLCAST_OUTCOME_SEEDS: %q is not a number of seeds", text)
		}
		study.Seeds, study.Limit = n, 0
	}
	schedulers := startSchedulers(t)
	begin, runs, picturedSetting := time.Now(), []Run(nil), Goodness
	if len(study.Settings) == 1 {
		picturedSetting = study.Settings[0]
	}
	keep := func(r Run) {
		if r.Scenario == study.Scenarios[len(study.Scenarios)-1].Name && r.Setting == study.Settings[len(study.Settings)-1] && r.Arm == Poolcast {
			t.Logf("seed %d after %s", r.Seed, time.Since(begin).Round(time.Second))
		}
		if r.Scenario == pictured && r.Setting == picturedSetting && r.Seed == 1 {
			runs = append(runs, r)
		}
	}
	results, err := study.Simulate(t.Context(), schedulers, keep)
	if err != nil {
		t.Fatal(err)
	}
	confirmation := study
	confirmation.Scenarios, confirmation.Seeds, confirmation.Limit = []Scenario{Confirmation()}, confirmationSeeds, 0
	if testing.Short() {
		confirmation.Seeds = shortConfirmation
	}
	confirmed, err := confirmation.Simulate(t.Context(), schedulers, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d seeds in %s", results.Seeds, time.Since(begin).Round(time.Second))
	var report bytes.Buffer
	if err := WriteReport(&report, results, confirmed); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
	writeFile(t, "outcome.md", func(w io.Writer) error { _, err := w.Write(report.Bytes()); return err })
	writeFile(t, "outcome-scenarios.md", results.WriteScenarios)
	writeFile(t, "outcome.svg", func(w io.Writer) error { return WritePicture(w, inOrder(runs)) })
	writeFile(t, "runs.json", func(w io.Writer) error { return json.NewEncoder(w).Encode(inOrder(runs)) })
}

func startSchedulers(t *testing.T) (schedulers []Scheduler) {
	for range 2 * runtime.GOMAXPROCS(0) { // each waits for its child half of the time
		c, err := StartCinder(context.WithoutCancel(t.Context()), cloud.Python("../..")) // it ends when its input does
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Errorf("end scheduler: %v", err)
			}
		})
		schedulers = append(schedulers, c)
	}
	return schedulers
}

// inOrder are the runs in the order of the arms.
func inOrder(runs []Run) (ordered []Run) {
	for _, arm := range Arms() {
		for _, r := range runs {
			if r.Arm == arm {
				ordered = append(ordered, r)
			}
		}
	}
	return ordered
}

// writeFile writes a file of the folder for results, if there is one.
func writeFile(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	folder := os.Getenv("POOLCAST_OUTCOME_DIST")
	if folder == "" {
		return
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		t.Fatalf("make %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
