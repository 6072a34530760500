package fallback

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// pool are the reports of n arrays, each with less provisioned than the one before.
func pool(n int) []capability.Report {
	reports := make([]capability.Report, n)
	for i := range reports {
		name := fmt.Sprintf("x%d", i)
		reports[i] = capability.Report{Host: "ctl1@" + name, Backend: name, Capabilities: capability.Set{
			capability.KeyVolumeBackendName:   capability.OfString("pure"),
			capability.KeyTotalCapacity:       capability.OfFloat(100000),
			capability.KeyFreeCapacity:        capability.OfFloat(50000),
			capability.KeyProvisionedCapacity: capability.OfFloat(float64(900000 - 200000*i)),
			capability.KeyMaxOverSubscription: capability.OfFloat(10),
			capability.KeyReservedPercentage:  capability.OfInt(0),
			capability.KeyThinProvisioning:    capability.OfBool(true),
			capability.KeyTotalVolumes:        capability.OfInt(int64(700 + 200*i)),
			capability.KeyWritesPerSec:        capability.OfInt(1000),
			capability.KeyUsecPerRead:         capability.OfInt(300),
			capability.KeyUsecPerWrite:        capability.OfInt(400),
		}}
	}
	return reports
}

func typeOf(name string, specs ...string) cinder.VolumeType {
	t := cinder.VolumeType{Name: name}
	for i := 0; i < len(specs); i += 2 {
		t.ExtraSpecs = append(t.ExtraSpecs, cinder.Spec(specs[i], specs[i+1]))
	}
	return t
}

func gold() cinder.VolumeType {
	return typeOf("gold", "volume_backend_name", "pure", "capabilities:total_volumes", "<= 800", "writes_per_sec", "<= 40000")
}

func cloud(types ...cinder.VolumeType) Cloud {
	return Cloud{Types: types, Reports: pool(3), Size: 100}
}

func mustMake(t *testing.T, c Cloud) *Plan {
	t.Helper()
	p, err := Make(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanOfPublishedPattern(t *testing.T) {
	p := mustMake(t, cloud(gold()))
	if !p.Holds() {
		t.Fatalf("problems: %q", p.Problems)
	}
	for _, b := range p.Backends {
		const want = "(capabilities.total_volumes <= 800 and capabilities.writes_per_sec <= 40000) ? 100 : 0"
		if b.Goodness != want {
			t.Errorf("goodness_function of %s: %s", b.Name, b.Goodness)
		}
	}
	changed := []Option{{"scheduler_default_weighers", "CapacityWeigher,GoodnessWeigher"}, {"capacity_weight_multiplier", "0.5"}}
	if diff := cmp.Diff(changed, p.Scheduler.Changed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"capabilities:total_volumes", "writes_per_sec"}, p.Types[0].Unset()); diff != "" {
		t.Error(diff)
	}
	if len(p.Checks) != 5 || p.Checks[0].After != "x0" || p.Checks[1].Decisions != 3 || p.Checks[2].Decisions != 3 {
		t.Errorf("checks: %+v", p.Checks)
	}
}

func TestPlanScheduler(t *testing.T) {
	for name, c := range map[string]struct {
		options cinder.Options
		want    string
		problem string
	}{
		"small already": {
			options: cinder.Options{Weighers: []string{"GoodnessWeigher", "CapacityWeigher"}, Multipliers: map[string]float64{"CapacityWeigher": -0.9}},
		},
		"stacking": {
			options: cinder.Options{Multipliers: map[string]float64{"CapacityWeigher": -2}},
			want:    "scheduler_default_weighers=CapacityWeigher,GoodnessWeigher capacity_weight_multiplier=-0.5",
		},
		"two others": {
			options: cinder.Options{Weighers: []string{"CapacityWeigher", "AllocatedCapacityWeigher"}},
			want:    "scheduler_default_weighers=CapacityWeigher,AllocatedCapacityWeigher,GoodnessWeigher capacity_weight_multiplier=0.25 allocated_capacity_weight_multiplier=-0.25",
		},
		"goodness alone": {
			options: cinder.Options{Weighers: []string{"GoodnessWeigher"}},
			want:    "scheduler_default_weighers=CapacityWeigher,GoodnessWeigher capacity_weight_multiplier=0.5",
		},
		"chance": {
			options: cinder.Options{Weighers: []string{"ChanceWeigher"}},
			want:    "scheduler_default_weighers=CapacityWeigher,GoodnessWeigher capacity_weight_multiplier=0.5",
		},
		"drawn": {
			options: cinder.Options{Select: placement.Lottery, Weighers: []string{"GoodnessWeigher", "VolumeNumberWeigher"}},
			want:    "volume_number_multiplier=-0.5 scheduler_weight_handler=cinder.scheduler.weights.OrderedHostWeightHandler",
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := cloud(gold())
			in.Options = c.options
			p := mustMake(t, in)
			var got []string
			for _, o := range p.Scheduler.Changed {
				got = append(got, o.Name+"="+o.Value)
			}
			if strings.Join(got, " ") != c.want || !p.Holds() {
				t.Errorf("changed: %q, want %q; problems %q", strings.Join(got, " "), c.want, p.Problems)
			}
		})
	}
}

func TestPlanKeepsPresentFunctions(t *testing.T) {
	in := cloud(gold())
	in.Reports[0].Capabilities[capability.KeyGoodnessFunction] = capability.OfString("100 - capabilities.usec_per_write_op / 10")
	in.Reports[1].Capabilities[capability.KeyGoodnessFunction] = capability.OfString("capabilities.usec_per_write_op < 500")
	p := mustMake(t, in)
	preferred := "((capabilities.total_volumes <= 800 and capabilities.writes_per_sec <= 40000) ? 90 : 0)"
	want := []string{
		preferred + " + max(0, min(100, 100 - capabilities.usec_per_write_op / 10)) / 10",
		preferred + " + ((capabilities.usec_per_write_op < 500) ? 10 : 0)",
		preferred,
	}
	for i, b := range p.Backends {
		if b.Goodness != want[i] {
			t.Errorf("%s:\n got %s\nwant %s", b.Name, b.Goodness, want[i])
		}
	}
	if !p.Holds() || p.Scheduler.Options.Multipliers["CapacityWeigher"] != 0.4 {
		t.Errorf("problems %q, options %+v", p.Problems, p.Scheduler.Options)
	}
	in.Replace = true
	if p = mustMake(t, in); p.Backends[0].Goodness != "(capabilities.total_volumes <= 800 and capabilities.writes_per_sec <= 40000) ? 100 : 0" {
		t.Errorf("replaced: %s", p.Backends[0].Goodness)
	}
}

// TestPlanDistinguishesTypes has types with different conditions on the same arrays.
func TestPlanDistinguishesTypes(t *testing.T) {
	silver := typeOf("silver", "volume_backend_name", "pure", "total_volumes", "<= 1000")
	bronze := typeOf("bronze", "volume_backend_name", "pure")
	p := mustMake(t, cloud(gold(), silver, bronze))
	const want = `extra.preference == "gold" ? ((capabilities.total_volumes <= 800 and capabilities.writes_per_sec <= 40000) ? 100 : 0)` +
		` : (extra.preference == "silver" ? (capabilities.total_volumes <= 1000 ? 100 : 0) : 0)`
	if p.Backends[0].Goodness != want {
		t.Errorf("got  %s\nwant %s", p.Backends[0].Goodness, want)
	}
	if !p.Holds() || p.Key != Class || len(p.Types[0].Set) != 1 || len(p.Backends[2].Classes) != 2 {
		t.Errorf("problems %q, plan %+v", p.Problems, p)
	}
	same := typeOf("same", "volume_backend_name", "pure", "total_volumes", "<= 800", "writes_per_sec", "<= 40000")
	if p = mustMake(t, cloud(gold(), same)); p.Key != "" {
		t.Errorf("types with the same conditions are distinguished by %s", p.Key)
	}
	in := cloud(gold(), bronze)
	in.Separate = true
	in.Reports[1].Capabilities[Class] = capability.OfStrings("earlier", "gold")
	if p = mustMake(t, in); p.Key != Class || !p.Holds() || strings.Join(p.Backends[1].Classes, " ") != "earlier gold" {
		t.Errorf("key %q, problems %q, classes %q", p.Key, p.Problems, p.Backends[1].Classes)
	}
	in = cloud(gold())
	in.Separate = true
	if p = mustMake(t, in); p.Key != "volume_backend_name" || !p.Holds() {
		t.Errorf("key %q, problems %q", p.Key, p.Problems)
	}
}

func TestPlanThatDoesNotHold(t *testing.T) {
	t.Run("a condition that cannot be translated", func(t *testing.T) {
		p := mustMake(t, cloud(typeOf("gold", "total_volumes", "<= 800", "writes_per_sec", "<40000")))
		if p.Holds() || !strings.Contains(p.Problems[0], `type gold keeps writes_per_sec = "<40000", which refuses backends: Cinder finds no operator`) {
			t.Errorf("problems %q", p.Problems)
		}
	})
	t.Run("a filter function that reads a live metric", func(t *testing.T) {
		in := cloud(gold())
		in.Options.Filters = []string{"CapacityFilter", "CapabilitiesFilter", "DriverFilter"}
		in.Reports[1].Capabilities[capability.KeyFilterFunction] = capability.OfString("capabilities.total_volumes < 600")
		p := mustMake(t, in)
		if p.Holds() || !strings.Contains(strings.Join(p.Problems, "\n"), "filter_function of x1 reads total_volumes") {
			t.Errorf("problems %q", p.Problems)
		}
	})
	t.Run("a present function that fails", func(t *testing.T) {
		in := cloud(gold())
		in.Reports[0].Capabilities[capability.KeyGoodnessFunction] = capability.OfString("capabilities.misspelt")
		p := mustMake(t, in)
		if p.Holds() {
			t.Error("the plan holds, and x0 always scores 0")
		}
	})
	t.Run("no condition on a live metric", func(t *testing.T) {
		if _, err := Make(cloud(typeOf("plain", "volume_backend_name", "pure"))); !errors.Is(err, ErrNothing) {
			t.Error(err)
		}
	})
	t.Run("an unknown type", func(t *testing.T) {
		in := cloud(gold())
		in.Names = []string{"golt"}
		if _, err := Make(in); err == nil || err.Error() != "unknown type golt: the list has gold" {
			t.Error(err)
		}
	})
}

// TestPlanLeavesOtherBackendsOut has a type of another vendor's backends, which is no
// problem unless it was asked for.
func TestPlanLeavesOtherBackendsOut(t *testing.T) {
	other := typeOf("other", "volume_backend_name", "ceph", "total_volumes", "<= 5")
	p := mustMake(t, cloud(gold(), other))
	if !p.Holds() || len(p.Types) != 1 || !strings.HasPrefix(p.Limits[0], "type other is not translated") {
		t.Errorf("problems %q, limits %q", p.Problems, p.Limits)
	}
	in := cloud(gold(), other)
	in.Names = []string{"other"}
	if p = mustMake(t, in); p.Holds() {
		t.Error("the plan of a type without a backend holds")
	}
	if _, err := Make(cloud(other)); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
}

// TestPlanWithAnotherMetric has an array within the limit on the average, and above it
// for reads: the function is stricter.
// TestPlanOverSeveralZones: a request has one zone, and the decisions of the plan are
// about all backends.
func TestPlanOverSeveralZones(t *testing.T) {
	c := cloud(gold())
	for i := range c.Reports {
		c.Reports[i].Zone = "dc1"
	}
	about := func(text string) bool { return strings.Contains(text, "zones dc1, dc2") }
	if p := mustMake(t, c); slices.ContainsFunc(p.Limits, about) {
		t.Errorf("one zone: limits %q", p.Limits)
	}
	c.Reports[2].Zone = "dc2"
	if p := mustMake(t, c); !slices.ContainsFunc(p.Limits, about) {
		t.Errorf("two zones: limits %q", p.Limits)
	}
}

func TestPlanWithAnotherMetric(t *testing.T) {
	in := cloud(typeOf("gold", "avg_latency_ms", "<= 0.35"))
	for i := range in.Reports {
		in.Reports[i].Capabilities[capability.KeyAvgLatency] = capability.OfFloat(0.35)
	}
	if p := mustMake(t, in); !p.Holds() || len(p.Checks[0].Preferred) > 0 {
		t.Errorf("problems %q, checks %+v", p.Problems, p.Checks)
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct{ key, value, function, reason string }{
		{"capabilities:total_volumes", "<= 800", "capabilities.total_volumes <= 800", ""},
		{"total_volumes", ">= 1e3", "capabilities.total_volumes >= 1000", ""},
		{"total_volumes", "= 10", "capabilities.total_volumes >= 10", ""},
		{"total_volumes", "== 10.5", "capabilities.total_volumes == 10.5", ""},
		{"total_volumes", "!= -3", "capabilities.total_volumes != -3", ""},
		{"total_volumes", "<= 800 and more", "capabilities.total_volumes <= 800", ""},
		{"data_reduction", ">= 4.1", "capabilities.data_reduction_percent >= 410", ""},
		{"avg_latency_ms", "<= 0.5", "(capabilities.usec_per_read_op <= 500 and capabilities.usec_per_write_op <= 500)", ""},
		{"avg_latency_ms", ">= 0.5", "", "truncates avg_latency_ms"},
		{"avg_throughput_mbps", "<= 900", "", "truncates avg_throughput_mbps"},
		{"total_volumes", "< 800", "", "finds no operator"},
		{"total_volumes", "> 800", "", "finds no operator"},
		{"total_volumes", "<=800", "", "finds no operator"},
		{"total_volumes", "800", "", "finds no operator"},
		{"total_volumes", "", "", "finds no operator"},
		{"total_volumes", "<=", "", `"" is not a finite number`},
		{"total_volumes", "<= many", "", `"many" is not a finite number`},
		{"total_volumes", "<= inf", "", `"inf" is not a finite number`},
		{"total_volumes", "<in> 8", "", "the operator <in> does not compare numbers"},
		{"total_volumes", "<or> 8 <or> 9", "", "the operator <or> does not compare numbers"},
		{"total_volumes", "<is> True", "", "the operator <is> does not compare numbers"},
		{"total_volumes", "s< 8", "", "the operator s< does not compare numbers"},
	} {
		got := liveConditions(new(typeOf("gold", c.key, c.value)))
		if len(got) != 1 {
			t.Fatalf("%s = %q: %d conditions", c.key, c.value, len(got))
		}
		if got[0].Function != c.function || !strings.Contains(got[0].Reason, c.reason) {
			t.Errorf("%s = %q: function %q, reason %q", c.key, c.value, got[0].Function, got[0].Reason)
		}
	}
	if got := liveConditions(new(typeOf("t", "free_capacity_gb", ">= 5", "driver:total_volumes", "<= 5", "tier", "gold"))); len(got) > 0 {
		t.Errorf("conditions: %+v", got)
	}
}
