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

// questions are asked of each scheduler.
const questions = 25

// TestPlaceMatchesScheduler asks a real scheduler for volumes as cinder-api
// does, and poolcast place where it would put them. The answers are the same,
// whatever is asked: types, sizes and zones are drawn, and the arrays' numbers
// change in between.
//
// Debian's scheduler is Cinder 21 and the vectors are made with the newest. All
// that decides here is the same in both (filters, weighers, evaluator,
// HostManager), so no question needs to be avoided.
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
			for range questions {
				j.ask()
			}
			j.finish()
		})
	}
}

func decisionSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("POOLCAST_DECISION_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("read POOLCAST_DECISION_SEED: %v", err)
		}
	}
	t.Logf("POOLCAST_DECISION_SEED=%d asks the same questions again", seed)
	return seed
}

// decisionTest puts the same questions to a scheduler and to the program.
type decisionTest struct {
	*environment
	cinder *scheduler.Scheduler
	random *rand.Rand
	more   string // path of a second configuration file
	asked  int
	chosen map[string]int
}

func newDecisionTest(t *testing.T, env *environment, settings []string, random *rand.Rand) *decisionTest {
	t.Helper()
	j := &decisionTest{environment: env, random: random, more: filepath.Join(filepath.Dir(env.config), "more.conf"), chosen: map[string]int{}}
	env.write(j.more, j.moreSettings(settings))
	broker, _ := joinBroker(t)
	var backends []scheduler.Backend
	for i, a := range env.arrays {
		backends = append(backends, scheduler.Backend{Host: hostName(a.Name()), Zone: zoneOf(i)})
	}
	settings = append(slices.Clone(settings), "quota_volumes = -1", "quota_gigabytes = -1", "per_volume_size_limit = -1")
	j.cinder = scheduler.Start(t, scheduler.Options{Broker: broker, Backends: backends, Settings: settings})
	return j
}

// zoneOf puts every third array elsewhere.
func zoneOf(array int) string {
	if array%3 == 2 {
		return "dc2"
	}
	return zone
}

func (j *decisionTest) moreSettings(settings []string) string {
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

// ask asks one question after telling the scheduler the arrays' state.
func (j *decisionTest) ask() {
	j.t.Helper()
	j.asked++
	j.setFrame(j.random.IntN(30))
	reports := j.reports()
	j.tell(reports)
	v := j.draw()
	theirs, err := j.cinder.Create(v)
	if err != nil {
		j.t.Fatalf("question %d: ask the scheduler for %+v: %v", j.asked, v, err)
	}
	if ours, why := j.place(reports, v); ours != theirs {
		j.t.Errorf("question %d: %+v\ncinder-scheduler: %q\npoolcast place:   %q\n%s", j.asked, v, theirs, ours, why)
	}
	j.chosen[theirs]++
}

// reports are a dry run, with what cinder-volume counts added, and marked with
// the number of the question.
func (j *decisionTest) reports() []capability.Report {
	j.t.Helper()
	var reports []capability.Report
	if err := json.Unmarshal([]byte(j.run("--config-file", j.more, "--dry-run")), &reports); err != nil {
		j.t.Fatal(err)
	}
	for _, r := range reports {
		r.Capabilities["question"] = capability.OfInt(int64(j.asked))
		r.Capabilities[capability.KeyAllocatedCapacity] = capability.OfInt(j.random.Int64N(200000))
		if j.random.IntN(4) == 0 { // as releases do that misspell it
			delete(r.Capabilities, capability.KeyProvisionedCapacity)
		}
	}
	return reports
}

// tell reports to the scheduler and waits until it has heard everything.
func (j *decisionTest) tell(reports []capability.Report) {
	j.t.Helper()
	for _, r := range reports {
		j.cinder.Report(scheduler.Report{Host: r.Host, Cluster: r.Cluster, Capabilities: r.Capabilities})
	}
	process.Await(j.t, pollBound, "the scheduler to hear every report", func() error {
		pools, err := j.cinder.Pools()
		if err != nil {
			return err
		}
		heard := 0
		for _, p := range pools {
			if n, _ := p.Capabilities["question"].Int(); n == int64(j.asked) {
				heard++
			}
		}
		if heard != len(reports) {
			return fmt.Errorf("it has heard %d of %d", heard, len(reports))
		}
		return nil
	})
}

// draw makes a volume up. Each condition refuses some of the arrays some of the
// time.
func (j *decisionTest) draw() scheduler.Volume {
	sizes := []int64{1, 10, 500, 8000, 50000, 400000, 1500000}
	v := scheduler.Volume{
		Size: sizes[j.random.IntN(len(sizes))] + j.random.Int64N(1000), Zone: zoneOf(j.random.IntN(3)),
		ExtraSpecs: map[string]string{},
	}
	for key, values := range map[string][]string{
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
	} {
		if j.random.IntN(5) == 0 {
			v.ExtraSpecs[key] = values[j.random.IntN(len(values))]
		}
	}
	return v
}

// place asks the program, which ends with 4 where nothing fits. why is all of
// its answer.
func (j *decisionTest) place(reports []capability.Report, v scheduler.Volume) (chosen, why string) {
	j.t.Helper()
	data, err := json.Marshal(reports)
	if err != nil {
		j.t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(j.config), "reports.json")
	j.write(path, string(data))
	args := []string{
		"--config-file", j.more, "place", "--policy", "strict", "--output", "json",
		"--reports", path, "--size", fmt.Sprint(v.Size), "--availability-zone", v.Zone,
	}
	for _, key := range slices.Sorted(maps.Keys(v.ExtraSpecs)) {
		args = append(args, "--property", key+"="+v.ExtraSpecs[key])
	}
	out, err := j.command(args...).Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() != 4 || len(out) == 0 {
		j.t.Fatalf("run poolcast %s: %v", strings.Join(args, " "), err)
	}
	var answer struct{ Chosen string }
	if err := json.Unmarshal(out, &answer); err != nil {
		j.t.Fatalf("read the answer: %v\n%s", err, out)
	}
	return answer.Chosen, string(out)
}

// finish makes sure that the questions were worth asking.
func (j *decisionTest) finish() {
	j.t.Helper()
	j.t.Logf("of %d volumes %v", j.asked, j.chosen)
	if len(j.chosen) < 3 || j.chosen[""] == j.asked {
		j.t.Errorf("all %d answers are among %v, which proves little", j.asked, j.chosen)
	}
}

// TestOperatorAdviceMatchesCinder lets Cinder's own operators judge what poolcast
// says to write instead of a condition without an operator.
func TestOperatorAdviceMatchesCinder(t *testing.T) {
	data, err := os.ReadFile("../collector/placement/cinder/testdata/advice/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases, answers []struct {
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
	run(t, json.RawMessage(data), &answers, "operators")
	if len(cases) < 40 || len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases", len(answers), len(cases))
	}
	for i, c := range cases {
		if answers[i].WrittenFits {
			t.Errorf("%v meets %q, which needs no advice", c.Value, c.Written)
		}
		if c.Advice != "" && answers[i].AdviceFits != c.Fits {
			t.Errorf("%v against the advice %q is %v, want %v", c.Value, c.Advice, answers[i].AdviceFits, c.Fits)
		}
	}
}
