package backends

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
)

// pools are listed pools, each with its name as volume_backend_name.
func pools(names ...string) *publisher.SchedulerPools {
	list := &publisher.SchedulerPools{Received: time.Unix(1000, 0)}
	for _, name := range names {
		_, pool, _ := strings.Cut(name, "#")
		if strings.HasPrefix(pool, "aggr") {
			pool = "netapp"
		}
		list.Pools = append(list.Pools, publisher.SchedulerPool{Name: name, Capabilities: capability.Set{
			capability.KeyVolumeBackendName: capability.OfString(pool), "timestamp": capability.OfString("1970-01-01T00:16:30.500000"),
		}})
	}
	return list
}

// names are backend, zone and pool name of each report.
func names(reports []capability.Report) string {
	var all []string
	for _, r := range reports {
		all = append(all, fmt.Sprintf("%s/%s/%s", r.Backend, r.Zone, r.PoolName))
	}
	return strings.Join(all, " ")
}

func TestArrange(t *testing.T) {
	own := []capability.Report{
		{Host: "ctl1@fa1", Backend: "fa1", Zone: "dc1"},
		{Host: "ctl1@fa2", Backend: "fa2", Zone: "dc1"},
		{Host: "ctl1@fa3", Cluster: "c@fa3", Backend: "fa3", Zone: "dc1"},
	}
	zones := Zones{Configured: map[string]string{"ctl1@lvm": "dc2"}, Given: map[string]string{"ctl3@lvm": "dc3"}, Default: "nova"}
	list := pools("ctl2@fa1#gold", "c@fa3#gold", "ctl2@netapp#aggr1", "ctl2@netapp#aggr2", "ctl1@fa1#gold", "ctl1@lvm#lvm", "ctl3@lvm#lvm")
	set := Arrange(own, list, zones)
	const want = "ctl2@fa1/nova/ fa3/dc1/ ctl2@netapp#aggr1/nova/aggr1 ctl2@netapp#aggr2/nova/aggr2 fa1/dc1/ ctl1@lvm/dc2/ ctl3@lvm/dc3/ fa2/dc1/"
	if got := names(set.Reports); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Equal(set.Unlisted, []string{"ctl1@fa2"}) || *set.Listed != 7 || !set.AskedAt.Equal(time.Unix(1000, 0)) {
		t.Errorf("unlisted %q, %d listed at %s", set.Unlisted, *set.Listed, set.AskedAt)
	}
	if got := names(set.Candidates()); got != strings.TrimSuffix(want, " fa2/dc1/") {
		t.Errorf("candidates %s", got)
	}
	if len(set.Notes) != 1 || !strings.HasPrefix(set.Notes[0], "The availability zone of ctl2@fa1 and ctl2@netapp is not in the scheduler's list: nova is assumed; --backend-zone ctl2@fa1=ZONE ") {
		t.Errorf("notes %q", set.Notes)
	}
	if at := set.Reports[0].CollectedAt; !at.Equal(time.Unix(990, 500e6)) {
		t.Errorf("the report was made at %s", at)
	}
	if set := Arrange(own, nil, zones); len(set.Reports) != 3 || set.Listed != nil || set.Unlisted != nil {
		t.Errorf("without a list: %+v", set)
	}
}

func TestNoteMissing(t *testing.T) {
	for configured, want := range map[string]string{
		"ctl1@fa1":  "",
		"ctl9@fa1":  "ctl9@fa1 is configured here, and the scheduler does not list it: it is disabled, frozen or down, or cinder-volume reports it under another name, such as ctl1@fa1.",
		"ctl1@gold": "or cinder-volume reports it under another name.",
	} {
		set := Arrange(nil, pools("ctl1@fa1#gold"), Zones{})
		set.Notes = nil
		set.NoteMissing(map[string]string{configured: "nova"})
		if got := strings.Join(set.Notes, "\n"); !strings.HasSuffix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: got %q, want %q", configured, got, want)
		}
	}
}

// TestNoteMissingBesideOthers: the name of another stanza is no suggestion.
func TestNoteMissingBesideOthers(t *testing.T) {
	set := Arrange(nil, pools("ctl1@array_x_01#gold"), Zones{})
	set.NoteMissing(map[string]string{"ctl1@array_x_01": "nova", "ctl1@array_x_02": "nova"})
	if got := strings.Join(set.Notes, "\n"); strings.Contains(got, "such as") || !strings.Contains(got, "ctl1@array_x_02 is configured here") {
		t.Errorf("the notes are %q", got)
	}
}

// TestNoteUnreported: a stanza whose name no cinder-volume has.
func TestNoteUnreported(t *testing.T) {
	sample := capability.Set{capability.KeyMetricsAgent: capability.OfString("poolcast")}
	set := Arrange([]capability.Report{{Host: "ctl1@fa1", Capabilities: sample}}, pools("ctl1.example@fa1#gold"), Zones{Configured: map[string]string{"ctl1.example@fa1": "dc1"}})
	const want = "ctl1@fa1 is neither listed by the scheduler nor reported by cinder-volume: no cinder-volume runs for it, or none has reported since the agent started, or under another name, such as ctl1.example@fa1."
	if !slices.Equal(set.Notes, []string{want}) || !slices.Equal(set.Unlisted, []string{"ctl1@fa1"}) {
		t.Errorf("unlisted %q, notes %q", set.Unlisted, set.Notes)
	}
}

// TestRequestListAgain: a list without a wanted backend, as of a scheduler that has just
// started, is requested twice.
func TestRequestListAgain(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		first, second *publisher.SchedulerPools
		secondErr     error
		want          int // pools
		requests      int
	}{
		"complete":         {first: pools("a@b#c"), want: 1, requests: 1},
		"empty, then not":  {first: pools(), second: pools("a@b#c"), want: 1, requests: 2},
		"missing twice":    {first: pools("a@x#c"), second: pools("a@x#c", "a@y#c"), want: 2, requests: 2},
		"missing, failed":  {first: pools("a@x#c"), secondErr: failed, want: 1, requests: 2},
		"failed at once":   {want: -1, requests: 1},
		"another is there": {first: pools("a@b#c", "a@d#e"), want: 2, requests: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			begun := time.Now()
			list, err := RequestList(t.Context(), func(context.Context) (*publisher.SchedulerPools, error) {
				requests++
				switch {
				case requests == 2:
					return c.second, c.secondErr
				case c.first == nil:
					return nil, failed
				}
				return c.first, nil
			}, []string{"a@b"})
			got := -1
			if err == nil {
				got = len(list.Pools)
			}
			if got != c.want || requests != c.requests || time.Since(begun) != time.Duration(c.requests-1)*retryPause {
				t.Errorf("%s: %d pools of %d requests in %s: %v", name, got, requests, time.Since(begun), err)
			}
		})
	}
}

func TestSetText(t *testing.T) {
	now := time.Unix(1003, 0)
	set := Arrange([]capability.Report{{Host: "ctl1@fa1", Backend: "fa1", CollectedAt: time.Unix(991, 0)}}, pools("ctl1@fa1#gold", "ctl1@fa2#gold"),
		Zones{Configured: map[string]string{"ctl1@fa2": "dc1"}})
	set.Source, set.From = Agent, "http://127.0.0.1:9748"
	set.Reports[0].Capabilities = capability.Set{capability.KeyTotalCapacity: capability.OfInt(1)}
	got := strings.Join(set.Lines(now), "\n")
	const want = `On 2 backends that the scheduler listed 3s ago (agent http://127.0.0.1:9748), the oldest report 13s old; volumes placed since the reports are not deducted.
Provisioned size: allocated_capacity_gb for fa1, whose reports have no provisioned_capacity_gb; Pure drivers have it since Cinder 29.`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out := set.JSON(now)
	if out.Kind != "agent" || *out.Listed != 2 || *out.OldestReport != 13 || !out.ReceivedAt.Equal(time.Unix(1000, 0)) || !slices.Equal(out.AllocatedOnly, []string{"fa1"}) || out.DeductionsIncluded {
		t.Errorf("got %+v", out)
	}
	set.Source = File
	if out := set.JSON(now); out.OldestReport != nil || out.ReceivedAt != nil {
		t.Errorf("a file's answer depends on the time: %+v", out)
	}
}
