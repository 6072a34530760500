//go:build outcome

package outcome

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// TestWithRealServices runs the confirmation on real services, and writes the
// distributions to outcome-real.md and the runs to runs-real.json in the folder
// POOLCAST_OUTCOME_DIST. It has two settings: one by what is allocated, which poolcast must
// not change, and one by the load; a run takes two minutes. With -short it has one setting
// and two seeds. It logs each run, and where its volumes went.
func TestWithRealServices(t *testing.T) {
	o := RealOptions{
		Python: cloud.Python("../.."), Settings: []Setting{Allocated, Goodness}, Seeds: []uint64{1, 2, 3, 4, 5},
		Progress: func(text string) { t.Log(text) },
	}
	if testing.Short() {
		o.Settings, o.Seeds = []Setting{Goodness}, o.Seeds[:2]
	}
	results := NewResults(Study{Scenarios: []Scenario{Confirmation()}, Settings: o.Settings, Seeds: len(o.Seeds)})
	runs := RunReal(t, o)
	for _, r := range runs {
		byArray := map[string]int{}
		for _, c := range r.Chosen {
			byArray[c.Array]++
		}
		t.Logf("%s, seed %d, %s: volumes %v, refused %v", r.Setting, r.Seed, r.Arm, byArray, r.Refused)
		results.Add(r)
	}
	var report bytes.Buffer
	if err := results.WriteDistributions(&report); err != nil {
		t.Fatal(err)
	}
	t.Logf("lowest / median / highest of %d runs on real services\n\n%s", results.Seeds, report.String())
	writeFile(t, "outcome-real.md", func(w io.Writer) error { _, err := w.Write(report.Bytes()); return err })
	writeFile(t, "runs-real.json", func(w io.Writer) error { return json.NewEncoder(w).Encode(runs) })
}
