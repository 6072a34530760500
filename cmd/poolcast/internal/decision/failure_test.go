package decision

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

const (
	projectID = "9a0bec70000000000000000000000009"
	userID    = "5e1f00d0000000000000000000000005"
)

// report is of an array with room, in zone dc1.
func report(name, pool string, volumes int64) capability.Report {
	return capability.Report{
		Host: "ctl1@" + name, Backend: name, Pool: pool, Zone: "dc1", Status: capability.OK, CollectedAt: time.Now(),
		Capabilities: capability.Set{
			capability.KeyVolumeBackendName: capability.OfString(pool),
			capability.KeyTotalCapacity:     capability.OfFloat(1000), capability.KeyFreeCapacity: capability.OfFloat(500),
			capability.KeyTotalVolumes: capability.OfInt(volumes), capability.KeyThinProvisioning: capability.OfBool(false),
		},
	}
}

func withFunction(r capability.Report, function string) capability.Report {
	r.Capabilities[capability.KeyFilterFunction] = capability.OfString(function)
	return r
}

func failedCreate(size int64, specs string, zones ...string) publisher.Failure {
	return publisher.Failure{
		Operation: publisher.CreateVolume, Exception: "NoValidBackend", VolumeID: "c7cb6f1e-99fd-4f99-9329-cc239a4f5f42", Size: size, Type: "gold",
		ExtraSpecs: json.RawMessage(specs), Zones: zones, Private: []string{projectID, userID},
		Properties: capability.Set{
			"size": capability.OfInt(size), "project_id": capability.OfString(projectID), "user_id": capability.OfString(userID),
		},
	}
}

func cloudOf(reports ...capability.Report) *Cloud {
	scheduler := config.Scheduler{
		Filters:  []string{"AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter", "DriverFilter"},
		Weighers: []string{"CapacityWeigher"}, CapacityMultiplier: 1,
		MaxOverSubscription: config.OverSubscription{Ratio: 20},
	}
	return &Cloud{Scheduler: scheduler, Backends: &backends.Set{Reports: reports}}
}

// TestExplainFailureMarksLabels: a refusal for a label says what is measured, and so does
// a backend that fits by a label.
func TestExplainFailureMarksLabels(t *testing.T) {
	labelled := func(name string, label int64) capability.Report {
		r := report(name, "gold", label)
		r.Labels = map[string]capability.Label{capability.KeyTotalVolumes: {Value: capability.OfInt(label), Measured: capability.OfInt(912)}}
		return r
	}
	const specs = `{"volume_backend_name":"gold","total_volumes":"<= 800"}`
	refused, _ := ExplainFailure(cloudOf(labelled("fa1", 900), report("fa2", "gold", 850)), failedCreate(10, specs), []string{"gold"}, time.Now())
	const reason = "total_volumes 900 is not <= 800 (total_volumes is a label of cinder.conf; measured 912)"
	if want := "refused: fa1 " + reason + "; fa2 total_volumes 850 is not <= 800"; refused.Explanation != want || refused.Refused[0].Reason != reason {
		t.Errorf("got  %s\nwant %s", refused.Explanation, want)
	}
	fits, _ := ExplainFailure(cloudOf(labelled("fa1", 5), report("fa2", "gold", 850)), failedCreate(10, specs), []string{"gold"}, time.Now())
	if got := fits.Explanation; !strings.Contains(got, "; total_volumes 5 of fa1 is a label of cinder.conf; measured 912; add total_volumes to live_capabilities in [poolcast]") {
		t.Errorf("got %s", got)
	}
}

func TestExplainFailure(t *testing.T) {
	gold := `{"volume_backend_name":"gold","total_volumes":"<= 800"}`
	far := report("x_09", "gold", 1)
	far.Zone = "dc2"
	off := cloudOf(report("x_01", "gold", 912), report("x_02", "gold", 1))
	off.Backends.Unlisted = []string{"ctl1@x_02"}
	retype := failedCreate(1, gold)
	retype.Operation = "retype"
	tried := failedCreate(1, gold)
	tried.Attempts = true
	broken := failedCreate(1, gold)
	broken.Exception = "KeyError"
	for name, c := range map[string]struct {
		cloud        *Cloud
		failure      publisher.Failure
		text         string
		pool, filter string
	}{
		"a condition": {
			cloudOf(report("x_01", "gold", 912), report("x_02", "gold", 913), report("y_01", "silver", 1)), failedCreate(100, gold, "dc1"),
			"refused: x_01 total_volumes 912 is not <= 800; x_02 total_volumes 913 is not <= 800; 1 backend of other pools", "gold", "CapabilitiesFilter",
		},
		"other zones come last": {
			cloudOf(far, report("x_01", "gold", 912)), failedCreate(100, gold, "dc1"),
			"refused: x_01 total_volumes 912 is not <= 800; x_09 ", "gold", "CapabilitiesFilter",
		},
		"only other zones":     {cloudOf(far), failedCreate(100, gold, "dc1"), "refused: x_09 ", "gold", "AvailabilityZoneFilter"},
		"no room":              {cloudOf(report("x_01", "gold", 1)), failedCreate(5000, gold), "refused: x_01 ", "gold", "CapacityFilter"},
		"a pool without array": {cloudOf(report("x_01", "gold", 1)), failedCreate(1, `{"volume_backend_name":"typo"}`), "refused: x_01 volume_backend_name gold is not typo", "", "CapabilitiesFilter"},
		"disabled":             {off, failedCreate(1, gold), "x_02 reports, and is not in the scheduler's list", "gold", "CapabilitiesFilter"},
		"fits now":             {cloudOf(report("x_01", "gold", 912), report("x_02", "gold", 1)), failedCreate(1, gold), "x_02 fits now: its report or its service has changed", "gold", "none"},
		"without a type":       {cloudOf(report("x_01", "gold", 1)), publisher.Failure{Operation: publisher.CreateVolume, Size: 9000}, "refused: x_01 ", "", "CapacityFilter"},
		"no report":            {cloudOf(), failedCreate(1, gold), "there is no report of a backend yet", "gold", "other"},
		"unreadable specs":     {cloudOf(report("x_01", "gold", 1)), failedCreate(1, `[7]`), "cannot be explained: the extra specs of its type cannot be read", "", "other"},
		"cinder-volume failed": {cloudOf(report("x_01", "gold", 1)), tried, "cinder-volume failed to create it on each backend", "gold", "other"},
		"another exception":    {cloudOf(report("x_01", "gold", 1)), broken, "the scheduler failed with KeyError; its log has the reason", "gold", "other"},
		"a retype":             {cloudOf(report("x_01", "gold", 1)), retype, "the scheduler refused it; only creates are explained", "", "other"},
	} {
		t.Run(name, func(t *testing.T) {
			got, count := ExplainFailure(c.cloud, c.failure, []string{"gold", "silver"}, time.Now())
			if !strings.Contains(got.Explanation, c.text) || count.Pool != c.pool || count.Filter != c.filter {
				t.Errorf("got %q, %+v, want %q, %q, %q", got.Explanation, count, c.text, c.pool, c.filter)
			}
			if got.Fits == nil || got.Refused == nil || got.Zones == nil {
				t.Errorf("null in JSON: %+v", got)
			}
			labels := append(FailureFilters(c.cloud.Scheduler), FilterNone, FilterOther)
			if !slices.Contains(labels, count.Filter) {
				t.Errorf("the label %q is not one of %q", count.Filter, labels)
			}
		})
	}
}

// TestFailureHasNoPrivateIDs: functions that read volume.project_id are decided on with
// it, and what they explain does not have it.
func TestFailureHasNoPrivateIDs(t *testing.T) {
	long := strings.Repeat("x", 300)
	cloud := cloudOf(
		withFunction(report("x_01", "gold", 1), `volume.project_id == "other"`),
		withFunction(report("x_02", "gold", 1), `volume.user_id == "`+projectID+`"`),
		withFunction(report("x_03", "gold", 1), `volume.project_id == "`+long+`"`),
		withFunction(report("x_04", "gold", 1), `volume.project_id == "`+projectID+`"`),
	)
	got, _ := ExplainFailure(cloud, failedCreate(1, `{}`), nil, time.Now())
	if !slices.Equal(got.Fits, []string{"x_04"}) {
		t.Errorf("x_04 is for this project, and %q fit", got.Fits)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{projectID, userID} {
		for length := len(id); length >= 8; length-- {
			if strings.Contains(string(text), id[:length]) {
				t.Fatalf("an id is in %s", text)
			}
		}
	}
	if !strings.Contains(got.Explanation, hidden) {
		t.Errorf("nothing was hidden: %s", got.Explanation)
	}
}

func TestHider(t *testing.T) {
	for _, c := range []struct{ id, text, want string }{
		{"user", "user is not user2, user", "(hidden) is not user2, (hidden)"},
		{"hidden", "hidden hidden", "((hidden)) ((hidden))"},
		{projectID, "'" + projectID + "' '" + projectID[:9] + "…", "'(hidden)' '(hidden)"},
		{"a.b", "a.b axb", "(hidden) axb"},
	} {
		if got := hider(c.id)(c.text); got != c.want && c.id != "hidden" || len(got) > 100 {
			t.Errorf("%s in %q: %q, want %q", c.id, c.text, got, c.want)
		}
	}
}

// TestFailureIsBounded: with a thousand backends, and a hostile type.
func TestFailureIsBounded(t *testing.T) {
	var reports []capability.Report
	for i := range 1000 {
		reports = append(reports, report(fmt.Sprintf("x_%04d", i), "gold", 900))
	}
	f := failedCreate(1, `{"total_volumes":"<= \u001b[2J\n8"}`)
	got, _ := ExplainFailure(cloudOf(reports...), f, []string{"gold"}, time.Now())
	if n := len([]rune(got.Explanation)); n > maxExplanation || len(got.Refused) != maxRefusals {
		t.Errorf("%d characters, %d refusals", n, len(got.Refused))
	}
	if strings.ContainsAny(got.Explanation+got.Refused[0].Reason, "\x1b\n") {
		t.Errorf("got %q", got.Refused[0])
	}
}

// FuzzExplainFailure: whatever a notification holds, there is an explanation, which is
// printable and bounded, and has no private id.
func FuzzExplainFailure(f *testing.F) {
	f.Add(int64(1), `{"total_volumes":"<= 8","capabilities:a:b":"<is> \u001b[2J","volume_backend_name":null}`, "dc1", `volume.project_id == "x"`)
	f.Add(int64(1<<40), `{"a":"<or> 1 <or> 2"}`, "\u202e", "capabilities.total_volumes / 0")
	f.Fuzz(func(t *testing.T, size int64, specs, zone, function string) {
		failure := failedCreate(size, specs, zone)
		cloud := cloudOf(withFunction(report("x_01", "gold", 900), function), report("x_02", "gold", 1))
		got, count := ExplainFailure(cloud, failure, []string{"gold"}, time.Now())
		if got.Explanation == "" || len([]rune(got.Explanation)) > maxExplanation || format.Printable(got.Explanation) != got.Explanation {
			t.Errorf("got %q", got.Explanation)
		}
		if !slices.Contains(append(FailureFilters(cloud.Scheduler), FilterNone, FilterOther), count.Filter) || count.Pool != "" && count.Pool != "gold" {
			t.Errorf("labels %+v", count)
		}
		text, err := json.Marshal(got)
		if err != nil || strings.Contains(string(text), projectID) || strings.Contains(string(text), userID) {
			t.Errorf("%s, %v", text, err)
		}
	})
}
