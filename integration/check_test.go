//go:build integration

package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/review"
)

// TestNamesAndReportsAgainstTheBus lets cinder-volume speak for three backends:
// for the first as configured, for the second under the host's full name, and
// for the third not at all. check says so and what to write; diff shows what an
// overlay would change of the first.
func TestNamesAndReportsAgainstTheBus(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	c := newCloud(t, threeArrays(t), transport)
	startBusScheduler(t, broker.URL(), busLayout{})
	reports := c.dryRun()
	said := withoutOurs(t, reports[0])
	reportEverySecond(t, broker.URL(), map[string]string{
		hostOf("flasharray-x-01"):          said,
		"ctl1.example.org@flasharray_x_02": said,
	})

	var check struct {
		Bus      struct{ Received []string }
		Findings []review.Finding
	}
	c.ask(t, &check, 3, "check", "--listen-for", "8s", "--output", "json")
	if got := strings.Join(check.Bus.Received, " "); got != "ctl1.example.org@flasharray_x_02 ctl1@flasharray_x_01" {
		t.Errorf("heard %s", got)
	}
	wants := map[string]string{
		"wrong-host flasharray_x_02":                   "host = ctl1.example.org into [DEFAULT]",
		"never-heard flasharray_x_03":                  "openstack volume service list",
		"provisioned-capacity-lacking flasharray_x_01": "fix_provisioned_capacity = true",
	}
	for _, f := range check.Findings {
		if f.Topic != review.Names {
			continue
		}
		want := ""
		for key, text := range wants {
			if code, name, _ := strings.Cut(key, " "); f.Code == code && strings.Contains(f.Where, name) {
				want = text
				delete(wants, key)
			}
		}
		if want == "" || !strings.Contains(f.What+f.Do, want) {
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
			Changes []review.KeyChange
		}
	}
	c.ask(t, &diff, 1, "diff", "--wait", "8s", "--output", "json")
	if len(diff.Backends) != 3 || !diff.Backends[0].HasBase || diff.Backends[1].HasBase || diff.Backends[2].HasBase {
		t.Fatalf("got %+v", diff)
	}
	told := map[string]review.KeyChange{}
	for _, change := range diff.Backends[0].Changes {
		told[change.Key] = change
	}
	if k := told[capability.KeyTotalVolumes]; k.Change != review.Changed || !k.Sent || !k.Old.Equal(capability.OfInt(7)) {
		t.Errorf("total_volumes: %+v", k)
	}
	if k := told[capability.KeyProvisionedCapacity]; k.Change != review.Added || k.Sent {
		t.Errorf("provisioned_capacity_gb: %+v", k)
	}
	if k := told[capability.KeyAllocatedCapacity]; k.Change != review.Missing {
		t.Errorf("allocated_capacity_gb: %+v", k)
	}
}

// withoutOurs is what an older cinder-volume would say of the same array.
func withoutOurs(t *testing.T, r capability.Report) string {
	t.Helper()
	set := r.Capabilities.Overlay(capability.Set{
		capability.KeyTotalVolumes:      capability.OfInt(7),
		capability.KeyAllocatedCapacity: capability.OfInt(17),
	})
	delete(set, capability.KeyMetricsAgent)
	delete(set, capability.KeyProvisionedCapacity)
	text, err := set.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// reportEverySecond is a cinder-volume that is in a hurry.
func reportEverySecond(t *testing.T, uri string, said map[string]string) {
	t.Helper()
	volume := startBusVolume(t, uri)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			for host, capabilities := range said {
				volume.say(host, capabilities)
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
}

// ask runs a command that prints JSON and ends with a code.
func (c *cloud) ask(t *testing.T, answer any, code int, args ...string) {
	t.Helper()
	cmd := c.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, _ := cmd.Output() // the code is looked at
	checkSecrets(t, string(out)+errs.String())
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("poolcast %s ended with code %d, want %d: %s", strings.Join(args, " "), got, code, errs.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("read the answer of poolcast %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
}
