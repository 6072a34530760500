//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
)

// decisions is how many volumes are created with each scheduler.
const decisions = 25

// TestPlaceMatchesScheduler creates volumes with a real scheduler as cinder-api does, and
// asks poolcast place for the same ones. The results must be equal for types, sizes and
// zones that are drawn at random, while the arrays' numbers change.
//
// Debian's scheduler is Cinder 21 and the vectors are made with the newest. All that
// decides here is the same in both (filters, weighers, evaluator, HostManager), so that
// no request needs to be left out.
func TestPlaceMatchesScheduler(t *testing.T) {
	t.Parallel()
	seed := decisionSeed(t)
	arrays, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for name, settings := range map[string][]string{
		"Cinder's defaults": nil,
		"with functions": {
			"scheduler_default_filters = AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter,DriverFilter",
			"scheduler_default_weighers = CapacityWeigher,AllocatedCapacityWeigher,GoodnessWeigher",
			"allocated_capacity_weight_multiplier = -0.5",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newEnvironment(t, arrays, unreachable)
			j := newDecisionTest(t, env, settings, rand.New(rand.NewPCG(seed, uint64(len(settings)))))
			for range decisions {
				j.compare()
			}
			j.finish()
		})
	}
}

// decisionSeed is fixed, so that the test does not depend on a draw.
func decisionSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(1)
	if text := os.Getenv("POOLCAST_DECISION_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("read POOLCAST_DECISION_SEED: %v", err)
		}
	}
	t.Logf("POOLCAST_DECISION_SEED=%d; another number draws other volumes", seed)
	return seed
}

// decisionTest compares a scheduler with the program.
type decisionTest struct {
	*environment
	cinder *scheduler.Scheduler
	random *rand.Rand
	extra  string // path of a second configuration file
	count  int
	chosen map[string]int
}

func newDecisionTest(t *testing.T, env *environment, settings []string, random *rand.Rand) *decisionTest {
	t.Helper()
	j := &decisionTest{environment: env, random: random, extra: filepath.Join(filepath.Dir(env.config), "extra.conf"), chosen: map[string]int{}}
	env.write(j.extra, j.extraSettings(settings))
	broker, _ := joinBroker(t)
	var backends []scheduler.Backend
	for i, a := range env.arrays {
		backends = append(backends, scheduler.Backend{Host: hostName(a.Name()), Zone: zoneOf(i)})
	}
	settings = append(slices.Clone(settings), "quota_volumes = -1", "quota_gigabytes = -1", "per_volume_size_limit = -1")
	j.cinder = scheduler.Start(t, scheduler.Options{Broker: broker, Backends: backends, Settings: settings})
	return j
}

// zoneOf puts every third array into another zone.
func zoneOf(array int) string {
	if array%3 == 2 {
		return "dc2"
	}
	return zone
}

func (j *decisionTest) extraSettings(settings []string) string {
	lines := append([]string{"[DEFAULT]"}, settings...)
	for i, a := range j.arrays {
		lines = append(lines, "["+stanza(a.Name())+"]", "backend_availability_zone = "+zoneOf(i),
			fmt.Sprintf("reserved_percentage = %d", i%4*5),
			`filter_function = capabilities.load_percent < 95 and volume.size < 900000`)
		if i%4 != 3 {
			lines = append(lines, `goodness_function = "100 - capabilities.load_percent + (volume.size > 5000 ? 0 : extra.tier == 'performance')"`)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// compare sends the arrays' state to the scheduler, creates a volume and asks the
// program for the same.
func (j *decisionTest) compare() {
	j.t.Helper()
	j.count++
	j.setFrame(j.random.IntN(30))
	reports := j.reports()
	j.report(reports)
	v := j.draw()
	theirs, err := j.cinder.Create(v)
	if err != nil {
		j.t.Fatalf("decision %d: create %+v: %v", j.count, v, err)
	}
	if ours, why := j.place(reports, v); ours != theirs {
		j.t.Errorf("decision %d: %+v\ncinder-scheduler: %q\npoolcast place:   %q\n%s", j.count, v, theirs, ours, why)
	}
	j.chosen[theirs]++
}

// reports are a dry run, with what cinder-volume counts, and with the number of the
// decision.
func (j *decisionTest) reports() []capability.Report {
	j.t.Helper()
	var reports []capability.Report
	if err := json.Unmarshal([]byte(j.run("--config-file", j.extra, "--dry-run")), &reports); err != nil {
		j.t.Fatal(err)
	}
	for _, r := range reports {
		r.Capabilities["decision"] = capability.OfInt(int64(j.count))
		r.Capabilities[capability.KeyAllocatedCapacity] = capability.OfInt(j.random.Int64N(200000))
		if j.random.IntN(4) == 0 { // as releases that misspell it
			delete(r.Capabilities, capability.KeyProvisionedCapacity)
		}
	}
	return reports
}

// report sends the reports to the scheduler and waits until it has all.
func (j *decisionTest) report(reports []capability.Report) {
	j.t.Helper()
	for _, r := range reports {
		j.cinder.Report(scheduler.Report{Host: r.Host, Cluster: r.Cluster, Capabilities: r.Capabilities})
	}
	process.Await(j.t, pollBound, "the scheduler to have every report", func() error {
		pools, err := j.cinder.Pools()
		if err != nil {
			return err
		}
		received := 0
		for _, p := range pools {
			if n, _ := p.Capabilities["decision"].Int(); n == int64(j.count) {
				received++
			}
		}
		if received != len(reports) {
			return fmt.Errorf("it has %d of %d", received, len(reports))
		}
		return nil
	})
}

// draw makes up a volume. Each condition rejects some of the arrays some of the time.
func (j *decisionTest) draw() scheduler.Volume {
	sizes := []int64{1, 10, 500, 8000, 50000, 400000, 1500000}
	v := scheduler.Volume{
		Size: sizes[j.random.IntN(len(sizes))] + j.random.Int64N(1000), Zone: zoneOf(j.random.IntN(3)),
		ExtraSpecs: map[string]string{},
	}
	specs := map[string][]string{
		"volume_backend_name":         {pool},
		"multiattach":                 {"<is> True"},
		"tier":                        {"performance", "<or> performance <or> capacity", "s!= performance"},
		"capabilities:total_volumes":  {"<= 800", "> 200", "<= 5000"},
		"usec_per_write_op":           {"<= 400", "< 1000"},
		"capabilities:load_percent":   {"<= 15", "<= 50"},
		"storage_protocol":            {"<in> iSCSI", "iscsi"},
		"provisioning:type":           {"thick", "thin"},
		"capabilities:data_reduction": {">= 3.5"},
		"purity_version":              {"<in> 6."},
	}
	for _, key := range slices.Sorted(maps.Keys(specs)) { // or a seed would not repeat a draw
		if j.random.IntN(5) == 0 {
			v.ExtraSpecs[key] = specs[key][j.random.IntN(len(specs[key]))]
		}
	}
	return v
}

// place runs the program, which ends with 4 where nothing fits. why is its output.
func (j *decisionTest) place(reports []capability.Report, v scheduler.Volume) (chosen, why string) {
	j.t.Helper()
	data, err := json.Marshal(reports)
	if err != nil {
		j.t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(j.config), "reports.json")
	j.write(path, string(data))
	args := []string{
		"--config-file", j.extra, "place", "--policy", "strict", "--output", "json",
		"--source", path, "--size", fmt.Sprint(v.Size), "--availability-zone", v.Zone,
	}
	for _, key := range slices.Sorted(maps.Keys(v.ExtraSpecs)) {
		args = append(args, "--property", key+"="+v.ExtraSpecs[key])
	}
	out, err := j.command(args...).Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() != 4 || len(out) == 0 {
		j.t.Fatalf("run poolcast %s: %v", strings.Join(args, " "), err)
	}
	var decision struct{ Chosen string }
	if err := json.Unmarshal(out, &decision); err != nil {
		j.t.Fatalf("read the decision: %v\n%s", err, out)
	}
	return decision.Chosen, string(out)
}

// finish fails the test where too few different backends were chosen.
func (j *decisionTest) finish() {
	j.t.Helper()
	j.t.Logf("of %d volumes %v", j.count, j.chosen)
	if len(j.chosen) < 3 || j.chosen[""] == j.count {
		j.t.Errorf("all %d decisions are among %v, which are too few", j.count, j.chosen)
	}
}

// TestOperatorAdviceMatchesCinder checks with Cinder's own operators what poolcast
// advises to write instead of a condition without an operator.
func TestOperatorAdviceMatchesCinder(t *testing.T) {
	data, err := os.ReadFile("../collector/placement/cinder/testdata/advice/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases, results []struct {
		Value   any    `json:"value"`
		Written string `json:"written"`
		Advice  string `json:"advice"`
		Fits    bool   `json:"fits"`

		WrittenFits bool `json:"written_fits"`
		AdviceFits  bool `json:"advice_fits"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	run(t, json.RawMessage(data), &results, "operators")
	if len(cases) < 40 || len(results) != len(cases) {
		t.Fatalf("%d results of %d cases", len(results), len(cases))
	}
	for i, c := range cases {
		if results[i].WrittenFits {
			t.Errorf("%v meets %q, which needs no advice", c.Value, c.Written)
		}
		if c.Advice != "" && results[i].AdviceFits != c.Fits {
			t.Errorf("%v against the advice %q is %v, want %v", c.Value, c.Advice, results[i].AdviceFits, c.Fits)
		}
	}
}
