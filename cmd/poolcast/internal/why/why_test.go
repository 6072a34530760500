package why_test

import (
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/why"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
)

func TestCauseByStatus(t *testing.T) {
	unplaced := []openstack.Message{{Text: "attach volume:x"}, {Text: "schedule allocate volume:Could not find any available weighted backend."}}
	for _, c := range []struct {
		status, host string
		messages     []openstack.Message
		want         string
	}{
		{"error", "", unplaced, "The scheduler found no backend"},
		{"error", "", nil, "log of cinder-scheduler"},
		{"creating", "", nil, "waits for a scheduler"},
		{"deleting", "", nil, "on no backend"},
		{"error", "c@x#p", nil, "placed it on c@x#p, and cinder-volume failed"},
		{"creating", "c@x#p", nil, "has not made it yet"},
		{"error_deleting", "c@x#p", nil, "a later operation failed"},
		{"in-use", "c@x#p", unplaced, "It is on c@x#p."},
	} {
		f := why.Facts{Volume: &openstack.Volume{Status: c.status, Host: c.host}, Messages: c.messages}
		if got := f.Cause(); !strings.Contains(got, c.want) {
			t.Errorf("%s on %q: got %q, want %q", c.status, c.host, got, c.want)
		}
	}
}

// cloud has one backend with 900 volumes and its scheduler's default settings.
func cloud(now time.Time) *decision.Cloud {
	capabilities := capability.Set{
		"volume_backend_name": capability.OfString("gold"), "total_volumes": capability.OfInt(900),
		"total_capacity_gb": capability.OfFloat(1000), "free_capacity_gb": capability.OfFloat(500),
	}
	set := &backends.Set{Source: backends.Arrays, Reports: []capability.Report{
		{Host: "c@x", Backend: "x", Zone: "dc1", CollectedAt: now.Add(-time.Minute), Capabilities: capabilities},
		{Host: "c@y", Backend: "y", Zone: "dc1", CollectedAt: now.Add(-time.Second), Capabilities: capability.Set{}},
	}}
	cfg := &config.Config{Scheduler: config.Scheduler{
		Filters:  []string{cinder.AvailabilityZoneFilter, cinder.CapacityFilter, cinder.CapabilitiesFilter},
		Weighers: []string{cinder.CapacityWeigher}, CapacityMultiplier: 1,
	}}
	return decision.NewCloud(cfg, set)
}

func TestExplainDecidesOnAnotherVolume(t *testing.T) {
	now := time.Now()
	facts := func(limit string) *why.Facts {
		kind := &openstack.VolumeType{VolumeType: cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("capabilities:total_volumes", limit)}}}
		return &why.Facts{Volume: &openstack.Volume{Status: "error", Size: 10, Zone: "dc1"}, Type: kind}
	}
	for _, c := range []struct {
		limit, verdict string
		code           int
	}{
		{"<= 800", "total_volumes 900 is not <= 800", exit.NoFit},
		{"<= 1000", "x would take it", exit.OK},
	} {
		e, err := why.Explain(facts(c.limit), cloud(now), 0, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Verdict(); !strings.Contains(got, c.verdict) {
			t.Errorf("%s: the verdict is %q", c.limit, got)
		}
		if code, _ := exit.Code(e.Fails()); code != c.code {
			t.Errorf("%s: the exit code is %d", c.limit, code)
		}
	}
}

// TestExplainWithUsedUpQuota has room on a backend and none in the quota, which
// cinder-api checks first.
func TestExplainWithUsedUpQuota(t *testing.T) {
	facts := &why.Facts{
		Volume: &openstack.Volume{Status: "available", Host: "c@x#gold", Size: 10, Zone: "dc1"},
		Quota:  []openstack.Usage{{Resource: "volumes", Used: 3, Limit: 10, Request: 1}, {Resource: "gigabytes", Used: 95, Limit: 100, Request: 10}},
	}
	e, err := why.Explain(facts, cloud(time.Now()), 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Verdict(); !strings.Contains(got, "the quota gigabytes is 100, 95 are in use, and it needs 10") {
		t.Errorf("the verdict is %q", got)
	}
	if code, _ := exit.Code(e.Fails()); code != exit.NoFit {
		t.Errorf("the exit code is %d", code)
	}
	if e.Answer.Last().Chosen == nil {
		t.Error("the backend with room is not shown")
	}
}

// TestExplainMarksLabels: another volume of a type that limits a label says what is
// measured in its place.
func TestExplainMarksLabels(t *testing.T) {
	limit, now := "<= 950", time.Now()
	c := cloud(now)
	c.Backends.Reports[0].Labels = map[string]capability.Label{"total_volumes": {Value: capability.OfInt(900), Measured: capability.OfInt(42)}}
	f := &why.Facts{Volume: &openstack.Volume{Status: "error", Size: 1, Zone: "dc1"}, Type: &openstack.VolumeType{
		VolumeType: cinder.VolumeType{Name: "t", ExtraSpecs: cinder.ExtraSpecs{{Key: "total_volumes", Value: &limit}}},
	}}
	e, err := why.Explain(f, c, 0, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Answer.Notes, "\n"); !strings.Contains(got, "total_volumes 900 of x is a label of cinder.conf; measured 42") {
		t.Errorf("the notes are %s", got)
	}
}
