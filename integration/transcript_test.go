//go:build integration

package integration

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/integration/internal/scheduler"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGetPoolsTranscript keeps the transcript that the documents show: what an
// operator's own client prints of the arrays while the agent runs.
func TestGetPoolsTranscript(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	api := cinder.StartAPI()
	env.startVolume(broker)
	a := env.startAgent()
	env.awaitPools(cinder, pollBound)

	got := "$ cinder get-pools --detail\n" + settled(api.Client("get-pools", "--detail"))
	a.finish()
	golden := filepath.Join("testdata", "get-pools.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the transcript differs; run make golden if that is meant (-want +got):\n%s", diff)
	}
}

// settled puts the pools in order of name, for the scheduler keeps none, and
// replaces the two values that are others at each run.
func settled(transcript string) string {
	table := regexp.MustCompile(`(?m)(\+-.*\n)\| Property[^+]*\+-.*\n[^+]*\+-.*\n`)
	name := regexp.MustCompile(`\| name +\| (\S+)`)
	tables := table.FindAllString(transcript, -1)
	slices.SortFunc(tables, func(a, b string) int {
		return strings.Compare(name.FindString(a), name.FindString(b))
	})
	text := strings.Join(tables, "")
	text = mask(text, `metrics_age_seconds +\| (\d+ )`, "26 ")
	return mask(text, `timestamp +\| (\S+)`, "2026-01-01T12:00:00.000000")
}

// mask writes another value where a pattern's only group is, and keeps the
// column as wide as it was.
func mask(text, pattern, value string) string {
	cell := regexp.MustCompile(pattern + ` *`)
	return cell.ReplaceAllStringFunc(text, func(found string) string {
		at := cell.FindStringSubmatchIndex(found)[2]
		return fmt.Sprintf("%-*s", len(found), found[:at]+value)
	})
}
