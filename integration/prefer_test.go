//go:build integration

package integration

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
)

// load is the state of an array in a test of preferences.
type load struct {
	over        bool // total_volumes is above the limit of gold, 800
	unmeasured  bool // the report has no writes_per_sec
	provisioned float64
}

// fullest leaves room for the volumes of a test. Each array has 1,000,000 GiB of virtual
// capacity.
const fullest = 999000

// TestPreferOnScheduler applies what poolcast prefer prints, settings, functions and
// types, and creates volumes with a real scheduler.
func TestPreferOnScheduler(t *testing.T) {
	t.Parallel()
	p := newPreferTest(t, map[string]map[string]string{
		"gold": {"volume_backend_name": pool, "capabilities:total_volumes": "<= 800", "writes_per_sec": "<= 40000"},
	})
	p.start(p.settings)
	for _, c := range []struct {
		name  string
		loads [3]load
		want  int // position of the array that gets the volume
	}{
		{"one under, the fullest", [3]load{{provisioned: fullest}, {over: true, provisioned: 10}, {over: true, provisioned: 5000}}, 0},
		{"one under, the fullest and the last", [3]load{{over: true, provisioned: 10}, {over: true, provisioned: 5000}, {provisioned: fullest}}, 2},
		{"two under", [3]load{{provisioned: fullest}, {provisioned: 500000}, {over: true, provisioned: 10}}, 1},
		{"all under", [3]load{{provisioned: fullest}, {provisioned: 500000}, {provisioned: 400000}}, 2},
		{"none under", [3]load{{over: true, provisioned: 600000}, {over: true, provisioned: 500000}, {over: true, provisioned: fullest}}, 1},
		{"the emptiest lacks a metric", [3]load{{provisioned: fullest}, {unmeasured: true, provisioned: 10}, {over: true, provisioned: 5000}}, 0},
		{"all lack a metric", [3]load{{unmeasured: true, provisioned: fullest}, {unmeasured: true, provisioned: 600000}, {unmeasured: true, provisioned: 500000}}, 2},
	} {
		if got := p.create("gold", c.loads); got != p.pool(c.want) {
			t.Errorf("%s: %q gets the volume, want %q", c.name, got, p.pool(c.want))
		}
	}
}

// TestPreferNeedsMultiplier is the control: with the default multiplier the fullest array
// under the limits ties with the emptiest, so that the order of the backends decides.
func TestPreferNeedsMultiplier(t *testing.T) {
	t.Parallel()
	p := newPreferTest(t, map[string]map[string]string{
		"gold": {"volume_backend_name": pool, "capabilities:total_volumes": "<= 800"},
	})
	settings := slices.Clone(p.settings)
	for i, line := range settings {
		if strings.HasPrefix(line, "capacity_weight_multiplier = ") {
			settings[i] = "capacity_weight_multiplier = 1.0"
		}
	}
	p.start(settings)
	preferred := 0
	for i := range 2 {
		loads := [3]load{{over: true, provisioned: 500000}, {over: true, provisioned: 500000}, {over: true, provisioned: 500000}}
		loads[i], loads[1-i] = load{provisioned: fullest}, load{over: true, provisioned: 0}
		if p.create("gold", loads) == p.pool(i) {
			preferred++
		}
	}
	if preferred != 1 {
		t.Errorf("the array under the limits gets the volume in %d of 2 orders; a tie gives 1", preferred)
	}
}

// TestPreferDistinguishesTypes has two types with different limits on the same arrays, and
// one without.
func TestPreferDistinguishesTypes(t *testing.T) {
	t.Parallel()
	p := newPreferTest(t, map[string]map[string]string{
		"gold":   {"volume_backend_name": pool, "total_volumes": "<= 800"},
		"silver": {"volume_backend_name": pool, "total_volumes": "<= 5000"},
		"bronze": {"volume_backend_name": pool},
	})
	p.start(p.settings)
	loads := [3]load{{provisioned: fullest}, {over: true, provisioned: 500000}, {over: true, provisioned: 10}}
	for name, want := range map[string]int{"gold": 0, "silver": 2, "bronze": 2} {
		if got := p.create(name, loads); got != p.pool(want) {
			t.Errorf("%s: %q gets the volume, want %q", name, got, p.pool(want))
		}
	}
}

// preferTest has a scheduler with the settings that were printed.
type preferTest struct {
	*decisionTest
	types    map[string]map[string]string // after the commands that were printed
	settings []string                     // of the scheduler
}

func newPreferTest(t *testing.T, types map[string]map[string]string) *preferTest {
	t.Helper()
	env := newEnvironment(t, threeArrays(t), unreachable)
	dir := filepath.Dir(env.config)
	p := &preferTest{types: types, decisionTest: &decisionTest{
		environment: env, extra: filepath.Join(dir, "extra.conf"), chosen: map[string]int{},
	}}
	var rows []map[string]any
	for _, name := range slices.Sorted(maps.Keys(types)) {
		rows = append(rows, map[string]any{"Name": name, "Properties": types[name]})
	}
	data, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "types.json")
	env.write(path, string(data))
	p.apply(env.run("prefer", "--types", path))
	return p
}

// apply does what the output says: it writes the sections and keeps the scheduler's
// settings and the types.
func (p *preferTest) apply(printed string) {
	p.t.Helper()
	var sections []string
	step := ""
	for line := range strings.Lines(printed) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "   ")
		switch {
		case strings.HasPrefix(line, "1. "), strings.HasPrefix(line, "2. "), strings.HasPrefix(line, "3. "):
			step = line[:1]
		case !indented:
		case step == "1":
			sections = append(sections, strings.Split(line, "    #")[0])
		case step == "2" && strings.Contains(line, " = "):
			p.settings = append(p.settings, line)
		case step == "3" && strings.HasPrefix(line, "openstack volume type "):
			p.change(strings.Fields(line)[3:])
		}
	}
	if len(sections) == 0 || len(p.settings) < 2 {
		p.t.Fatalf("nothing to apply:\n%s", printed)
	}
	p.write(p.extra, strings.Join(sections, "\n")+"\n")
	p.t.Logf("%s\n%s\n%v", strings.Join(sections, "\n"), strings.Join(p.settings, "\n"), p.types)
}

// change runs the rest of an openstack volume type command.
func (p *preferTest) change(words []string) {
	p.t.Helper()
	specs := p.types[words[len(words)-1]]
	for i := 1; i+1 < len(words)-1; i += 2 {
		key, value, _ := strings.Cut(words[i+1], "=")
		switch {
		case words[i] != "--property":
			p.t.Fatalf("unexpected argument %s of %v", words[i], words)
		case words[0] == "set":
			specs[key] = value
		default:
			if _, ok := specs[key]; !ok {
				p.t.Fatalf("the type has no %s to unset", key)
			}
			delete(specs, key)
		}
	}
}

func (p *preferTest) start(settings []string) {
	p.t.Helper()
	broker, _ := joinBroker(p.t)
	settings = append(slices.Clone(settings), "quota_volumes = -1", "quota_gigabytes = -1", "per_volume_size_limit = -1")
	p.cinder = scheduler.Start(p.t, scheduler.Options{Broker: broker, Backends: p.backends(), Settings: settings})
}

// create reports the loads and creates a volume of a type.
func (p *preferTest) create(name string, loads [3]load) (host string) {
	p.t.Helper()
	p.count++
	var reports []capability.Report
	if err := json.Unmarshal([]byte(p.run("--config-file", p.extra, "--dry-run")), &reports); err != nil {
		p.t.Fatal(err)
	}
	for i, r := range reports {
		p.set(r.Capabilities, loads[i])
	}
	p.report(reports)
	host, err := p.cinder.Create(scheduler.Volume{Size: 100, Zone: zone, ExtraSpecs: p.types[name]})
	if err != nil {
		p.t.Fatal(err)
	}
	return host
}

// set puts a load into a report.
func (p *preferTest) set(caps capability.Set, l load) {
	caps["decision"] = capability.OfInt(int64(p.count))
	caps[capability.KeyTotalCapacity], caps[capability.KeyFreeCapacity] = capability.OfFloat(100000), capability.OfFloat(50000)
	caps[capability.KeyMaxOverSubscription] = capability.OfFloat(10)
	caps[capability.KeyReservedPercentage] = capability.OfInt(0)
	caps[capability.KeyProvisionedCapacity] = capability.OfFloat(l.provisioned)
	caps[capability.KeyTotalVolumes] = capability.OfInt(800)
	caps[capability.KeyWritesPerSec] = capability.OfInt(40000)
	if l.over {
		caps[capability.KeyTotalVolumes] = capability.OfInt(801)
	}
	if l.unmeasured {
		delete(caps, capability.KeyWritesPerSec)
	}
}

func (p *preferTest) pool(array int) string {
	return hostName(p.arrays[array].Name()) + "#" + pool
}
