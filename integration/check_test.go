//go:build integration

package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/integration/cindertest"
)

// TestCheckAndDiffWithReports has three backends: the first is reported as configured,
// the second under the host's full name, and the third not at all. check finds that and
// says what to write; diff shows what an overlay would change of the first.
func TestCheckAndDiffWithReports(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cindertest.StartScheduler(t, broker.URL(), cindertest.Layout{})
	reports := env.dryRun()
	report := olderReport(reports[0])
	cindertest.StartService(t, broker.URL(), time.Second, map[string]capability.Set{
		hostName("flasharray-x-01"):        report,
		"ctl1.example.org@flasharray_x_02": report,
	})

	var check struct {
		Bus      struct{ Received []string }
		Findings []advice.Finding
	}
	env.runJSON(t, &check, 3, "check", "--listen-for", "20s", "--output", "json")
	if got := strings.Join(check.Bus.Received, " "); got != "ctl1.example.org@flasharray_x_02 ctl1@flasharray_x_01" {
		t.Errorf("received were reports of %s", got)
	}
	wants := map[string]string{
		"wrong-host flasharray_x_02":                   "host = ctl1.example.org into [DEFAULT]",
		"no-base-report flasharray_x_03":               "openstack volume service list",
		"provisioned-capacity-missing flasharray_x_01": "fix_provisioned_capacity = true",
	}
	for _, f := range check.Findings {
		if f.Topic != advice.IdentityTopic {
			continue
		}
		want := ""
		for key, text := range wants {
			if code, name, _ := strings.Cut(key, " "); f.Code == code && strings.Contains(f.Where, name) {
				want = text
				delete(wants, key)
			}
		}
		if want == "" || !strings.Contains(f.Problem+f.Fix, want) {
			t.Errorf("unexpected: %+v", f)
		}
	}
	if len(wants) > 0 {
		t.Errorf("not found: %v in %+v", wants, check.Findings)
	}

	var diff struct {
		Backends []struct {
			Host    string
			HasBase bool `json:"has_base"`
			Changes []advice.KeyChange
		}
	}
	env.runJSON(t, &diff, 1, "diff", "--wait", "20s", "--output", "json")
	if len(diff.Backends) != 3 || !diff.Backends[0].HasBase || diff.Backends[1].HasBase || diff.Backends[2].HasBase {
		t.Fatalf("got %+v", diff)
	}
	changes := map[string]advice.KeyChange{}
	for _, change := range diff.Backends[0].Changes {
		changes[change.Key] = change
	}
	if k := changes[capability.KeyTotalVolumes]; k.Change != advice.Changed || !k.Sent || !k.Old.Equal(capability.OfInt(7)) {
		t.Errorf("total_volumes: %+v", k)
	}
	if k := changes[capability.KeyProvisionedCapacity]; k.Change != advice.Added || k.Sent {
		t.Errorf("provisioned_capacity_gb: %+v", k)
	}
	if k := changes[capability.KeyAllocatedCapacity]; k.Change != advice.Missing {
		t.Errorf("allocated_capacity_gb: %+v", k)
	}
}

// olderReport is the report of an older cinder-volume of the same array.
func olderReport(r capability.Report) capability.Set {
	set := r.Capabilities.Overlay(capability.Set{
		capability.KeyTotalVolumes:      capability.OfInt(7),
		capability.KeyAllocatedCapacity: capability.OfInt(17),
	})
	delete(set, capability.KeyMetricsAgent)
	delete(set, capability.KeyProvisionedCapacity)
	return set
}

// runJSON runs a command that prints JSON and ends with a code.
func (env *environment) runJSON(t *testing.T, result any, code int, args ...string) {
	t.Helper()
	cmd := env.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, _ := cmd.Output() // the code is checked
	checkSecrets(t, string(out)+errs.String())
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("poolcast %s ended with code %d, want %d: %s", strings.Join(args, " "), got, code, errs.String())
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatalf("read the output of poolcast %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
}
