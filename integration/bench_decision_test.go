//go:build bench

package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

// shortGoodness is about the shortest useful function. Cinder parses it for each backend
// again, and longer ones take several times as long.
const shortGoodness = "100 - capabilities.load_percent"

// weigherSets are the weighers that are measured.
var weigherSets = []struct {
	name     string
	weighers []string
	goodness string
	budget   time.Duration // of a decision over a thousand backends
}{
	{"CapacityWeigher", []string{cinder.CapacityWeigher}, "", 100 * time.Microsecond},
	{"with GoodnessWeigher", []string{cinder.CapacityWeigher, cinder.GoodnessWeigher}, shortGoodness, 200 * time.Microsecond},
}

// comparison is a decision that poolcast and Cinder make: the default filters, four extra
// specs, and all backends fit.
type comparison struct {
	engine  *placement.Engine
	reports []capability.Report
	request *cinder.Request
	options map[string]any // of Cinder
}

func newComparison(t *testing.T, backends int, weighers []string, goodness string) comparison {
	t.Helper()
	r := comparison{
		reports: placementtest.Fleet(backends, goodness),
		request: &cinder.Request{Size: 100, Zone: "dc1", Type: &cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecs{
			cinder.Spec("volume_backend_name", "gold"),
			cinder.Spec("multiattach", "<is> True"),
			cinder.Spec("capabilities:total_volumes", "<= 800"),
			cinder.Spec("usec_per_write_op", "<= 1000"),
		}}},
	}
	profile := cinder.Profile(cinder.Options{Weighers: weighers})
	r.options = map[string]any{"scheduler_default_filters": profile.Filters, "scheduler_default_weighers": weighers}
	var err error
	if r.engine, err = cinder.NewEngine(cinder.Options{Weighers: weighers}); err != nil {
		t.Fatal(err)
	}
	return r
}

// ours measures the engine on a snapshot of the reports.
func (r comparison) ours(t *testing.T) (per time.Duration, chosen string) {
	t.Helper()
	s := cinder.NewSnapshot(r.reports)
	c, err := r.engine.Choose(s, r.request)
	if err != nil || c.Fit != s.Len() {
		t.Fatalf("%d of %d fit: %v", c.Fit, s.Len(), err)
	}
	return perCall(func() error { _, err := r.engine.Choose(s, r.request); return err }), c.Backend.ID()
}

// perCall is the time of a call without disturbance by other processes: the best of some
// benchmarks.
func perCall(call func() error) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range 5 {
		result := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
		if result.N > 0 {
			best = min(best, result.T/time.Duration(result.N))
		}
	}
	return best
}

// theirCase is the decision for Cinder, in the format of the vectors.
func (r comparison) theirCase() map[string]any {
	var backends []map[string]any
	for _, report := range r.reports {
		backends = append(backends, map[string]any{
			"host": report.Host, "cluster_name": nil, "availability_zone": report.Zone, "capabilities": report.Capabilities,
		})
	}
	return map[string]any{"options": r.options, "backends": backends, "request": map[string]any{
		"size": r.request.Size, "volume_type": r.request.Type, "availability_zone": r.request.Zone,
		"volume_properties": map[string]any{"size": r.request.Size}, "qos_specs": nil,
	}}
}

// theirTimes are the times of Cinder.
type theirTimes struct {
	Cinder   string
	Measured []struct {
		Seconds float64
		Runs    int
		Fit     int
		Chosen  string
	}
}

// TestDecisionSpeed makes the same decisions with poolcast and with an installed Cinder on
// this machine, one after the other, and prints how many each makes in a second. Cinder's
// time is that of filters and weighers alone, in its best run.
func TestDecisionSpeed(t *testing.T) {
	sizes := []int{3, 100, 1000, 10000}
	var comparisons []comparison
	var cases []map[string]any
	for _, w := range weigherSets {
		for _, n := range sizes {
			comparisons = append(comparisons, newComparison(t, n, w.weighers, w.goodness))
			cases = append(cases, comparisons[len(comparisons)-1].theirCase())
		}
	}
	theirs := askCinder(t, cases)
	table := fmt.Sprintf("%-22s %9s %16s %16s %12s\n", "weighers", "backends", "poolcast", "Cinder "+theirs.Cinder, "times faster")
	for i, r := range comparisons {
		per, chosen := r.ours(t)
		m := theirs.Measured[i]
		if m.Chosen != chosen || m.Fit != len(r.reports) {
			t.Errorf("%d backends: Cinder chooses %s of %d, poolcast %s", len(r.reports), m.Chosen, m.Fit, chosen)
		}
		table += fmt.Sprintf("%-22s %9d %14.0f/s %14.4g/s %11.0f×\n", weigherSets[i/len(sizes)].name, len(r.reports),
			1/per.Seconds(), 1/m.Seconds, m.Seconds/per.Seconds())
	}
	t.Log("decisions per second:\n" + table)
}

// askCinder measures Cinder.
func askCinder(t *testing.T, cases []map[string]any) theirTimes {
	t.Helper()
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	python := cmp.Or(os.Getenv("POOLCAST_PYTHON"), "/usr/bin/python3")
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "bench_decision.py")
	cmd.Stdin = bytes.NewReader(input)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("measure Cinder with %s: %v; apt-get install python3-cinder, or set POOLCAST_PYTHON to a Python that has it\n%s", python, err, errs.String())
	}
	var times theirTimes
	if err := json.Unmarshal(out, &times); err != nil {
		t.Fatalf("read what was measured: %v\n%s", err, out)
	}
	if len(times.Measured) != len(cases) {
		t.Fatalf("%d of %d cases were measured", len(times.Measured), len(cases))
	}
	return times
}

// TestDecisionBudget checks time and allocations of decisions over a thousand backends.
func TestDecisionBudget(t *testing.T) {
	const backends = 1000
	for _, w := range weigherSets {
		t.Run(w.name, func(t *testing.T) {
			r := newComparison(t, backends, w.weighers, w.goodness)
			s := cinder.NewSnapshot(r.reports)
			choose, _ := r.ours(t)
			decide := perCall(func() error { _, err := r.engine.DecideOn(s, r.request); return err })
			t.Logf("%d backends: %s a decision, %s explained", backends, choose, decide)
			if choose > w.budget {
				t.Errorf("a decision takes %s, more than %s", choose, w.budget)
			}
			if decide > 3*choose {
				t.Errorf("an explained decision takes %s, more than three times %s", decide, choose)
			}
			few, many := allocations(t, 10, r), allocations(t, backends, r)
			if many > few {
				t.Errorf("a decision allocates %v times for 10 backends and %v times for %d", few, many, backends)
			}
		})
	}
}

func allocations(t *testing.T, backends int, r comparison) float64 {
	t.Helper()
	s := cinder.NewSnapshot(r.reports[:backends])
	return testing.AllocsPerRun(100, func() {
		if _, err := r.engine.Choose(s, r.request); err != nil {
			t.Fatal(err)
		}
	})
}
