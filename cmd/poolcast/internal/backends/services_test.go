package backends_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/capability"
)

func services() []openstack.Service {
	return []openstack.Service{
		{Host: "c@on", Zone: "dc1"},
		{Host: "c@off", Zone: "dc2", Disabled: true, Reason: "firmware update"},
		{Host: "a@gold", Cluster: "k@gold", Zone: "dc1", Down: true},
		{Host: "b@gold", Cluster: "k@gold", Zone: "dc1"},
	}
}

func TestApplyServicesWithoutList(t *testing.T) {
	reports := []capability.Report{{Host: "c@off"}, {Host: "c@on"}, {Host: "a@gold", Cluster: "k@gold"}, {Host: "c@other"}}
	set := &backends.Set{Reports: reports}
	set.ApplyServices(services())
	var order []string
	for _, r := range set.Reports {
		order = append(order, r.Identity()+"/"+r.Zone)
	}
	if got := strings.Join(order, " "); got != "c@on/dc1 k@gold/dc1 c@off/dc2 c@other/" {
		t.Errorf("the backends are %s", got)
	}
	want := map[string]string{"c@off": "the service is disabled (firmware update)", "c@other": openstack.NoService}
	if diff := cmp.Diff(want, set.Excluded); diff != "" {
		t.Errorf("excluded (-want +got):\n%s", diff)
	}
	if n := len(set.Candidates()); n != 2 {
		t.Errorf("there are %d candidates", n)
	}
	if reports[1].Zone != "" {
		t.Error("the reports of the caller were changed")
	}
}

func TestApplyServicesWithList(t *testing.T) {
	set := &backends.Set{
		Reports: []capability.Report{{Host: "c@on"}, {Host: "c@other"}, {Host: "c@off"}},
		AskedAt: time.Now(), Unlisted: []string{"c@off"},
	}
	set.ApplyServices(services())
	if diff := cmp.Diff([]string{"c@off"}, set.Unlisted); diff != "" {
		t.Errorf("the list of the scheduler was changed:\n%s", diff)
	}
	if got := set.Excluded["c@off"]; !strings.Contains(got, "firmware update") {
		t.Errorf("the reason is %q", got)
	}
}

func TestApplyServicesThatAreNotKnown(t *testing.T) {
	set := &backends.Set{Reports: []capability.Report{{Host: "c@x", Zone: "dc1"}}}
	set.ApplyServices(nil)
	if len(set.Unlisted) > 0 || set.Reports[0].Zone != "dc1" {
		t.Errorf("the set became %+v", set)
	}
}

// TestApplyServicesAfterList: the list of an agent can be a minute old, and the service
// was disabled since.
func TestApplyServicesAfterList(t *testing.T) {
	listed := 2
	set := &backends.Set{Reports: []capability.Report{{Host: "c@off"}, {Host: "c@on"}}, AskedAt: time.Now(), Listed: &listed, Source: backends.Agent}
	set.ApplyServices(services())
	if len(set.Unlisted) != 1 || set.Unlisted[0] != "c@off" || !strings.Contains(set.Excluded["c@off"], "firmware update") {
		t.Errorf("unlisted %q, excluded %q", set.Unlisted, set.Excluded)
	}
	if text := strings.Join(set.Lines(time.Now()), "\n"); strings.Contains(text, "Not listed") {
		t.Errorf("what is listed is called not listed:\n%s", text)
	}
}

// TestApplyServicesToMissing: the cloud has the reason why a configured backend is
// missing.
func TestApplyServicesToMissing(t *testing.T) {
	listed := 0
	set := &backends.Set{AskedAt: time.Now(), Listed: &listed, Notes: []string{"first"}}
	set.NoteMissing(map[string]string{"c@off": "", "c@on": "", "c@new": ""})
	set.Notes = append([]string{"before"}, set.Notes...)
	set.ApplyServices(services())
	want := []string{
		"before", "first",
		"c@new is configured here, and the scheduler does not list it: it is disabled, frozen or down, or cinder-volume reports it under another name.",
		"c@off is configured here, and the scheduler does not list it: the service is disabled (firmware update).",
		"c@on is configured here, and the scheduler does not list it: its service is enabled and up, and the scheduler has received no report since it became so; cinder-volume's next report ends that.",
	}
	if diff := cmp.Diff(want, set.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"off": want[3], "c@off": want[3], "c@off#pool": want[3], "c": "", "other": ""} {
		if got := set.MissingNote(name); got != want {
			t.Errorf("the note on %s is %q, want %q", name, got, want)
		}
	}
}
