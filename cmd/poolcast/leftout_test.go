package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// TestAdvisedPluginIsApplied follows the advice on names that Cinder does not find.
func TestAdvisedPluginIsApplied(t *testing.T) {
	advice := regexp.MustCompile(`incomplete; .*(?:did you mean|write|the name is now) ([\w.]+)`)
	for name, option := range map[string]string{
		"RetryFilter":  "SCHEDULER_DEFAULT_FILTERS",
		"DrvierFilter": "SCHEDULER_DEFAULT_FILTERS",
		"cinder.scheduler.filters.driver_filter.DriverFilter": "SCHEDULER_DEFAULT_FILTERS",
		"CapacityWeighter": "SCHEDULER_DEFAULT_WEIGHERS",
		"cinder.scheduler.weights.capacity.CapacityWeigher":              "SCHEDULER_DEFAULT_WEIGHERS",
		"cinder.scheduler.weights.stochastic.StochasticHostWeightHandlr": "SCHEDULER_WEIGHT_HANDLER",
		"cinder.scheduler.weights.OrderedHostsWeightHandler":             "SCHEDULER_WEIGHT_HANDLER",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OS_DEFAULT__"+option, name)
			stdout, _, _ := onExamples(t, "place", "--size", "100")
			found := advice.FindStringSubmatch(strings.Join(strings.Fields(stdout), " "))
			if found == nil {
				t.Fatalf("there is no advice: %s", stdout)
			}
			t.Setenv("OS_DEFAULT__"+option, found[1])
			if stdout, stderr, code := onExamples(t, "place", "--size", "100"); code != exit.OK || strings.Contains(stdout, "left out") {
				t.Errorf("with %s it ended with %d: %s%s", found[1], code, stdout, stderr)
			}
		})
	}
}

// TestUnknownPluginIsLeftOut: each command names a plug-in that is not Cinder's once,
// and ends with the exit code of its answer.
func TestUnknownPluginIsLeftOut(t *testing.T) {
	const leftOut = "was left out: the answer is incomplete"
	for _, c := range []struct{ option, value, says string }{
		{"SCHEDULER_DEFAULT_FILTERS", "AvailabilityZoneFilter,ShardFilter,CapacityFilter,CapabilitiesFilter,ShardFilter", "ShardFilter is not known here"},
		{"SCHEDULER_DEFAULT_WEIGHERS", "CapacityWeigher,LatencyWeigher", "LatencyWeigher is not known here"},
		{"SCHEDULER_WEIGHT_HANDLER", "our.own.Handler", "our.own.Handler is not known here"},
		{"SCHEDULER_DEFAULT_FILTERS", "CapacityFilter,RetryFilter", "incomplete; the name is now IgnoreAttemptedHostsFilter"},
		{
			"SCHEDULER_DEFAULT_FILTERS", "CapacityFilter,cinder.scheduler.filters.driver_filter.DriverFilter",
			"incomplete; the name has no module in front of it: write DriverFilter",
		},
		{"SCHEDULER_DEFAULT_FILTERS", "CapacityFilter,DrvierFilter", "incomplete; did you mean DriverFilter?"},
	} {
		t.Run(c.value, func(t *testing.T) {
			t.Setenv("OS_DEFAULT__"+c.option, c.value)
			for args, code := range map[string]int{
				"place --size 100":                               exit.OK,
				"place --size 99999999":                          exit.NoFit,
				"rehearse --size 100 --count 3":                  exit.OK,
				"rehearse --size 99999999 --count 3":             exit.NoFit,
				"check --no-bus --types testdata/types-old.json": exit.Partial,
				"diff --base testdata/check/pools.json":          exit.Partial,
			} {
				stdout, stderr, got := onExamples(t, strings.Fields(args)...)
				text := strings.Join(strings.Fields(stdout), " ")
				if got != code || strings.Count(text, leftOut) != 1 || !strings.Contains(text, c.says) {
					t.Errorf("%s ended with %d, want %d and %q once: %s\n%s", args, got, code, c.says, stdout, stderr)
				}
				if strings.HasPrefix(args, "check") && !strings.Contains(text, "FIRST CHOICE gold") {
					t.Errorf("%s does not judge the types: %s", args, stdout)
				}
			}
			for _, args := range []string{"place --size 100", "rehearse --size 100 --count 3", "diff --base testdata/check/pools.json"} {
				stdout, _, _ := onExamples(t, append(strings.Fields(args), "--output", "json")...)
				if text := strings.Join(strings.Fields(stdout), " "); strings.Count(text, `"left_out": [ { "kind":`) != 1 {
					t.Errorf("%s does not list it: %s", args, text)
				}
			}
		})
	}
}
